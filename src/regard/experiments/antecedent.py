"""What "it" is: the pronoun of a translation, what heads and methods give to its noun, and what decides it."""

from collections.abc import Callable, Generator, Mapping
from random import Random

from regard.config import Settings
from regard.decoding.translator import Translator
from regard.demo.antecedents import question, scene_of
from regard.demo.corpus import DemoCorpus, casual, demo_corpus
from regard.demo.family import Contrast
from regard.demo.grammar import Text
from regard.demo.lexicon import lexicon
from regard.evaluation import bleu
from regard.experiments.finding import Corpus, Experiment, Finding, Step, Trial, share
from regard.experiments.lesson import Lesson, teach
from regard.experiments.pronouns_told import (
    AS_IT_IS,
    BEHIND,
    EXCHANGED,
    NOUN,
    OTHER,
    REASON,
    RULES,
    Seen,
    conclude,
    draw,
    tables_of,
)
from regard.looking.antecedents import antecedents
from regard.looking.hiding import hidden, written
from regard.looking.pronouns import Asked, Question, ask
from regard.looking.segments import pieces_of
from regard.text.formats import Pairs

CLAIM = (
    'Attention finds what "it" stands for: where the animal "was too tired", it is the animal; "too wide", the street.'
)
SETTINGS: Settings = {"text.tokenizer": "word", "text.joint": False, "text.vocabulary": 2600}  # every word of the demo
UPDATES, MANY_UPDATES = 1200, 3000
MODELS, MANY_MODELS = 3, 7
QUESTIONS, MANY_QUESTIONS = 100, 300  # for heads and methods: one half to choose on, the other to count on


def run(trial: Trial) -> Experiment:
    """Teaches a few models the demo's English and French, and puts the pronoun family to each."""
    made, seen = demo_corpus(1), list[Seen]()
    count = MODELS if trial.quick else MANY_MODELS
    for number in range(count):
        seen.append((yield from share(_one(trial, made, number), number, count, f"model {number + 1}")))
    asked = QUESTIONS if trial.quick else MANY_QUESTIONS
    tables = tables_of(seen, len(made.contrasts), min(asked, len(made.contrasts)))
    return Finding(claim=CLAIM, conclusion=conclude(tables, count), tables=tables, figure=draw(tables, seen))


def english_to_french(made: DemoCorpus) -> Corpus:
    """The demo's pairs the other way, for it is French that must choose between il and elle."""
    return Corpus(*(Pairs(part.target, part.source) for part in (made.train, made.valid, made.test)))


def lesson(trial: Trial, corpus: Corpus, number: int) -> Lesson:
    """What model `number` is taught here; of the user's own corpus, in pieces, for it may have any number of words."""
    settings = {} if trial.corpus else SETTINGS
    updates = UPDATES if trial.quick else MANY_UPDATES
    name = "yours" if trial.corpus else "en-fr"
    given = settings | {"training.updates": updates}
    return Lesson(name=name, train=corpus.train, valid=corpus.valid, settings=given, seed=trial.seed + number)


def _one(trial: Trial, made: DemoCorpus, number: int) -> Generator[Step, None, Seen]:
    corpus = english_to_french(made)
    translator = yield from share(teach(trial, lesson(trial, corpus, number)), 0, 2)
    yield Step(0.5, "translating")
    answers = translator.translate(corpus.test.source, beam_size=1)
    score = bleu([answer.text for answer in answers], corpus.test.target).score
    family = [_Member(translator, contrast, number) for number, contrast in enumerate(made.contrasts)]
    asked = [one.asked for one in family]
    yield Step(0.55, "hiding words")
    without_words = {
        (what, RULES[rule]): hidden(translator, asked, [one.places[what] for one in family], rule)
        for what in (AS_IT_IS, NOUN, OTHER, REASON)
        for rule in (RULES if what != AS_IT_IS else list(RULES)[:1])
    }
    yield Step(0.6, "moving words")
    encode = translator.tokenizer.encode_source
    moved = {
        name: written(translator, asked, [encode(move(one.contrast)) for one in family]) for name, move in MOVES.items()
    }
    questions = [one.question for one in family[: QUESTIONS if trial.quick else MANY_QUESTIONS]]
    half = len(questions) // 4 * 2  # twins stay together
    yield Step(0.65, "asking heads and methods")
    first = antecedents(translator, questions[:half])
    yield Step(0.82, "asking them again, of other sentences")
    return Seen(score, (first, antecedents(translator, questions[half:])), without_words, moved)


class _Member:
    """A sentence of the family, as text and in pieces."""

    def __init__(self, translator: Translator, contrast: Contrast, number: int) -> None:
        self.contrast = contrast
        self.question: Question = question(contrast, Random(number))
        self.asked: Asked = ask(translator, self.question, None)
        names = translator.tokenizer.source.pieces(self.asked.source)
        reason = pieces_of(names, scene_of(contrast)[1])
        self.places = {AS_IT_IS: [], NOUN: self.asked.nouns[0], OTHER: self.asked.nouns[1], REASON: reason}


def exchanged(contrast: Contrast) -> str:
    """The street did not cross the animal because it was too tired."""
    other = {contrast.antecedent: contrast.other, contrast.other: contrast.antecedent}
    return " ".join(other.get(word, word) for word in contrast.source.split())


def later(contrast: Contrast) -> str:
    """Yesterday, the animal did not cross the street because it was too tired."""
    times: Mapping[str, str] = lexicon().tables["time"][scene_of(contrast)[0].tenses[0]]
    return f"{next(iter(times)).capitalize()}, {contrast.source[0].lower()}{contrast.source[1:]}"


def reason_first(contrast: Contrast) -> str:
    """because it was too tired the animal did not cross the street: as one types in a hurry, for no sentence of the
    demo begins with Because."""
    deed, reason = casual(Text(contrast.right, contrast.source)).en.split(" because ")
    return f"because {reason} {deed}"


MOVES: dict[str, Callable[[Contrast], str]] = {
    "nothing": lambda contrast: contrast.source,
    BEHIND: later,
    "the reason, to the front": reason_first,
    EXCHANGED: exchanged,
}
