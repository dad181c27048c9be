"""English words in their forms: a and an, plurals, the forms of a verb, comparatives."""

from functools import cache
from typing import NamedTuple

from regard.demo.lexicon import Adjective, Noun, Verb, lexicon

DOUBLED = ("run", "swim", "forget", "prefer")


def article(before: str) -> str:
    """a or an, by the sound that follows: an hour, a university."""
    vowel = before[0] in "aeiou" and not before.startswith(("uni", "use", "eu", "one"))
    return "an" if vowel or before.startswith(("hour", "honest")) else "a"


def add_s(word: str) -> str:
    """The plural of a noun, and the third person of a verb: box -> boxes, story -> stories, goes."""
    if word.endswith(("s", "x", "ch", "sh", "o")) and word not in ("piano", "photo"):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def noun_form(noun: Noun, many: bool) -> str:
    """The noun in the singular or the plural."""
    return (lexicon().plurals.get(noun.en) or add_s(noun.en)) if many else noun.en


def ing(verb: str) -> str:
    """The progressive form: eat -> eating, write -> writing, run -> running."""
    if verb in DOUBLED:
        return verb + verb[-1] + "ing"
    if verb.endswith("e") and verb not in ("be", "see"):
        return verb[:-1] + "ing"
    return verb + "ing"


def past(verb: Verb) -> str:
    """The simple past: given where irregular, otherwise -ed."""
    if verb.past:
        return verb.past
    head = verb.head_en
    if head in DOUBLED:
        return head + head[-1] + "ed"
    if head.endswith("e"):
        return head + "d"
    return head[:-1] + "ied" if head.endswith("y") and head[-2] not in "aeiou" else head + "ed"


def third(verb: str) -> str:
    """The third person singular of the present."""
    return {"have": "has", "be": "is", "can": "can", "must": "must"}.get(verb) or add_s(verb)


def comparative(adjective: Adjective) -> str:
    """stronger, happier; more famous."""
    word = adjective.en
    if word not in lexicon().comparatives:
        return f"more {word}"
    if word == "big":
        return "bigger"
    if word == "sad":
        return "sadder"
    return word[:-1] + "ier" if word.endswith("y") and word != "shy" else word.removesuffix("e") + "er"


class Group(NamedTuple):
    """A verb group cut where a question turns it round and a negation enters: did | eat, is | eating, was | ."""

    operator: str
    rest: str


def be(tense: str, person: str) -> str:
    """The verb be in the present or the past."""
    if tense == "present":
        return {"je": "am", "il": "is"}.get(person, "are")
    return "was" if person in ("je", "il") else "were"


@cache
def group(verb: Verb, tense: str, person: str) -> Group:
    """The operator and the rest, for each tense; habit is the simple present of what is otherwise progressive."""
    head = verb.head_en
    if head in ("can", "must"):
        return Group("could" if tense == "past" else head, "")
    if tense == "future":
        return Group("will", head)
    if head == "be":
        return Group(be(tense, person), "")
    if tense == "progressive past":
        return Group(be("past", person), ing(head))
    if tense == "present" and not verb.simple:
        return Group(be("present", person), ing(head))
    if tense == "past":
        return Group("did", head)
    return Group("does" if person == "il" else "do", head)


def merge(verb: Verb, parts: Group) -> str:
    """The group of a plain statement, in which do is not said: did eat -> ate."""
    if parts.operator == "did":
        return past(verb)
    if parts.operator == "does":
        return third(verb.head_en)
    if parts.operator == "do":
        return parts.rest
    return f"{parts.operator} {parts.rest}".strip()
