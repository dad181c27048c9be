"""How many heads are needed, and what for: heads switched off one after the other, and the parts that they play."""

import itertools
import statistics
from collections.abc import Generator, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from regard.decoding.translator import Translator
from regard.demo.corpus import demo_corpus
from regard.evaluation import bleu
from regard.experiments.antecedent import english_to_french, lesson
from regard.experiments.figure import MARKS, SERIES, legend, panels
from regard.experiments.finding import Corpus, Experiment, Finding, Rows, Step, Trial, share
from regard.experiments.interval import of_seeds
from regard.experiments.lesson import teach
from regard.looking.blocks import Kind, sentences
from regard.looking.heads import importance
from regard.looking.roles import Part, parts
from regard.looking.steering import HeadChange, HeadPlace, changed
from regard.plots import INK, SOFT
from regard.text.formats import Pairs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLAIM = "Many heads look at once, each for something of its own: which of them does a translation need?"
MODELS, MANY_MODELS = 3, 7
DRAWS, MANY_DRAWS = 2, 10  # random orders
LINES, MANY_LINES = 150, 600  # of the test that are translated for each point
STEPS, MANY_STEPS = 4, 8  # points of a curve of one kind; all kinds together have twice as many
WEIGHED = 300  # pairs that the importance of the heads is computed on
FALL = 1.0  # BLEU
ROLE = 0.5  # a head has a part if it looks there first in so many of its rows
NONE = "no part by itself"
ROOM = 1.5  # a translation has at most so many times its source's pieces, plus 10: without heads, some never end
KINDS: dict[str, tuple[Kind, ...]] = {
    "all": ("encoder", "decoder", "cross"), "encoder": ("encoder",), "decoder": ("decoder",), "cross": ("cross",),
}  # fmt: skip
LEAST, CHANCE, MOST = "least important first", "at random", "most important first"


class Point(NamedTuple):
    """BLEU with some heads switched off."""

    off: float  # share of the heads of these kinds
    bleu: float


Curve = list[Point]


class Played(NamedTuple):
    """A head, when it goes, and the part that it plays."""

    place: HeadPlace
    turn: float  # 0: the least important of all heads; 1: the most
    part: str
    share: float  # of its rows that look there first


class Seen(NamedTuple):
    """What was found of one model."""

    bleu: float  # with all heads
    curves: Mapping[tuple[str, str], list[Curve]]  # kinds and order -> a curve, or one for each draw
    played: Sequence[Played]
    without: Mapping[tuple[str, str], float]  # part and kind -> BLEU without all such heads


def run(trial: Trial) -> Experiment:
    """Teaches a few models, switches their heads off in three orders, and looks at where they look."""
    corpus = trial.corpus or english_to_french(demo_corpus(1))
    count, seen = MODELS if trial.quick else MANY_MODELS, list[Seen]()
    for number in range(count):
        seen.append((yield from share(_one(trial, corpus, number), number, count, f"model {number + 1}")))
    tables = _tables(seen)
    return Finding(claim=CLAIM, conclusion=_conclude(tables, seen), tables=tables, figure=_draw(seen))


def _one(trial: Trial, corpus: Corpus, number: int) -> Generator[Step, None, Seen]:
    translator = yield from share(teach(trial, lesson(trial, corpus, number)), 0, 2)
    yield Step(0.5, "weighing heads")
    order = by_importance(translator, corpus.valid)
    test = Pairs(*(side[: LINES if trial.quick else MANY_LINES] for side in corpus.test))
    curves: dict[tuple[str, str], list[Curve]] = {}
    whole = score(translator, test, ())
    plans = list(_plans(order, Random(trial.seed + number), trial.quick))
    for done, (kinds, how, heads) in enumerate(plans):
        yield Step(0.52 + 0.44 * done / len(plans), f"{kinds}, {how}")
        steps = (STEPS if trial.quick else MANY_STEPS) * (2 if kinds == "all" else 1)
        curves.setdefault((kinds, how), []).append(curve(translator, test, heads, steps, whole))
    yield Step(0.96, "looking where heads look")
    played = _played(parts(translator, corpus.train, corpus.test), order)
    groups: dict[tuple[str, str], list[HeadPlace]] = {}
    for one in played:
        groups.setdefault((one.part, one.place.kind), []).append(one.place)
    without = {group: score(translator, test, places) for group, places in groups.items()}
    return Seen(whole, curves, played, without)


