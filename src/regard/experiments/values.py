"""A value of any width: what d_v gives in quality, and what it costs in weights and time."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from regard.config import EOS, Config, Settings, configure
from regard.evaluation import bleu
from regard.experiments.figure import MARKS, SERIES, panels
from regard.experiments.finding import Experiment, Finding, Rows, Step, Trial, share
from regard.experiments.interval import Interval, of_seeds
from regard.experiments.length import Middle, alternating, middle
from regard.experiments.lesson import SMALL, Lesson, corpus_of, teach
from regard.model.attention import attention
from regard.model.transformer import Transformer
from regard.plots import SOFT
from regard.training.learner import Learner
from regard.training.replica import Batch

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLAIM = "Queries and keys share a width, since they meet in a dot product; a value's width d_v is free."
WIDTHS = tuple(Fraction(times) for times in ("1/4", "1/2", "1", "2", "4"))  # d_v, in units of d_k
VOCABULARY = 1009  # of the models that are timed
WORDS, SENTENCES = 13, 23  # of the batch that they are timed on, a side


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much is tried."""

    learned: tuple[Fraction, ...]  # of WIDTHS: those that are trained
    seeds: int
    updates: int
    rounds: int  # of timing


QUICK = Extent(learned=(WIDTHS[0], WIDTHS[2], WIDTHS[4]), seeds=3, updates=500, rounds=9)
WIDE = Extent(learned=WIDTHS, seeds=5, updates=1500, rounds=31)


class Learned(NamedTuple):
    """How well one model translates the test sentences."""

    d_v: int
    seed: int
    bleu: float


class Cost(NamedTuple):
    """What a model of one width has and takes."""

    weights: int
    training: Middle  # seconds of an update
    encoding: Middle  # seconds of encoding the same sentences


def run(trial: Trial) -> Experiment:
    """Times models of all widths, one after the other in every round; trains some of them with several seeds."""
    extent = QUICK if trial.quick else WIDE
    corpus, learned = corpus_of(trial), []
    d_k = configure(SMALL).model.key_width
    yield Step(0, "timing")
    costs = _costs([int(times * d_k) for times in WIDTHS], extent.rounds, trial)
    parts = len(extent.learned) * extent.seeds
    for number in range(parts):
        d_v, seed = int(extent.learned[number % len(extent.learned)] * d_k), trial.seed + number // len(extent.learned)
        settings = _settings(d_v) | {"training.updates": extent.updates}
        lesson = Lesson(name=f"values-{d_v}", train=corpus.train, valid=corpus.valid, settings=settings, seed=seed)
        translator = yield from share(teach(trial, lesson), number, parts, f"d_v {d_v}")
        texts = [answer.text for answer in translator.translate(corpus.test.source)]
        learned.append(Learned(d_v, seed, bleu(texts, corpus.test.target).score))
    rows = _rows(learned, costs, d_k)
    tables = {
        f"One model a width, d_k = {d_k}": rows,
        "Each model, BLEU of the test sentences": [one._asdict() for one in learned],
    }
    conclusion = _conclude(rows, refusal(d_k), d_k, extent)
    return Finding(claim=CLAIM, conclusion=conclusion, tables=tables, figure=_draw(learned, costs, d_k))


def refusal(d_k: int) -> str:
    """What attention says to queries that are wider than the keys; nothing, if it takes them."""
    q, k, v = (torch.zeros(1, 1, 2, width) for width in (d_k + 1, d_k, d_k))
    try:
        attention(q, k, v)
    except ValueError as error:
        return str(error)
    return ""


def _settings(d_v: int) -> Settings:
    # At SMALL's rate, one of three models with the widest values hardly learned.
    return {"model.d_v": d_v, "training.learning_rate": 5e-3}


def _costs(widths: Sequence[int], rounds: int, trial: Trial) -> dict[int, Cost]:
    """What each width costs, on words drawn at random: which they are makes no difference to the time they take."""
    chance = torch.Generator().manual_seed(trial.seed)
    size = (SENTENCES, WORDS)
    source, target = (torch.randint(EOS + 1, VOCABULARY, size, generator=chance).to(trial.device) for _ in range(2))
    configs = {d_v: configure(SMALL | _settings(d_v)) for d_v in widths}
    learners = {str(d_v): _learner(config, trial) for d_v, config in configs.items()}
    batch = [Batch(source, target.roll(1, dims=1), target)]
    updates = {name: functools.partial(learner.update, batch, 1e-4) for name, learner in learners.items()}
    training = alternating(updates, rounds)
    encoders = {name: functools.partial(learner.model.eval().encode, source) for name, learner in learners.items()}
    with torch.inference_mode():
        encoding = alternating(encoders, rounds)
    return {
        d_v: Cost(sum(map(Tensor.numel, learner.model.parameters())), middle(training[name]), middle(encoding[name]))
        for d_v, (name, learner) in zip(widths, learners.items(), strict=True)
    }


def _learner(config: Config, trial: Trial) -> Learner:
    torch.manual_seed(trial.seed)
    return Learner(Transformer(config.model, VOCABULARY, VOCABULARY), config.training, trial.device)


