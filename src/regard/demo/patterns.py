"""The sentences of the demo corpus, one function a pattern."""

from collections.abc import Callable

from regard.demo import plans, questions
from regard.demo.choices import MASS, Choices
from regard.demo.english import comparative
from regard.demo.french import starts_with_vowel
from regard.demo.grammar import (
    CLITICS,
    IT,
    PRONOUNS,
    Clause,
    Nominal,
    Text,
    ask,
    attribute,
    infinitive,
    noun_phrase,
    place,
    say,
)

SAME = {"je": ("je", "nous"), "nous": ("je", "nous"), "vous": ("vous",)}  # not: I see us
ELLES = Nominal(Text("elles", "they"), "f", True, "ils", "their")  # where one sees who they are
BECAUSE = Text("parce que", "because")


def statement(choices: Choices) -> Text:
    """A plain clause; the time comes last, or first with a comma."""
    plan = choices.one(plans.PLANS)(choices)
    if plan.time.fr and choices.chance(0.3):
        return Text(plan.time.fr + ",", plan.time.en.capitalize() + ",").then(say(plan.clause)).sentence()
    return say(plan.clause).then(plan.time).sentence()


def habit(choices: Choices) -> Text:
    """Il mange toujours du pain. She never drinks any wine. We work every day."""
    adverb = choices.one([*choices.tables["adverbs"], "", ""])
    make = choices.one([plans.transitive, plans.transitive, plans.intransitive])
    clause = make(choices, negative=adverb == "never").clause
    if clause.verb.en not in choices.tables["aspect"]["usual"] or clause.complement.en.startswith(("a ", "an ")):
        return habit(choices)
    usual = say(clause._replace(tense="habit", adverb=adverb, negative=False))
    return (usual if adverb else usual.then(choices.pair(choices.tables["time"]["habit"]))).sentence()


def liking(choices: Choices) -> Text:
    """J'aime les pommes, I like apples: the article of what is liked in general is said in French only."""
    verb = choices.verb("like", "prefer")
    noun = choices.one(choices.nouns(("food", "meal", "drink", "pet")))
    phrase = noun_phrase(noun, "the", many=noun.kind not in MASS).text
    general = Text(phrase.fr, phrase.en.removeprefix("the "))
    tense = choices.one(["present", "present", "present", "past"])
    denied = verb.en == "like" and choices.chance(0.3)
    clause = Clause(choices.person(), verb, tense, denied, general)
    return say(clause).sentence() if denied or choices.chance(0.7) else ask(clause).sentence("?")


def modal(choices: Choices) -> Text:
    """Je veux manger une pomme, he can swim, you must leave."""
    verb = choices.verb("want", "can", "must", "like")
    denied = choices.chance(0.25)
    make = plans.intransitive if verb.en == "like" or choices.chance(0.5) else plans.transitive
    inner = make(choices, negative=denied).clause
    if inner.verb.simple or inner.verb.en in ("lose", "fall") or inner.subject.kind == "animal":
        return modal(choices)
    tense = "present" if verb.en == "must" else choices.one(["present", "present", "past"])
    done = infinitive(inner.verb, inner.complement)
    to = Text(done.fr, done.en if verb.en in ("can", "must") else f"to {done.en}")
    clause = Clause(inner.subject, verb, tense, denied, to)
    return ask(clause).sentence("?") if not denied and choices.chance(0.2) else say(clause).sentence()


def clitic(choices: Choices) -> Text:
    """Je la vois, she invited them: the pronoun stands before the French verb, the participle agrees with it."""
    whom = choices.one(list(CLITICS.values()))
    verb = choices.one([verb for verb in choices.words.verbs.values() if verb.whom])
    subject = choices.person()
    tense = choices.tense(verb, subject)
    has_participle = tense == "past" and not verb.state
    hidden = (
        whom.text.fr in ("le", "la") and starts_with_vowel(verb.fr) and not has_participle
    )  # je l'aide: him, or her?
    if hidden or whom.person in SAME.get(subject.person, ()):
        return clitic(choices)
    return say(Clause(subject, verb, tense, choices.chance(0.25), clitic=whom)).sentence()


