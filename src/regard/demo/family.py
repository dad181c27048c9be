"""The pronoun family: "The animal did not cross the street because it was too tired", or "... too wide"."""

from collections.abc import Collection
from random import Random
from typing import NamedTuple

from regard.demo.choices import Choices
from regard.demo.grammar import IT, Clause, Nominal, Text, attribute, feeling, noun_phrase, say
from regard.demo.lexicon import Gender, Noun, Verb, lexicon

BECAUSE = Text("parce que", "because")
DEGREES = [Text("trop", "too")] * 3 + [Text("très", "very"), Text()]
TENSES = [("past", "past")] * 6 + [("present", "present"), ("future", "present")]
ACTS = {
    "crossing": ("cross", "cross", "avoid"),
    "height": ("climb",),
    "inside": ("enter",),
    "obstacle": ("jump over",),
    "path": ("follow",),
}


class Scene(NamedTuple):
    """Who does not do what to which place, and when."""

    animal: Noun
    place: Noun
    verb: Verb
    tenses: tuple[str, str]  # of the deed and of its reason
    degree: Text


class Contrast(NamedTuple):
    """An English sentence whose French must choose il or elle, with what is right and what is wrong.

    `wrong` has the other pronoun and the adjective that agrees with it; `wrong_pronoun` the other pronoun alone.
    antecedent: the noun that `it` stands for; other: the noun it does not.
    """

    source: str
    right: str
    wrong: str
    wrong_pronoun: str
    antecedent: str
    other: str
    antecedent_fr: str
    other_fr: str
    pronoun: str


def all_combinations() -> list[tuple[str, str]]:
    """Every (animal, place) of the family, by their English names."""
    places = lexicon().tables["places"]
    return [(animal.en, place) for animal in lexicon().of_kind("animal") for place in places]


def verbs_of(place: str) -> list[str]:
    """What one does with a place."""
    groups = lexicon().tables["groups"]
    return [act for group, acts in ACTS.items() if place in groups[group] for act in acts]


def scene(rng: Random, combinations: list[tuple[str, str]]) -> Scene:
    """A scene of one of these combinations."""
    choices = Choices(rng)
    animal, place = choices.one(combinations)
    verb = choices.verb(*verbs_of(place))
    nouns = choices.words.nouns
    return Scene(nouns[animal], nouns[place], verb, choices.one(TENSES), choices.one(DEGREES))


def reasons(scene: Scene, of_place: bool) -> list[str]:
    """What can be said of the place and of no animal, or of the animal and of no place."""
    tables = lexicon().tables
    if of_place:
        names: str = tables["places"][scene.place.en]
        return names.split()
    moods: list[str] = tables["beasts"]["avoid" if scene.verb.en == "avoid" else "refuse"]
    return moods


def because(scene: Scene, it: Nominal, reason: str, gender: Gender) -> Text:
    """it was too tired: the pronoun, and the adjective in a gender of its own (that of `it`, unless to be wrong)."""
    words, tense = lexicon(), scene.tenses[1]
    if reason in words.tables["feelings"]:
        return say(Clause(it, feeling(reason, scene.degree), tense))
    adjective = attribute(IT[gender], words.adjectives[reason], scene.degree)
    return say(Clause(it, words.verbs["be"], tense, complement=adjective))


def tell(scene: Scene, reason: str, gender: Gender, agreement: Gender) -> Text:
    """The whole sentence, with a pronoun of this gender and an adjective of that."""
    animal, place = noun_phrase(scene.animal, "the"), noun_phrase(scene.place, "the")
    deed = Clause(animal, scene.verb, scene.tenses[0], scene.verb.en != "avoid", place.text)
    return say(deed).then(BECAUSE, because(scene, IT[gender], reason, agreement)).sentence()


def member(rng: Random, combinations: list[tuple[str, str]]) -> Text:
    """A sentence of the family, about one of these combinations."""
    setting = scene(rng, combinations)
    of_place = rng.random() < 0.5
    noun = setting.place if of_place else setting.animal
    return tell(setting, rng.choice(reasons(setting, of_place)), noun.gender, noun.gender)


def contrasts(rng: Random, combinations: Collection[tuple[str, str]], count: int) -> list[Contrast]:
    """Twins on combinations of two genders: one sentence where `it` is the animal, one where it is the place."""
    nouns = lexicon().nouns
    mixed = [pair for pair in combinations if nouns[pair[0]].gender != nouns[pair[1]].gender]
    found: dict[str, Contrast] = {}
    while len(found) < count:
        setting = scene(rng, mixed)
        twins = [contrast(setting, of_place, rng.choice(reasons(setting, of_place))) for of_place in (False, True)]
        if not any(twin.source in found for twin in twins):
            found |= {twin.source: twin for twin in twins}
    return list(found.values())[:count]


def contrast(setting: Scene, of_place: bool, reason: str) -> Contrast:
    """The right French and the two wrong ones of a scene and a reason."""
    it, other = (setting.place, setting.animal) if of_place else (setting.animal, setting.place)
    right = tell(setting, reason, it.gender, it.gender)
    return Contrast(
        source=right.en,
        right=right.fr,
        wrong=tell(setting, reason, other.gender, other.gender).fr,
        wrong_pronoun=tell(setting, reason, other.gender, it.gender).fr,
        antecedent=it.en,
        other=other.en,
        antecedent_fr=it.fr,
        other_fr=other.fr,
        pronoun=IT[it.gender].text.fr,
    )
