"""Phrases and clauses, built once and said in both languages."""

import re
from typing import NamedTuple

from regard.demo import english, french
from regard.demo.french import Person
from regard.demo.lexicon import Adjective, Gender, Noun, Verb, lexicon

FRENCH_TENSES = {"habit": "present", "progressive past": "imparfait"}


class Text(NamedTuple):
    """The same words in both languages; the French is not yet elided and contracted."""

    fr: str = ""
    en: str = ""

    def then(self, *others: "Text") -> "Text":
        """This text followed by others."""
        fr, en = zip(*(text for text in (self, *others) if text.fr), strict=True)
        return Text(" ".join(fr), " ".join(en))

    def asked(self) -> "Text":
        """The same in a question, where some is any."""
        return Text(self.fr, re.sub(r"\bsome\b", "any", self.en))

    def sentence(self, mark: str = ".") -> "Text":
        """A sentence as it is written: French spelling, capitals, the final mark (a French one after a space)."""
        fr = french.spell(self.fr)
        return Text(fr[0].upper() + fr[1:] + mark.replace("?", " ?"), self.en[0].upper() + self.en[1:] + mark)


NOTHING = Text()


class Nominal(NamedTuple):
    """What a clause can speak of: the words, and what verb and adjectives agree with. owner: my for I, her for Anne."""

    text: Text
    gender: Gender = "m"
    many: bool = False
    person: Person = "il"
    owner: str = ""
    kind: str = "person"


class Clause(NamedTuple):
    """Who does what. Tenses: present, habit, past, progressive past, future; adverb: always, often, never."""

    subject: Nominal
    verb: Verb
    tense: str = "present"
    negative: bool = False
    complement: Text = NOTHING
    adverb: str = ""
    clitic: Nominal | None = None  # an object that stands before the French verb; the participle agrees with it


PRONOUNS = {
    "I": Nominal(Text("je", "I"), person="je", owner="my"),
    "you": Nominal(Text("vous", "you"), person="vous", owner="your"),
    "he": Nominal(Text("il", "he"), owner="his"),
    "she": Nominal(Text("elle", "she"), "f", owner="her"),
    "we": Nominal(Text("nous", "we"), many=True, person="nous", owner="our"),
    "they": Nominal(Text("ils", "they"), many=True, person="ils", owner="their"),
}
CLITICS = {
    "me": Nominal(Text("me", "me"), person="je"),
    "you": Nominal(Text("vous", "you"), person="vous"),
    "him": Nominal(Text("le", "him")),
    "her": Nominal(Text("la", "her"), "f"),
    "us": Nominal(Text("nous", "us"), many=True, person="nous"),
    "them": Nominal(Text("les", "them"), many=True, person="ils"),
}
IT = {"m": Nominal(Text("il", "it"), "m"), "f": Nominal(Text("elle", "it"), "f")}


def noun_phrase(noun: Noun, name: str, adjectives: tuple[Adjective, ...] = (), many: bool = False) -> Nominal:
    """Determiner, adjectives and noun: une petite maison rouge, a small red house; de belles robes, not des."""
    before = [adjective for adjective in adjectives if adjective.before]
    after = [adjective for adjective in adjectives if not adjective.before]
    word = french.noun_form(noun, many)
    front = [french.agree(adjective, noun.gender, many, word) for adjective in before]
    back = [french.agree(adjective, noun.gender, many) for adjective in after]
    name_fr = "any" if name == "some" and many and before else name
    fr = [french.determiner(name_fr, noun.gender, many, [*front, word][0]), *front, word, *back]
    en = [adjective.en for adjective in before + after] + [english.noun_form(noun, many)]
    name_en = english.article(en[0]) if name == "a" else {"this": "these"}.get(name, name) if many else name
    owner = "their" if many else "his" if noun.gender == "m" else "her"
    kind = "person" if noun.kind == "kin" else noun.kind
    return Nominal(
        Text(" ".join(fr), " ".join([name_en, *en])), noun.gender, many, "ils" if many else "il", owner, kind
    )


