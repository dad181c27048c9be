"""The questions of the demo corpus, one function a pattern."""

from regard.demo import plans
from regard.demo.choices import Choices
from regard.demo.grammar import PRONOUNS, Clause, Nominal, Text, ask, noun_phrase, say

WHO = Nominal(Text("qui", "who"))


def asked(clause: Clause) -> Clause:
    """The clause as one asks it: of you, not of oneself."""
    return clause._replace(subject=PRONOUNS["you"]) if clause.subject.person == "je" else clause


def yes_or_no(choices: Choices) -> Text:
    """Est-ce que le chat dort ? Is the cat sleeping?"""
    plan = choices.one(plans.PLANS)(choices, negative=False)
    return ask(asked(plan.clause)).then(plan.time).sentence("?")


def why(choices: Choices) -> Text:
    """Pourquoi est-ce que le chat dort ? Why is the cat sleeping?"""
    plan = choices.one(plans.PLANS)(choices, negative=False)
    return ask(asked(plan.clause), Text("pourquoi", "why")).sentence("?")


def when_or_where(choices: Choices) -> Text:
    """Quand est-ce que le train partira ? Where do you live?"""
    if choices.chance(0.5):
        clause = plans.moving(choices, negative=False).clause
        word = Text("quand", "when")
        clause = clause._replace(tense=choices.one(["past", "future"]))
    else:
        verb = choices.verb("work", "live", "sleep", "play", "go")
        word = Text("où", "where")
        subject = choices.subject(verb)
        clause = Clause(subject, verb, choices.tense(verb, subject))
    return ask(asked(clause), word).sentence("?")


def who(choices: Choices) -> Text:
    """Qui mange la pomme ? Who is eating the apple?"""
    clause = plans.transitive(choices, negative=False).clause
    if clause.subject.owner and f" {clause.subject.owner} " in f" {clause.complement.en} ":
        return who(choices)
    return say(clause._replace(subject=WHO)).sentence("?")


def what(choices: Choices) -> Text:
    """Qu'est-ce que le garçon mange ? What is the boy eating?"""
    verbs = [verb for verb in choices.words.verbs.values() if verb.what and not verb.rest_fr and "person" in verb.who]
    verb = choices.one([verb for verb in verbs if not verb.whom])
    subject = choices.person()
    clause = Clause(subject, verb, choices.tense(verb, subject))
    question = ask(asked(clause))
    return Text("qu'" + question.fr, "what " + question.en).sentence("?")


def asking_for(choices: Choices) -> Text:
    """Où est la gare ? Combien coûte ce livre ?"""
    if choices.chance(0.5):
        thing = choices.holder(("building", "thing", "clothes", "paper", "vehicle", "pet"))
        be = choices.words.verbs["be"]
        clause = Clause(thing, be)
        verb = "sont" if thing.many else "est"
        return Text(f"où {verb} {thing.text.fr}", f"where {ask(clause).en}").sentence("?")
    noun = choices.one(choices.words.of_kind("clothes", "thing", "vehicle", "furniture", "food"))
    thing = noun_phrase(noun, choices.one(["the", "this"]), choices.adjectives(noun), many=choices.chance(0.3))
    cost, do = ("coûtent", "do") if thing.many else ("coûte", "does")
    return Text(f"combien {cost} {thing.text.fr}", f"how much {do} {thing.text.en} cost").sentence("?")
