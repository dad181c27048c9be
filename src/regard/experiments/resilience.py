"""How much of its BLEU a model keeps when the words of its sources are spoiled: what `missing` and `order` share."""

import functools
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from regard.config import Settings
from regard.decoding.translator import Translator
from regard.errors import InputError
from regard.evaluation import bleu, chrf
from regard.experiments.figure import MARKS, SERIES, legend, panels
from regard.experiments.finding import Rows, Step, Trial, share
from regard.experiments.interval import Interval, of_seeds
from regard.experiments.lesson import RNN, Lesson, corpus_of, teach
from regard.experiments.spoiling import Change, shuffled, spoiled, thinned, words_of
from regard.plots import SOFT
from regard.text.formats import Pairs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRANSFORMER, BLIND, RECURRENT = "Transformer", "Transformer without positions", "RNN with attention"
CLEAN, DROPOUT, SHUFFLED = "clean", "word dropout", "shuffled"
COPIES: Mapping[str, Change] = {  # training -> how the copy is spoiled that stands beside the clean pairs
    DROPOUT: functools.partial(thinned, share=0.2),
    SHUFFLED: shuffled,
}
ONE_LAYER: Settings = {  # as the RNN has
    "model.n_encoder_layers": 1,
    "model.n_decoder_layers": 1,
    "training.learning_rate": 1e-2,
}
MODELS: Mapping[str, Settings] = {
    TRANSFORMER: ONE_LAYER,
    BLIND: ONE_LAYER | {"model.positions": "none"},
    RECURRENT: RNN,
}


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is done."""

    seeds: int
    sentences: int  # of the test, at most
    updates: Mapping[str, int]  # of each model: about as many seconds of one core for each


QUICK = Effort(seeds=3, sentences=200, updates={TRANSFORMER: 600, BLIND: 600, RECURRENT: 300})
THOROUGH = Effort(seeds=5, sentences=1000, updates={TRANSFORMER: 2400, BLIND: 2400, RECURRENT: 1200})


class Student(NamedTuple):
    """A kind of model, and what it learned from."""

    model: str  # of MODELS
    training: str  # clean, or one of COPIES


@dataclass(frozen=True, kw_only=True)
class Question:
    """How the sources of the test are spoiled, and who translates them."""

    spoilings: Mapping[str, Change]  # name -> what happens to the words; the first one leaves them alone
    students: Sequence[Student]
    axis: str  # what the spoilings are, in words


class Outcome(NamedTuple):
    """What one student of one seed made of the test; the references are of the unspoiled sentences."""

    student: Student
    seed: int
    spoiling: str
    bleu: float
    chrf: float
    changed: float  # percent of the translations that are not those of the unspoiled sentences


Measure = Callable[[Outcome], float]


@dataclass(frozen=True)
class Answer:
    """All outcomes, and what follows from them."""

    question: Question
    outcomes: Sequence[Outcome]

    @functools.cached_property
    def by_place(self) -> dict[tuple[Student, str], list[Outcome]]:
        """The outcomes of each student with each spoiling, seed by seed."""
        places: dict[tuple[Student, str], list[Outcome]] = {}
        for outcome in self.outcomes:
            places.setdefault((outcome.student, outcome.spoiling), []).append(outcome)
        return places

    def interval(self, student: Student, spoiling: str, measure: Measure) -> Interval:
        """The measure over the seeds."""
        return of_seeds([measure(outcome) for outcome in self.by_place[student, spoiling]])

    def kept_by_seed(self, student: Student, spoiling: str) -> list[float]:
        """Percent of its BLEU that each seed keeps: BLEU of the spoiled sources to BLEU of the same model's others."""
        first = next(iter(self.question.spoilings))
        pairs = zip(self.by_place[student, spoiling], self.by_place[student, first], strict=True)
        return [100 * spoilt.bleu / clean.bleu if clean.bleu else 0.0 for spoilt, clean in pairs]

    def kept(self, student: Student, spoiling: str) -> Interval:
        """Percent of its BLEU that is kept, over the seeds."""
        return of_seeds(self.kept_by_seed(student, spoiling))

    def lead(self, one: Student, other: Student, spoiling: str) -> Interval:
        """How many points of percent `one` keeps more than the other, seed by seed."""
        pairs = zip(self.kept_by_seed(one, spoiling), self.kept_by_seed(other, spoiling), strict=True)
        return of_seeds([a - b for a, b in pairs])

    def gain(self, one: Student, other: Student, spoiling: str) -> Interval:
        """How much more BLEU `one` has than the other, seed by seed."""
        pairs = zip(self.by_place[one, spoiling], self.by_place[other, spoiling], strict=True)
        return of_seeds([a.bleu - b.bleu for a, b in pairs])


