"""Chance with taste: who may do what to what, so that a random sentence makes sense."""

from collections.abc import Collection, Sequence
from random import Random
from typing import TypeVar, final

from regard.demo.grammar import PRONOUNS, Nominal, Text, belonging, both, noun_phrase, place, proper
from regard.demo.lexicon import Adjective, Gender, Noun, Verb, lexicon

T = TypeVar("T")
MASS = ("meal", "drink")
PEOPLE = ("person", "child")
UNOWNED = ("building", "transport", "room", "crossing")
DEGREES = [Text(), Text(), Text("très", "very"), Text("trop", "too")]


@final
class Choices:
    """The lexicon, drawn from with one random generator."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.words = lexicon()
        self.tables = self.words.tables

    def one(self, options: Sequence[T]) -> T:
        """Any of these."""
        return self.rng.choice(options)

    def chance(self, probability: float) -> bool:
        """True as often as that."""
        return self.rng.random() < probability

    def pair(self, table: dict[str, str]) -> Text:
        """A line of a table of English = French."""
        en, fr = self.one(list(table.items()))
        return Text(fr, en)

    def verb(self, *names: str) -> Verb:
        """Any of these verbs."""
        return self.words.verbs[self.one(names)]

    def nouns(self, kinds: Collection[str]) -> list[Noun]:
        """The nouns of these kinds; a kind may be a group of places."""
        grouped = [name for kind in kinds for name in self.tables["groups"].get(kind, [])]
        return [*self.words.of_kind(*kinds), *(self.words.nouns[name] for name in grouped)]

    def adjective(self, kind: str) -> Adjective:
        """An adjective that can be said after `is` of this kind of thing (new, nouveau, goes before)."""
        return self.one([word for word in self.words.adjectives.values() if kind in word.kinds and word.en != "new"])

    def adjectives(self, noun: Noun) -> tuple[Adjective, ...]:
        """Mostly none, else one, at times one on each side where French has them so: une petite voiture rouge."""
        fitting = [word for word in self.words.adjectives.values() if noun.kind in word.kinds]
        if not fitting or self.chance(0.7):
            return ()
        first = self.one(fitting)
        colours = [word for word in fitting if "colour" in word.kinds]
        return (first, self.one(colours)) if first.before and colours and self.chance(0.5) else (first,)

    def name(self) -> Nominal:
        """Somebody by name."""
        gender: Gender = "m" if self.chance(0.5) else "f"
        return proper(self.one(self.tables["names"][gender]), gender)

    def pronoun(self) -> Nominal:
        """I, you, he, she, we or they."""
        return self.one(list(PRONOUNS.values()))

    def kin(self, owner: str = "") -> Nominal:
        """Somebody of the family."""
        return noun_phrase(self.one(self.words.of_kind("kin")), owner or self.one(["my", "your", "our"]))

    def person(self) -> Nominal:
        """A person as the subject of a clause."""
        draw = self.rng.random()
        if draw < 0.45:
            return self.pronoun()
        if draw < 0.6:
            return self.name()
        if draw < 0.72:
            return self.kin()
        if draw < 0.77:
            first, second = self.name(), self.name()
            return both(first, self.kin("my") if first == second or self.chance(0.5) else second)
        noun = self.one(self.words.of_kind(*PEOPLE))
        return noun_phrase(noun, "the", self.adjectives(noun), many=self.chance(0.3))

    def animal(self) -> Nominal:
        """An animal as the subject of a clause."""
        noun = self.one(self.words.of_kind("animal"))
        names = ["the", "the", "the", "this", "my" if noun.en in self.tables["groups"]["pet"] else "the"]
        return noun_phrase(noun, self.one(names), self.adjectives(noun), many=self.chance(0.25))

    def subject(self, verb: Verb) -> Nominal:
        """Whoever does such a thing."""
        if "animal" in verb.who and self.chance(0.35):
            return self.animal()
        if "transport" in verb.who and self.chance(0.4):
            return noun_phrase(self.one(self.words.of_kind("transport")), "the")
        return self.person()

    def articles(self, noun: Noun, verb: Verb, subject: Nominal, negative: bool) -> list[tuple[str, bool]]:
        """The determiners that an object may have, and whether in the plural; his, her, their only of one's own."""
        own = subject.owner if subject.kind != "animal" else "the"
        some = "any" if negative else "some"
        if noun.kind in ("place", *UNOWNED):
            return [("the", False)]
        if noun.kind in MASS:
            return [("the", False), (some, False), (own or "the", False)]
        if noun.kind == "opening" or verb.en == "wear":
            return [(name, False) for name in ("the", "this", "my", own or "the", own or "the")]
        one = ["the", "the", "this", "the" if negative else "a"]
        if noun.kind in PEOPLE:
            return [(name, False) for name in one]
        if noun.kind != "animal" or noun.en in self.tables["groups"]["pet"]:
            one += ["my", own or "the"]
        number = some if negative else self.one(list(self.tables["numbers"]))
        several = [] if verb.en in self.tables["aspect"]["single"] else ["the", "this", some, number]
        return [(name, False) for name in one] * 2 + [(name, True) for name in several]

    def thing(self, verb: Verb, subject: Nominal, negative: bool = False) -> Nominal:
        """An object for the subject's verb."""
        eaten = ("food", "animal", "path")  # and not what animals cross and climb: that is kept for the pronoun family
        noun = self.one(self.nouns([kind for kind in sorted(verb.what) if subject.kind != "animal" or kind in eaten]))
        if noun.en in subject.text.en.split():
            return self.thing(verb, subject, negative)
        if noun.kind == "kin":
            return self.kin("my" if subject.many else subject.owner)
        name, many = self.one(self.articles(noun, verb, subject, negative))
        return noun_phrase(noun, name, self.adjectives(noun), many)

    def holder(self, kinds: Collection[str]) -> Nominal:
        """A thing as the subject of a clause: the red car, my hat, Marie's book."""
        noun = self.one(self.nouns(kinds))
        if noun.kind in (*UNOWNED, "place"):
            return noun_phrase(noun, "the")
        if self.chance(0.15):
            return belonging(noun, self.name() if self.chance(0.6) else self.kin("my"))
        many = noun.kind not in MASS and self.chance(0.25)
        return noun_phrase(noun, self.one(["the", "the", "this", "my", "your", "our"]), many=many)

    def tense(self, verb: Verb, subject: Nominal) -> str:
        """A tense that suits the verb; was doing only of third persons."""
        aspect = self.tables["aspect"]
        lasting = verb.en in aspect["lasting"] and subject.person in ("il", "ils")
        tenses = ["past"] * 3 + ["progressive past"] * lasting
        if verb.en not in aspect["sudden"]:
            tenses += ["present"] * 3
        if verb.en not in aspect["timeless"]:
            tenses += ["future"] * 2
        return self.one(tenses)

    def time(self, tense: str) -> Text:
        """When: a time of that tense."""
        return self.pair(self.tables["time"][tense.removeprefix("progressive ")])

    def where(self, verb: Verb) -> Text:
        """A place where one does such a thing."""
        return self.spot(self.one(self.tables["where"][verb.en]))

    def spot(self, written: str) -> Text:
        """A place from its short form: under table."""
        noun = next(noun for name, noun in self.words.nouns.items() if written.endswith(" " + name))
        return place(written.removesuffix(noun.en).strip(), noun_phrase(noun, "the"))