def proper(name: str, gender: Gender) -> Nominal:
    """A person by name."""
    return Nominal(Text(name, name), gender, owner="his" if gender == "m" else "her")


def both(first: Nominal, second: Nominal) -> Nominal:
    """Two together: the feminine only where both are."""
    gender: Gender = "f" if first.gender == second.gender == "f" else "m"
    return Nominal(first.text.then(Text("et", "and"), second.text), gender, True, "ils", "their")


def belonging(noun: Noun, owner: Nominal) -> Nominal:
    """Marie's dog, le chien de Marie."""
    phrase = noun_phrase(noun, "the")
    return phrase._replace(text=Text(f"{phrase.text.fr} de {owner.text.fr}", f"{owner.text.en}'s {noun.en}"))


def attribute(subject: Nominal, adjective: Adjective, degree: Text = NOTHING) -> Text:
    """The adjective said of a subject: très fatiguée, very tired."""
    return degree.then(Text(french.agree(adjective, subject.gender, subject.many), adjective.en))


def place(preposition: str, phrase: Nominal) -> Text:
    """Where something is: près de le pont, near the bridge."""
    return Text(lexicon().tables["prepositions"][preposition], preposition).then(phrase.text)


def feeling(name: str, degree: Text = NOTHING) -> Verb:
    """To be hungry, as a verb: avoir très faim, be very hungry."""
    felt = degree.then(Text(lexicon().tables["feelings"][name], name))
    return Verb(f"be {felt.en}", f"avoir {felt.fr}", simple=True, state=True)


def infinitive(verb: Verb, complement: Text = NOTHING) -> Text:
    """The bare infinitive and what follows it: manger une pomme, eat an apple."""
    return Text(verb.fr, verb.en).then(complement)


def say_french(clause: Clause) -> str:
    """Subject, ne, pronoun, finite verb, pas or jamais, participle, the rest (not yet elided)."""
    verb, subject, clitic = clause.verb, clause.subject, clause.clitic
    tense = FRENCH_TENSES.get(clause.tense, clause.tense)
    done = ""
    if tense == "past" and verb.state:
        finite = french.conjugate(verb.head_fr, "imparfait", subject.person)
    elif tense == "past":
        agreeing = subject if verb.etre else clitic or Nominal(Text())
        finite = french.conjugate("être" if verb.etre else "avoir", "present", subject.person)
        done = french.participle(verb, agreeing.gender, agreeing.many)
    else:
        finite = french.conjugate(verb.head_fr, tense, subject.person)
    ne = "ne" if clause.negative or clause.adverb == "never" else ""
    pas = "pas" if clause.negative else lexicon().tables["adverbs"].get(clause.adverb, "")
    words = [
        subject.text.fr,
        ne,
        clitic.text.fr if clitic else "",
        finite,
        pas,
        done,
        verb.rest_fr,
        clause.complement.fr,
    ]
    return " ".join(word for word in words if word)


def say_english(clause: Clause, asking: bool = False) -> str:
    """Subject, operator, not or adverb, verb, the rest; in a question the operator comes first."""
    verb, subject = clause.verb, clause.subject
    parts = english.group(verb, clause.tense, subject.person)
    middle = "not" if clause.negative else clause.adverb
    tail = [verb.rest_en, clause.clitic.text.en if clause.clitic else "", clause.complement.en]
    if asking:
        words = [parts.operator, subject.text.en, middle, parts.rest, *tail]
    elif clause.negative or parts.operator not in ("do", "does", "did"):
        words = [subject.text.en, parts.operator, middle, parts.rest, *tail]
    else:
        words = [subject.text.en, middle, english.merge(verb, parts), *tail]
    return " ".join(word for word in words if word).replace("can not", "cannot")


def say(clause: Clause) -> Text:
    """The clause as a statement."""
    return Text(say_french(clause), say_english(clause))


def ask(clause: Clause, word: Text = NOTHING) -> Text:
    """The clause as a question, with or without a question word: pourquoi est-ce que ..., why ..."""
    return word.then(Text("est-ce que " + say_french(clause), say_english(clause, asking=True)).asked())