def measured(trial: Trial, question: Question) -> Generator[Step, None, Answer]:
    """Teaches all students, with each seed, and lets them translate each spoiling of the test."""
    effort, corpus = (QUICK if trial.quick else THOROUGH), corpus_of(trial)
    test = Pairs(*(side[: effort.sentences] for side in corpus.test))
    if all(len(words_of(line)) < 2 for line in test.source):
        raise InputError("The sources of --test have no spaces between their words; put some in: which are the words?")
    outcomes: list[Outcome] = []
    total, done = effort.seeds * len(question.students), 0
    for seed in range(trial.seed, trial.seed + effort.seeds):
        for student in question.students:
            given = MODELS[student.model] | {"training.updates": effort.updates[student.model]}
            lesson = Lesson(
                name=f"{student.model}-{student.training}-{seed}".lower().replace(" ", "-"), settings=given, seed=seed,
                train=training_pairs(corpus.train, student.training, seed), valid=corpus.valid,
            )  # fmt: skip
            what = f"{student.model}, {student.training}, seed {seed}"
            translator = yield from share(teach(trial, lesson), done, total, what)
            done += 1
            yield Step(done / total, f"{what}: translating")
            outcomes += examined(functools.partial(_texts, translator), student, test, question, seed)
    return Answer(question, outcomes)


def training_pairs(pairs: Pairs, training: str, seed: int) -> Pairs:
    """The pairs to learn from: clean, and where the training is another, a spoiled copy of them besides."""
    if training == CLEAN:
        return pairs
    return Pairs(pairs.source + spoiled(pairs.source, COPIES[training], seed), pairs.target * 2)


def examined(
    translate: Callable[[list[str]], list[str]], student: Student, test: Pairs, question: Question, seed: int
) -> Generator[Outcome, None, None]:
    """The outcome of each spoiling, in order."""
    unspoiled: list[str] = []
    for name, change in question.spoilings.items():
        texts = translate(spoiled(test.source, change, seed))
        unspoiled = unspoiled or texts
        changed = sum(text != other for text, other in zip(texts, unspoiled, strict=True)) / len(texts)
        scores = bleu(texts, test.target).score, chrf(texts, test.target).score
        yield Outcome(student, seed, name, *scores, 100 * changed)


def _texts(translator: Translator, sources: list[str]) -> list[str]:
    return [answer.text for answer in translator.translate(sources, beam_size=1, log_probs=False)]


def verdict(answer: Answer, spoiling: str, when: str) -> str:
    """Whether the RNN suffers more than the Transformer, both trained clean, in a sentence."""
    ours, theirs = Student(TRANSFORMER, CLEAN), Student(RECURRENT, CLEAN)
    lead = answer.lead(ours, theirs, spoiling)
    if not lead.apart:
        told = f"too little to tell who suffers more: the Transformer {_points(lead)}"
    elif lead.mean > 0:
        told = f"the RNN does suffer more: the Transformer {_points(lead)}"
    else:
        told = f"against the claim, it is the Transformer that suffers more: it {_points(lead)}"
    kept, its = (_percent(answer.kept(student, spoiling)) for student in (ours, theirs))
    return f"{when}, the Transformer keeps {kept} of its BLEU and the RNN {its}; {told}."


def both_gain(answer: Answer, training: str, spoiling: str) -> str:
    """How much more BLEU both architectures have by that training than clean, with that spoiling, in words."""
    ours, theirs = (
        answer.gain(Student(model, training), Student(model, CLEAN), spoiling) for model in (TRANSFORMER, RECURRENT)
    )
    return f"{signed(ours)} BLEU for the Transformer and {signed(theirs)} for the RNN"