def there_is(choices: Choices) -> Text:
    """Il y a un chat sous la table. There are two cats under the table."""
    kind = choices.one(["pet", "small", "thing", "thing"])
    noun = choices.one(choices.nouns(("thing", "paper", "clothes") if kind == "thing" else (kind,)))
    many = choices.chance(0.4)
    number = choices.one(["some", *choices.tables["numbers"]]) if many else "a"
    spots = choices.tables["spots"][kind]
    there = noun_phrase(noun, number, choices.adjectives(noun), many).text.then(choices.spot(choices.one(spots)))
    are = "are" if many else "is"
    if choices.chance(0.3):
        return Text("est-ce que il y a", f"{are} there").then(there).asked().sentence("?")
    return Text("il y a", f"there {are}").then(there).sentence()


def town(choices: Choices) -> Text:
    """Il y a une banque près de la gare. Marie habite à Paris."""
    if choices.chance(0.4):
        city = choices.pair(choices.tables["cities"])
        verb = choices.verb("live", "work", "arrive")
        subject = choices.person()
        clause = Clause(subject, verb, choices.tense(verb, subject), complement=Text("à", "in").then(city))
        return say(clause).sentence() if choices.chance(0.7) else ask(clause).sentence("?")
    first, second = choices.rng.sample(choices.words.of_kind("building"), 2)
    where = place(choices.one(["near", "behind", "in front of"]), noun_phrase(second, "the"))
    if choices.chance(0.4):
        clause = Clause(noun_phrase(first, "the"), choices.words.verbs["be"], "present", choices.chance(0.2), where)
        return say(clause).sentence()
    there = noun_phrase(first, "a", choices.adjectives(first)).text.then(where)
    if choices.chance(0.4):
        return Text("est-ce que il y a", "is there").then(there).sentence("?")
    return Text("il y a", "there is").then(there).sentence()


def giving(choices: Choices) -> Text:
    """Il donne un livre à Marie. He is giving a book to Marie."""
    verb = choices.verb("give")
    subject = choices.person()
    other = choices.one([choices.name, choices.kin])()
    thing = choices.thing(verb, subject)
    clause = Clause(
        subject, verb, choices.tense(verb, subject), complement=thing.text.then(Text("à", "to"), other.text)
    )
    return giving(choices) if other.text == subject.text else say(clause).sentence()


def command(choices: Choices) -> Text:
    """Ouvrez la porte. Ne fermez pas la fenêtre."""
    clause = plans.transitive(choices, negative=choices.chance(0.3)).clause
    verb, owned = clause.verb, {"his", "her", "our", "their"} & set(clause.complement.en.split())
    numbered = set(choices.tables["numbers"]) & set(clause.complement.en.split())
    if verb.en not in choices.tables["aspect"]["ordered"] or owned or numbered:
        return command(choices)
    fr, _ = say(clause._replace(tense="present", subject=PRONOUNS["you"]))
    order = infinitive(verb, clause.complement).en
    return Text(fr.removeprefix("vous "), f"do not {order}" if clause.negative else order).sentence()


def comparison(choices: Choices) -> Text:
    """Le lion est plus fort que le chat. Marie is happier than Paul."""
    first, second = (choices.name(), choices.one([choices.name, choices.kin])())
    if choices.chance(0.4):
        nouns = choices.rng.sample([noun for noun in choices.words.of_kind("animal") if noun.en != "animal"], 2)
        first, second = (noun_phrase(noun, "the") for noun in nouns)
    if first.text == second.text:
        return comparison(choices)
    adjective = choices.words.adjectives[choices.one(choices.tables["compared"][first.kind])]
    than = Text("que", "than").then(second.text)
    better = attribute(first, adjective)._replace(en=comparative(adjective))
    clause = Clause(first, choices.words.verbs["be"], complement=Text("plus " + better.fr, better.en).then(than))
    return say(clause).sentence() if choices.chance(0.75) else ask(clause).sentence("?")


