"""French words in their forms: elision and contraction, agreement, plurals, conjugation."""

import re
from functools import cache
from typing import Literal

from regard.demo.lexicon import Adjective, Gender, Noun, Verb, lexicon

Person = Literal["je", "il", "nous", "vous", "ils"]
PERSONS: tuple[Person, ...] = ("je", "il", "nous", "vous", "ils")

ELIDED = {"le", "la", "je", "me", "se", "ne", "de", "que", "jusque"}
CONTRACTED = {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}
ENDINGS = {
    "imparfait": {"je": "ais", "il": "ait", "nous": "ions", "vous": "iez", "ils": "aient"},
    "future": {"je": "ai", "il": "a", "nous": "ons", "vous": "ez", "ils": "ont"},
}
PRESENT = {  # the three regular groups: je, il, nous, vous, ils, the stem of the future, the participle
    "er": ("e", "e", "ons", "ez", "ent", "er", "é"),
    "ir": ("is", "it", "issons", "issez", "issent", "ir", "i"),
    "re": ("s", "", "ons", "ez", "ent", "r", "u"),
}
FEMININE_ENDINGS = {"eux": "euse", "er": "ère", "ien": "ienne", "on": "onne", "if": "ive", "eur": "euse"}


@cache
def starts_with_vowel(word: str) -> bool:
    """Whether a word is said with a vowel first: a mute h counts, an aspirated h does not."""
    if word.casefold() in lexicon().aspirated:
        return False
    return re.match("[aeiouhàâéèêëîïôœù]", word.casefold()) is not None


def spell(text: str) -> str:
    """Words put together as they are written: le animal -> l'animal, de le pont -> du pont, de l'eau stays.

    Elision comes first, so that an elided article is never contracted; si is elided before il and ils only.
    """
    words: list[str] = []
    for word in reversed(text.split()):
        if words and word in ELIDED and starts_with_vowel(words[-1]):
            words[-1] = word[:-1] + "'" + words[-1]
        elif words and word == "si" and re.fullmatch("ils?", words[-1]):
            words[-1] = "s'" + words[-1]
        elif words and (word, words[-1]) in CONTRACTED:
            words[-1] = CONTRACTED[word, words[-1]]
        else:
            words.append(word)
    return " ".join(reversed(words))


def plural(word: str) -> str:
    """The plural of a noun or a masculine adjective: chat -> chats, cheval -> chevaux, souris stays."""
    if word.endswith(("s", "x", "z")):
        return word
    if word.endswith(("eau", "eu")) and word != "bleu":
        return word + "x"
    return word[:-2] + "aux" if word.endswith("al") else word + "s"


def feminine(word: str) -> str:
    """The feminine by rule: heureux -> heureuse, léger -> légère, fatigué -> fatiguée, triste stays."""
    if word.endswith("e"):
        return word
    for ending, other in FEMININE_ENDINGS.items():
        if word.endswith(ending):
            return word[: -len(ending)] + other
    return word + "e"


@cache
def agree(adjective: Adjective, gender: Gender, many: bool, before: str = "") -> str:
    """The adjective as its noun wants it; before a vowel (of the word `before`) bel, nouvel and vieil."""
    form = adjective.fr if gender == "m" else adjective.fr_feminine or feminine(adjective.fr)
    if many:
        return plural(form)
    if gender == "m" and before and starts_with_vowel(before):
        return {"beau": "bel", "nouveau": "nouvel", "vieux": "vieil"}.get(form, form)
    return form


def participle(verb: Verb, gender: Gender = "m", many: bool = False) -> str:
    """The past participle, agreed: arrivé, arrivée, arrivés, arrivées; pris stays pris in the plural."""
    form = forms(verb.head_fr)[6] + ("e" if gender == "f" else "")
    return plural(form) if many else form


def noun_form(noun: Noun, many: bool) -> str:
    """The noun in the singular or the plural."""
    return plural(noun.fr) if many else noun.fr


@cache
def determiner(name: str, gender: Gender, many: bool, before: str) -> str:
    """The French of an English determiner, in front of the word `before`: this -> ce, cet, cette or ces."""
    numbers: dict[str, str] = lexicon().tables["numbers"]
    if many:
        return MANY.get(name) or numbers[name]
    masculine, feminine_form = ONE[name]
    if gender == "m" or (name in ("my", "his", "her") and starts_with_vowel(before)):  # mon école
        return "cet" if name == "this" and starts_with_vowel(before) else masculine
    return feminine_form


ONE = {
    "the": ("le", "la"),
    "a": ("un", "une"),
    "some": ("de le", "de la"),
    "any": ("de", "de"),
    "this": ("ce", "cette"),
    "my": ("mon", "ma"),
    "your": ("votre", "votre"),
    "his": ("son", "sa"),
    "her": ("son", "sa"),
    "our": ("notre", "notre"),
    "their": ("leur", "leur"),
}
MANY = {
    "the": "les",
    "some": "des",
    "any": "de",
    "this": "ces",
    "my": "mes",
    "your": "vos",
    "his": "ses",
    "her": "ses",
    "our": "nos",
    "their": "leurs",
}


@cache
def forms(infinitive: str) -> tuple[str, ...]:
    """The present of je, il, nous (nous mangeons), vous, ils; the stem of the future; the past participle."""
    irregular = lexicon().conjugation.get(infinitive)
    if irregular:
        return tuple(irregular.split())
    stem, group = infinitive[:-2], infinitive[-2:]
    softened = {"g": stem + "e", "c": stem[:-1] + "ç"}.get(stem[-1], stem) if group == "er" else stem
    return tuple((softened if ending == "ons" else stem) + ending for ending in PRESENT[group])


@cache
def conjugate(infinitive: str, tense: str, person: Person) -> str:
    """One form of a simple tense: present, imparfait (on the stem of nous) or future."""
    parts = forms(infinitive)
    if tense == "present":
        return parts[PERSONS.index(person)]
    if tense == "future":
        return parts[5] + ENDINGS["future"][person]
    stem = "ét" if infinitive == "être" else parts[2].removesuffix("ons")
    if stem.endswith("ge") and person in ("nous", "vous"):
        stem = stem[:-1]  # mangions
    return stem + ENDINGS["imparfait"][person]