def caveat(answer: Answer) -> str:
    """What the intervals are of, and against what the BLEU is measured."""
    seeds = len({outcome.seed for outcome in answer.outcomes})
    return f"(Intervals: 95 %, over {seeds} seeds. The references are of the unspoiled sentences.)"


def signed(interval: Interval) -> str:
    """As `+1.2 (-0.3 to +2.7)`."""
    return f"{interval.mean:+.1f} ({interval.low:+.1f} to {interval.high:+.1f})"


def _percent(interval: Interval) -> str:
    return f"{interval.mean:.0f} % ({interval.low:.0f} to {interval.high:.0f})"


def _points(lead: Interval) -> str:
    more = "more" if lead.mean > 0 else "less"
    size = lead if lead.mean > 0 else Interval(-lead.mean, -lead.high, -lead.low)
    return f"keeps {size} points {more}"


def tables(answer: Answer) -> dict[str, Rows]:
    """BLEU, chrF and what became of them: over the seeds, and of each."""
    measures: dict[str, Callable[[Student, str], Interval]] = {
        "BLEU": lambda student, name: answer.interval(student, name, lambda outcome: outcome.bleu),
        "chrF": lambda student, name: answer.interval(student, name, lambda outcome: outcome.chrf),
        "BLEU kept, %": answer.kept,
        "Translations that changed, %": lambda student, name: answer.interval(
            student, name, lambda outcome: outcome.changed
        ),
    }
    made: dict[str, Rows] = {title: _table(answer, measure) for title, measure in measures.items()}
    return made | {"Seed by seed": _seeds(answer)}


def _table(answer: Answer, measure: Callable[[Student, str], Interval]) -> Rows:
    return [
        _columns(student) | {name: str(measure(student, name)) for name in answer.question.spoilings}
        for student in answer.question.students
    ]


def _seeds(answer: Answer) -> Rows:
    rows: dict[tuple[Student, int], dict[str, Any]] = {}
    for outcome in answer.outcomes:
        begun = _columns(outcome.student) | {"seed": outcome.seed}
        rows.setdefault((outcome.student, outcome.seed), begun).update(
            {f"BLEU, {outcome.spoiling}": round(outcome.bleu, 2), f"chrF, {outcome.spoiling}": round(outcome.chrf, 2)}
        )
    return list(rows.values())


def _columns(student: Student) -> dict[str, Any]:
    return {"model": student.model, "training": student.training}


def figure(answer: Answer, title: str) -> "Figure":
    """BLEU against the spoilings, a panel for each training; and what of it those keep that were trained clean."""
    trainings = list(dict.fromkeys(student.training for student in answer.question.students))
    drawn = panels(
        title, [f"BLEU, trained {_how(training)}" for training in trainings] + ["BLEU kept, %, trained clean"]
    )
    names = list(answer.question.spoilings)
    for axes, training in zip(drawn.axes, [*trainings, CLEAN], strict=True):
        last = axes is drawn.axes[-1]
        for place, (model, colour, mark) in enumerate(zip(MODELS, SERIES, MARKS, strict=False)):
            student = Student(model, training)
            if student not in answer.question.students:
                continue
            values = [
                answer.kept(student, name) if last else answer.interval(student, name, lambda outcome: outcome.bleu)
                for name in names
            ]
            mean = [value.mean for value in values]
            reach = [[value.mean - value.low for value in values], [value.high - value.mean for value in values]]
            across = [number + 0.07 * (place - 1) for number in range(len(names))]  # so that no bar hides another
            axes.errorbar(across, mean, reach, color=colour, marker=mark, markersize=4, capsize=2, label=model)
        axes.set_ylim(0, 105)
        axes.set_xticks(range(len(names)), names)
        axes.set_xlabel(answer.question.axis, fontsize=8, color=SOFT)
    legend(drawn.axes[0])
    return drawn.figure


def _how(training: str) -> str:
    return training if training == CLEAN else f"also {'with ' * (training == DROPOUT)}{training}"