def by_importance(translator: Translator, pairs: Pairs) -> list[HeadPlace]:
    """All heads, the least important first (Michel et al., 2019), by pairs that are not those of the test."""
    some = sentences(translator, pairs.source[:WEIGHED], pairs.target[:WEIGHED])
    found = sorted(importance(translator.transformer, some), key=lambda head: head.score)
    return [HeadPlace(head.kind, head.layer, head.head) for head in found]


def _plans(
    order: Sequence[HeadPlace], chance: Random, quick: bool
) -> Generator[tuple[str, str, list[HeadPlace]], None, None]:
    """Kinds, the name of an order, and their heads in that order."""
    for name, kinds in KINDS.items():
        heads = [place for place in order if place.kind in kinds]
        yield name, LEAST, heads
        yield name, MOST, heads[::-1]
        for _ in range(DRAWS if quick else MANY_DRAWS):
            yield name, CHANCE, chance.sample(heads, len(heads))


def curve(translator: Translator, test: Pairs, heads: Sequence[HeadPlace], steps: int, whole: float) -> Curve:
    """BLEU with the first heads off, more of them at each step; `whole` with none."""
    counts = sorted({round(len(heads) * step / steps) for step in range(1, steps + 1)} - {0})
    return [
        Point(0.0, whole), *(Point(n / len(heads), score(translator, test, heads[:n])) for n in counts)
    ]  # fmt: skip


def score(translator: Translator, test: Pairs, heads: Sequence[HeadPlace]) -> float:
    """BLEU of greedy translations with these heads off, by the same search as ever."""
    off = HeadChange(how="off", heads=tuple(heads))
    with changed(translator.transformer, off):
        answers = translator.translate(test.source, beam_size=1, max_ratio=ROOM)
    return bleu([answer.text for answer in answers], test.target).score


def spared(points: Curve) -> float:
    """The share of heads that can go before BLEU has fallen by FALL; between two points, on the line through them."""
    floor = points[0].bleu - FALL
    for before, after in itertools.pairwise(points):
        if after.bleu < floor:
            way = (before.bleu - floor) / (before.bleu - after.bleu)
            return before.off + way * (after.off - before.off)
    return points[-1].off


def _played(found: Sequence[Part], order: Sequence[HeadPlace]) -> list[Played]:
    """Each head with its turn in this order, and its part if it has one."""
    turns = {place: turn / max(1, len(order) - 1) for turn, place in enumerate(order)}
    best = {place: max((part for part in found if part.head == place), key=lambda part: part.share) for place in order}
    return [
        Played(place, turns[place], part.name if part.share >= ROLE else NONE, part.share)
        for place, part in best.items()
    ]


def _tables(seen: Sequence[Seen]) -> dict[str, Rows]:
    free = [
        {"heads": kinds, "order": how} | _columns(_spared(seen, kinds, how), "share that can go, %")
        for kinds, how in seen[0].curves
    ]
    curves = [
        {"heads": kinds, "order": how, "off, %": 100 * off} | _columns(values, "BLEU")
        for kinds, how in seen[0].curves
        for off, values in _levels(seen, kinds, how).items()
    ]
    first = [
        {"head": str_of(one.place), "turn": one.turn, "part": one.part, "share of rows, %": 100 * one.share}
        for one in sorted(seen[0].played, key=lambda one: one.turn)
    ]
    return {
        f"What can go before BLEU falls by {FALL:g}": free,
        "BLEU with heads off": curves,
        "Parts that heads play (turn: 0 is the first to go of all heads, 1 the last)": _parts(seen),
        "The heads of the first model": first,
    }


def str_of(place: HeadPlace) -> str:
    """As people count: cross 2.3."""
    return f"{place.kind} {place.layer + 1}.{place.head + 1}"


def _spared(seen: Sequence[Seen], kinds: str, how: str) -> list[float]:
    """Of each model, in per cent; the mean of its draws."""
    return [100 * statistics.fmean(map(spared, one.curves[kinds, how])) for one in seen]


def _levels(seen: Sequence[Seen], kinds: str, how: str) -> dict[float, list[float]]:
    """Share off -> each model's BLEU, the mean of its draws."""
    every = [one.curves[kinds, how] for one in seen]
    return {
        point.off: [statistics.fmean(drawn[place].bleu for drawn in curves) for curves in every]
        for place, point in enumerate(every[0][0])
    }


def _columns(values: Sequence[float], name: str) -> dict[str, Any]:
    """The mean of several models, of something from 0 to 100, and its interval; there is none of one alone."""
    if len(values) < 2:
        return {name: values[0], "95 %": None}
    found = of_seeds(values)
    return {name: found.mean, "95 %": f"{max(0.0, found.low):.1f} to {min(100.0, found.high):.1f}"}


