"""The words of the demo corpus, read from lexicon.toml."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

Gender = Literal["m", "f"]


class Noun(NamedTuple):
    """A noun in both languages, with its French gender and what kind of thing it is."""

    en: str
    fr: str
    gender: Gender
    kind: str


class Adjective(NamedTuple):
    """An adjective in both languages: the French masculine, and the feminine where no rule gives it."""

    en: str
    fr: str
    fr_feminine: str = ""
    before: bool = False
    kinds: frozenset[str] = frozenset()


class Verb(NamedTuple):
    """A verb in both languages; of `look for` and `entrer dans` the head is what is conjugated, the rest follows it."""

    en: str
    fr: str
    past: str = ""
    who: frozenset[str] = frozenset()
    what: frozenset[str] = frozenset()
    whom: bool = False
    simple: bool = False
    state: bool = False
    etre: bool = False

    @property
    def head_en(self) -> str:
        """The word that is conjugated in English."""
        return self.en.split()[0]

    @property
    def rest_en(self) -> str:
        """What follows it: the for of look for."""
        return " ".join(self.en.split()[1:])

    @property
    def head_fr(self) -> str:
        """The word that is conjugated in French."""
        return self.fr.split()[0]

    @property
    def rest_fr(self) -> str:
        """What follows it: the dans of entrer dans."""
        return " ".join(self.fr.split()[1:])


class Lexicon(NamedTuple):
    """Every word, by its English."""

    nouns: dict[str, Noun]
    adjectives: dict[str, Adjective]
    verbs: dict[str, Verb]
    conjugation: dict[str, str]
    plurals: dict[str, str]
    comparatives: frozenset[str]
    aspirated: frozenset[str]
    tables: dict[str, Any]

    def of_kind(self, *kinds: str) -> list[Noun]:
        """The nouns of these kinds."""
        return [noun for noun in self.nouns.values() if noun.kind in kinds]


def read_noun(en: str, fr: str, kind: str) -> Noun:
    """A noun from its French with the article: une souris."""
    article, word = fr.split(maxsplit=1)
    return Noun(en, word, "m" if article == "un" else "f", kind)


def read_adjective(en: str, fr: str, before: bool = False, kinds: str = "") -> Adjective:
    """An adjective from its French: petit, or beau belle."""
    masculine, _, feminine = fr.partition(" ")
    return Adjective(en, masculine, feminine, before, frozenset(kinds.split()))


def read_verb(en: str, entry: dict[str, Any]) -> Verb:
    """A verb from its table; a state is always simple (I know, never I am knowing)."""
    kinds = {key: frozenset(entry.get(key, "").split()) for key in ("who", "what")}
    verb = Verb(en, **{**entry, **kinds})
    return verb._replace(simple=verb.simple or verb.state)


@cache
def lexicon() -> Lexicon:
    """The lexicon, read once."""
    raw = tomllib.loads(files("regard.demo").joinpath("lexicon.toml").read_text(encoding="utf-8"))
    return Lexicon(
        nouns={en: read_noun(en, fr, kind) for kind, words in raw["nouns"].items() for en, fr in words.items()},
        adjectives={
            en: read_adjective(en, before=place == "before", **entry)
            for place, words in raw["adjectives"].items()
            for en, entry in words.items()
        },
        verbs={en: read_verb(en, entry) for en, entry in raw["verbs"].items()},
        conjugation=raw["conjugation"],
        plurals=raw["plurals"],
        comparatives=frozenset(raw["comparatives"]["words"]),
        aspirated=frozenset(raw["aspirated"]),
        tables=raw,
    )
