"""The plain clauses of the demo corpus: each can be stated, denied, asked, and put at a time."""

from typing import NamedTuple

from regard.demo.choices import DEGREES, Choices
from regard.demo.english import add_s, article
from regard.demo.french import plural
from regard.demo.grammar import Clause, Text, attribute, feeling, noun_phrase, place

THINGS = ("building", "room", "furniture", "clothes", "thing", "vehicle", "paper", "meal", "drink")


class Plan(NamedTuple):
    """A clause, and when."""

    clause: Clause
    time: Text = Text()


def timed(choices: Choices, clause: Clause) -> Plan:
    """The clause, at times with a time."""
    return Plan(clause, choices.time(clause.tense) if choices.chance(0.25) and not clause.verb.state else Text())


def transitive(choices: Choices, negative: bool | None = None) -> Plan:
    """Somebody does something to something."""
    verb = choices.one([verb for verb in choices.words.verbs.values() if verb.what and verb.en != "give"])
    denied = choices.chance(0.25) if negative is None else negative
    subject = choices.subject(verb) if verb.what & {"food", "animal", "path"} else choices.person()
    thing = choices.thing(verb, subject, denied)
    return timed(choices, Clause(subject, verb, choices.tense(verb, subject), denied, thing.text))


def intransitive(choices: Choices, negative: bool | None = None) -> Plan:
    """Somebody does something somewhere."""
    verb = choices.verb(*choices.tables["where"])
    denied = choices.chance(0.2) if negative is None else negative
    where = choices.where(verb) if verb.simple or choices.chance(0.7) else Text()
    subject = choices.subject(verb)
    return timed(choices, Clause(subject, verb, choices.tense(verb, subject), denied, where))


def moving(choices: Choices, negative: bool | None = None) -> Plan:
    """Somebody goes somewhere, arrives or leaves."""
    verb = choices.verb("go", "go", "come", "arrive", "leave")
    denied = choices.chance(0.2) if negative is None else negative
    building = noun_phrase(choices.one(choices.words.of_kind("building")), "the").text
    where = {"go": Text("à", "to").then(building), "come": Text("de", "from").then(building)}.get(verb.en, Text())
    subject = choices.subject(verb)
    return timed(choices, Clause(subject, verb, choices.tense(verb, subject), denied, where))


def describing(choices: Choices, negative: bool | None = None) -> Plan:
    """Somebody or something is so."""
    be, draw = choices.words.verbs["be"], choices.rng.random()
    subject = choices.person() if draw < 0.45 else choices.animal() if draw < 0.6 else choices.holder(THINGS)
    denied = choices.chance(0.2) if negative is None else negative
    adjective = choices.adjective(subject.kind)
    degrees = DEGREES if negative is None and not denied else DEGREES[:3]  # nobody asks: is she too old?
    degree = choices.one(degrees[:1] if "colour" in adjective.kinds else degrees)
    tenses = ["present", "present", "past"] + ["future"] * (adjective.en in choices.tables["passing"]["words"])
    complement = attribute(subject, adjective, degree)
    return Plan(Clause(subject, be, choices.one(tenses), denied, complement))


def needing(choices: Choices, negative: bool | None = None) -> Plan:
    """Somebody is hungry: avoir faim."""
    verb = feeling(choices.one(list(choices.tables["feelings"])), choices.one(DEGREES[:3]))
    denied = choices.chance(0.25) if negative is None else negative
    return Plan(Clause(choices.person(), verb, choices.one(["present", "past", "future"]), denied))


def profession(choices: Choices, negative: bool | None = None) -> Plan:
    """Somebody is a student: étudiant, étudiante, without an article."""
    draw = choices.rng.random()
    subject = choices.pronoun() if draw < 0.5 else choices.name() if draw < 0.75 else choices.kin()
    en, both_fr = choices.one(list(choices.tables["professions"].items()))
    fr = both_fr.split()[subject.gender == "f"]
    complement = Text(plural(fr), add_s(en)) if subject.many else Text(fr, f"{article(en)} {en}")
    denied = choices.chance(0.15) if negative is None else negative
    tense = choices.one(["present", "present", "present", "past", "future"])
    return Plan(Clause(subject, choices.words.verbs["be"], tense, denied, complement))


def location(choices: Choices, negative: bool | None = None) -> Plan:
    """Something is somewhere."""
    subject = choices.holder(("thing", "paper", "clothes"))
    where = place(choices.one(["on", "under", "behind"]), noun_phrase(choices.one(choices.nouns(["furniture"])), "the"))
    denied = choices.chance(0.15) if negative is None else negative
    return Plan(Clause(subject, choices.words.verbs["be"], choices.one(["present", "present", "past"]), denied, where))


PLANS = (*[transitive] * 3, *[intransitive] * 2, moving, *[describing] * 2, needing, profession, location)