def gains(learned: Sequence[Learned], d_k: int) -> dict[int, Interval]:
    """BLEU more than with d_v = d_k, for each other width: each seed's difference, and the interval over the seeds."""
    found = {(one.d_v, one.seed): one.bleu for one in learned}
    seeds = sorted({one.seed for one in learned})
    widths = sorted({one.d_v for one in learned} - {d_k})
    return {d_v: of_seeds([found[d_v, seed] - found[d_k, seed] for seed in seeds]) for d_v in widths}


def _rows(learned: Sequence[Learned], costs: Mapping[int, Cost], d_k: int) -> list[dict[str, Any]]:
    """A row a width; None where it was not trained."""
    more, rows = gains(learned, d_k), []
    for d_v, cost in costs.items():
        scores = [one.bleu for one in learned if one.d_v == d_v]
        row: dict[str, Any] = {"d_v": d_v, "d_v / d_k": str(Fraction(d_v, d_k))}
        row |= {"BLEU": of_seeds(scores).mean, "BLEU, 95 %": _span(of_seeds(scores))} if scores else _NOT_TRAINED
        gained = more.get(d_v)
        row |= {"more than d_v = d_k": gained and gained.mean, "more, 95 %": gained and _span(gained)}
        row |= {"told from none": gained and gained.apart, "weights": cost.weights}
        rows.append(row | _speed("training", cost.training) | _speed("encoding", cost.encoding))
    return rows


_NOT_TRAINED: dict[str, Any] = {"BLEU": None, "BLEU, 95 %": None}


def _speed(name: str, taken: Middle) -> dict[str, Any]:
    """Words a second: source and target in training, the source in encoding."""
    words = SENTENCES * WORDS * (2 if name == "training" else 1)
    middle = f"{words / taken.high:,.0f} to {words / taken.low:,.0f}"
    return {f"{name}, words/s": words / taken.median, f"{name}, its middle 80 %": middle}


def _span(over: Interval) -> str:
    return f"{over.low:.1f} to {over.high:.1f}"


def _conclude(rows: Rows, refused: str, d_k: int, extent: Extent) -> str:
    first, same, last = rows[0], next(row for row in rows if row["d_v"] == d_k), rows[-1]
    keys = (
        f'queries of width {d_k + 1} are refused: "{refused}"'
        if refused
        else f"queries of width {d_k + 1} are taken too."
    )
    compared = [
        f"{abs(row['more than d_v = d_k']):.1f} {'more' if row['more than d_v = d_k'] > 0 else 'less'} at "
        f"d_v = {row['d_v']} ({row['more, 95 %']}{'' if row['told from none'] else ', not to be told from none'})"
        for row in rows
        if row["more than d_v = d_k"] is not None
    ]
    ratios = {name: last[name] / first[name] for name in ("weights", "training, words/s", "encoding, words/s")}
    weights, training, encoding = ratios.values()
    holds = "holds" if refused else "holds for the values alone"
    return (
        f"The claim {holds}: values of width {first['d_v']} to {last['d_v']} work with keys of width {d_k}; {keys} "
        f"After {extent.updates} updates, BLEU is {same['BLEU']:.1f} ({same['BLEU, 95 %']}) with d_v = d_k, "
        f"{', '.join(compared)}; 95 % over {extent.seeds} seeds. From the narrowest to the widest there are "
        f"{weights:.2f} times as many weights, {training:.2f} times as many words a second in training, and "
        f"{encoding:.2f} times in encoding."
    )


def _draw(learned: Sequence[Learned], costs: Mapping[int, Cost], d_k: int) -> "Figure":
    names = ["BLEU", "weights, thousands", "training, words/s", "encoding, words/s"]
    drawn = panels(f"What a value's width gives and costs, d_k = {d_k}", names)
    scored, weighed, *timed = drawn.axes
    trained = sorted({one.d_v for one in learned})
    over = [of_seeds([one.bleu for one in learned if one.d_v == d_v]) for d_v in trained]
    _bars(scored, trained, [(one.mean, one.low, one.high) for one in over])
    scored.plot([one.d_v for one in learned], [one.bleu for one in learned], ".", color=SOFT, markersize=4)
    kilo = [cost.weights / 1000 for cost in costs.values()]
    _bars(weighed, list(costs), [(many, many, many) for many in kilo])
    weighed.set_ylim(bottom=0)
    for axes, name in zip(timed, ("training", "encoding"), strict=True):
        words = SENTENCES * WORDS * (2 if name == "training" else 1)
        times: list[Middle] = [getattr(cost, name) for cost in costs.values()]
        _bars(axes, list(costs), [(words / taken.median, words / taken.high, words / taken.low) for taken in times])
        axes.set_ylim(bottom=0)
    for axes in drawn.axes:
        axes.set_xscale("log", base=2)
        axes.set_xticks(list(costs), [str(d_v) for d_v in costs])
        axes.minorticks_off()
        axes.set_xlabel("d_v", fontsize=8, color=SOFT)
        axes.axvline(d_k, linestyle=":", color=SOFT, linewidth=1)
    return drawn.figure


def _bars(axes: "Axes", widths: Sequence[int], spans: Sequence[tuple[float, float, float]]) -> None:
    """A middle, and from where to where, for each width."""
    middles = [middle for middle, _, _ in spans]
    reach = [[middle - low for middle, low, _ in spans], [high - middle for middle, _, high in spans]]
    axes.errorbar(widths, middles, reach, color=SERIES[0], marker=MARKS[0], markersize=5, linewidth=1.4, capsize=3)
