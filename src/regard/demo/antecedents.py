"""The pronoun family as questions about antecedents: each contrast, and what it is with another noun in it."""

from collections.abc import Sequence
from itertools import product
from random import Random

from regard.decoding.translator import Translator
from regard.demo import french
from regard.demo.family import DEGREES, TENSES, Contrast, Scene, reasons, tell, verbs_of
from regard.demo.grammar import noun_phrase
from regard.demo.lexicon import Noun, lexicon
from regard.looking.antecedents import Antecedents, antecedents
from regard.looking.pronouns import Question, Swap

COUNT = 100  # contrasts, which take about as many tenths of a second on one core
SWAPS = 4  # sentences with another noun, for each noun; half of them of the other gender


def put_to_the_test(translator: Translator, contrasts: Sequence[Contrast]) -> Antecedents:
    """What heads and methods give to the antecedents of English sentences, and what decides the French pronoun."""
    return antecedents(translator, questions(contrasts[:COUNT]), direction="en-fr")


def questions(contrasts: Sequence[Contrast], seed: int = 1) -> list[Question]:
    """A question for each contrast: the nouns that take a noun's place can do as it does, and what is said of it can
    be said of them."""
    rng = Random(seed)
    return [question(contrast, rng) for contrast in contrasts]


def question(contrast: Contrast, rng: Random) -> Question:
    """The question of one contrast."""
    scene, reason = scene_of(contrast)
    of_place = contrast.antecedent == scene.place.en
    animals = [noun for noun in lexicon().of_kind("animal") if noun != scene.animal]
    places = [lexicon().nouns[name] for name in lexicon().tables["places"] if name != scene.place.en]
    places = [place for place in places if scene.verb.en in verbs_of(place.en)]
    if of_place:
        places = [place for place in places if reason in lexicon().tables["places"][place.en].split()]
    by_noun = [
        _swaps(_some(animals, scene.animal, rng), scene, reason, of_place),
        _swaps(_some(places, scene.place, rng), scene, reason, of_place),
    ]
    first, second = reversed(by_noun) if of_place else by_noun
    nouns = (scene.place, scene.animal) if of_place else (scene.animal, scene.place)
    phrases = [french.spell(noun_phrase(noun, "the").text.fr) for noun in nouns]
    return Question(
        source=contrast.source,
        right=contrast.right,
        wrong=contrast.wrong_pronoun,
        pointer="it",
        nouns=(nouns[0].en, nouns[1].en),
        translations=(_standing(phrases[0], nouns[0], contrast.right), _standing(phrases[1], nouns[1], contrast.right)),
        swaps=(first, second),
    )


def scene_of(contrast: Contrast) -> tuple[Scene, str]:
    """The scene that a contrast tells of, and the reason that it gives."""
    nouns, tables = lexicon().nouns, lexicon().tables
    of_place = contrast.antecedent in tables["places"]
    animal, place = (contrast.other, contrast.antecedent) if of_place else (contrast.antecedent, contrast.other)
    pronoun = nouns[contrast.antecedent].gender
    for name, tenses, degree in product(verbs_of(place), dict.fromkeys(TENSES), dict.fromkeys(DEGREES)):
        scene = Scene(nouns[animal], nouns[place], lexicon().verbs[name], tenses, degree)
        for reason in reasons(scene, of_place):
            if reason in contrast.source and tell(scene, reason, pronoun, pronoun).en == contrast.source:
                return scene, reason
    raise AssertionError(f"no scene says: {contrast.source}")


def _some(nouns: list[Noun], old: Noun, rng: Random) -> list[Noun]:
    """Half of the SWAPS of the other gender, half of the same; fewer, where there are not so many."""
    rng.shuffle(nouns)
    other, same = ([noun for noun in nouns if (noun.gender != old.gender) == flips] for flips in (True, False))
    return other[: SWAPS // 2] + same[: SWAPS // 2]


def _swaps(nouns: Sequence[Noun], scene: Scene, reason: str, of_place: bool) -> list[Swap]:
    """The scene with each of these nouns in the place of the one of its kind."""
    swaps = []
    for noun in nouns:
        animal = noun.kind == "animal"
        new = scene._replace(animal=noun) if animal else scene._replace(place=noun)
        gender = (new.place if of_place else new.animal).gender
        told = tell(new, reason, gender, gender)
        swaps.append(Swap(told.en, told.fr, noun.gender != (scene.animal if animal else scene.place).gender))
    return swaps


def _standing(phrase: str, noun: Noun, sentence: str) -> str:
    """The noun with its article if they stand so in the sentence, or the noun alone: le pont, but pont in du pont."""
    return phrase if phrase.casefold() in sentence.casefold() else noun.fr