def _parts(seen: Sequence[Seen]) -> list[dict[str, Any]]:
    """Each part and kind, the last to go first; those without a part at the end."""
    heads: dict[tuple[str, str], list[float]] = {}
    for one in (one for model in seen for one in model.played):
        heads.setdefault((one.part, one.place.kind), []).append(one.turn)
    rows = []
    for (part, kind), turns in heads.items():
        lost = [one.bleu - one.without[part, kind] for one in seen if (part, kind) in one.without]
        rows.append(
            {
                "part": part,
                "kind": kind,
                "heads": len(turns),
                "mean turn": statistics.fmean(turns),
                "turns": f"{min(turns):.2f} to {max(turns):.2f}",
                "BLEU lost without all of them": statistics.fmean(lost),
            }
        )
    return sorted(rows, key=lambda row: (row["part"] == NONE, -row["mean turn"]))


def _conclude(tables: Mapping[str, Rows], seen: Sequence[Seen]) -> str:
    free, _, played, _ = tables.values()
    can = {(row["heads"], row["order"]): f"{row['share that can go, %']:.0f} % ({row['95 %']})" for row in free}
    alone = ", ".join(f"{can[kind, LEAST]} of the {kind}'s" for kind in list(KINDS)[1:])
    heads = sum(row["heads"] for row in played)
    named = [row for row in played if row["part"] != NONE]
    with_part = sum(row["heads"] for row in named)
    often = [row for row in named if row["heads"] >= len(seen)]
    parts_said = f"{with_part} of {heads} heads look first at one kind of place in half of their rows or more"
    if len(often) > 1:
        parts_said += f"; the last of these to go are {_named(often[0])}, the first {_named(often[-1])}"
    whole = statistics.fmean(one.bleu for one in seen)
    return (
        f"Of all heads {can['all', LEAST]} can be switched off, the least important first, before BLEU falls by "
        f"{FALL:g} from {whole:.1f}; at random {can['all', CHANCE]}, the most important first {can['all', MOST]}. "
        f"Of one kind alone, {alone} can. {parts_said}. ({len(seen)} models; 95 % intervals of models.)"
    )


def _named(row: Mapping[str, Any]) -> str:
    """As: the encoder's that look at the next word (mean turn 0.25)."""
    part = row["part"] if row["part"].startswith(("the ", "itself")) else f"the {row['part']}"
    return f"the {row['kind']}'s that look at {part} (mean turn {row['mean turn']:.2f})"


def _draw(seen: Sequence[Seen]) -> "Figure":
    names = ["all heads", "one kind alone, the least important first", "when a head goes, by the part it plays"]
    drawn = panels("How many heads a translation needs", names)
    first, second, third = drawn.axes
    _lines(first, {how: _levels(seen, "all", how) for how in (LEAST, CHANCE, MOST)})
    _lines(second, {kind: _levels(seen, kind, LEAST) for kind in list(KINDS)[1:]})
    rows = list(dict.fromkeys(row["part"] for row in _parts(seen)))
    for kind, colour, mark in zip(list(KINDS)[1:], SERIES, MARKS, strict=False):
        some = [one for model in seen for one in model.played if one.place.kind == kind]
        places = [rows.index(one.part) for one in some]
        third.plot([one.turn for one in some], places, mark, color=colour, markersize=5, alpha=0.6, label=kind)
    third.set_yticks(range(len(rows)), rows, fontsize=8, color=INK)
    third.invert_yaxis()
    third.set_xlabel("turn: 0 goes first, 1 last", fontsize=8, color=SOFT)
    third.figure.legend(*third.get_legend_handles_labels(), loc="upper right", ncols=3, frameon=False, fontsize=8)
    return drawn.figure


def _lines(axes: "Axes", levels: Mapping[str, Mapping[float, Sequence[float]]]) -> None:
    """BLEU against the share of heads that are off, with the interval of the models."""
    for (name, values), colour, mark in zip(levels.items(), SERIES, MARKS, strict=False):
        off = [100 * share for share in values]
        axes.plot(
            off, [statistics.fmean(of) for of in values.values()], color=colour, marker=mark, markersize=4, label=name
        )
        if len(next(iter(values.values()))) > 1:
            found = [of_seeds(of) for of in values.values()]
            axes.fill_between(
                off,
                [max(0, one.low) for one in found],
                [min(100, one.high) for one in found],
                color=colour,
                alpha=0.12,
                linewidth=0,
            )
    axes.set_xlabel("heads off, %", fontsize=8, color=SOFT)
    axes.set_ylabel("BLEU", fontsize=8, color=SOFT)
    axes.set_ylim(0, 100)
    legend(axes)