def reason(choices: Choices) -> Text:
    """Marie n'a pas mangé la soupe parce qu'elle était froide (it) or parce qu'elle était malade (she)."""
    kinds, verbs, why_not = choices.one(
        [
            (("served",), ("eat",), ("cold", "hot")),
            (("clothes", "thing", "vehicle"), ("buy",), ("expensive",)),
            (("text",), ("read",), ("difficult", "long")),
        ]
    )
    noun = choices.one(choices.nouns(kinds))
    verb = choices.verb("drink" if noun.kind == "drink" else "eat" if noun.kind == "meal" else choices.one(verbs))
    subject = choices.one([choices.name, choices.kin, choices.person])()
    it = IT[noun.gender]
    about, words = (it, why_not) if choices.chance(0.5) else (standing_for(subject), ("tired", "sick", "nervous"))
    adjective = choices.words.adjectives[choices.one(words)]
    degree = choices.one([Text("trop", "too"), Text("trop", "too"), Text("très", "very"), Text()])
    be = Clause(about, choices.words.verbs["be"], "past", complement=attribute(about, adjective, degree))
    main = Clause(subject, verb, "past", True, noun_phrase(noun, "the").text)
    return say(main).then(BECAUSE, say(be)).sentence()


def standing_for(subject: Nominal) -> Nominal:
    """The pronoun that stands for a subject in the next clause."""
    if subject.text in [pronoun.text for pronoun in PRONOUNS.values()]:
        return subject
    if subject.many:
        return PRONOUNS["they"] if subject.gender == "m" else ELLES
    return PRONOUNS["he" if subject.gender == "m" else "she"]


def relative(choices: Choices) -> Text:
    """Le livre que Marie a acheté est cher. The boy who is sleeping in the garden is sad."""
    be = choices.words.verbs["be"]
    if choices.chance(0.5):
        plan = plans.intransitive(choices, negative=False).clause
        noun = choices.one(choices.words.of_kind("person", "child"))
        head = noun_phrase(noun, "the")
        inner = say(plan._replace(subject=head._replace(text=Text("qui", "who"))))
        adjective = choices.adjective(head.kind)
    else:
        verb = choices.verb("buy", "read", "write", "find", "sell", "forget", "wash", "wear")
        noun = choices.one(choices.nouns(sorted(verb.what - {"pet", "opening", "food", "meal", "drink"})))
        head = noun_phrase(noun, "the", many=choices.chance(0.2))
        moved = head._replace(text=Text())
        clause = Clause(choices.person(), verb, choices.one(["present", "past", "past"]), clitic=moved)
        inner = Text("que", "that").then(say(clause))
        adjective = choices.adjective(head.kind)
    subject = head._replace(text=head.text.then(inner))
    return say(Clause(subject, be, complement=attribute(head, adjective))).sentence()


def while_(choices: Choices) -> Text:
    """Le chat dormait quand Marie est arrivée. The cat was sleeping when Marie arrived."""
    background = plans.intransitive(choices, negative=False).clause
    if background.verb.simple or background.verb.en in ("fall", "stay", "come"):
        return while_(choices)
    verb = choices.verb("arrive", "leave")
    event = Clause(choices.one([choices.name, choices.kin, choices.pronoun])(), verb, "past")
    if event.subject.text.en in background.subject.text.en:
        return while_(choices)
    when = Text("quand", "when").then(say(event))
    return say(background._replace(tense="progressive past")).then(when).sentence()


def if_weather(choices: Choices) -> Text:
    """S'il pleut, nous resterons dans la maison. If it rains, we will stay in the house."""
    weather = choices.one([Text("si il pleut,", "if it rains,"), Text("si il neige,", "if it snows,")])
    verb = choices.verb("stay", "work", "sleep", "dance", "come", "leave")
    where = choices.where(verb) if verb.en in choices.tables["where"] else Text()
    clause = Clause(choices.person(), verb, "future", choices.chance(0.3), where)
    return weather.then(say(clause)).sentence()


PATTERNS: dict[Callable[[Choices], Text], int] = {  # and how often, in relation to the others
    statement: 30,
    questions.yes_or_no: 8,
    questions.why: 4,
    questions.when_or_where: 4,
    questions.who: 3,
    questions.what: 2,
    questions.asking_for: 3,
    habit: 6,
    liking: 5,
    modal: 7,
    clitic: 6,
    there_is: 4,
    town: 4,
    giving: 3,
    command: 4,
    comparison: 4,
    reason: 5,
    relative: 4,
    while_: 3,
    if_weather: 2,
}


def any_sentence(choices: Choices) -> Text:
    """A sentence of any pattern."""
    return choices.rng.choices(list(PATTERNS), list(PATTERNS.values()))[0](choices)
