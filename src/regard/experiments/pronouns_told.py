"""What was found of the pronouns, in tables, a sentence and a figure."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from regard.experiments.figure import MARKS, SERIES, panels
from regard.experiments.finding import Rows
from regard.experiments.interval import Interval, wilson
from regard.looking.antecedents import LEARNED, Antecedents, best, methods_of_one_sentence
from regard.looking.hiding import Pronouns
from regard.looking.occlusion import Rule
from regard.looking.pronouns import Hits
from regard.plots import FAINT, HAIR, INK, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CHANCE = 50.0  # per cent
RULES: dict[Rule, str] = {"unk": "unknown", "drop": "left out"}
AS_IT_IS, NOUN, OTHER, REASON = "nothing", "its noun", "the other noun", "the reason"
SIDES = {"source": "in the source", "prefix": "in what was written", "both": "in both"}
BEHIND, EXCHANGED = "the whole, behind a time", "the nouns in each other's place"


class Seen(NamedTuple):
    """What was found of one model."""

    bleu: float
    halves: tuple[Antecedents, Antecedents]  # to choose a head on, and to count on
    hidden: Mapping[tuple[str, str], Pronouns]  # what was hidden, and how
    moved: Mapping[str, Pronouns]


def _shares(found: Sequence[float | None], count: int, name: str = "") -> dict[str, Any]:
    """A share of several models in columns: their mean, its interval over so many sentences, and each model's own."""
    known = [share for share in found if share is not None]
    before = f"{name}, " if name else ""
    if not known:
        return {f"{before}%": None, f"{before}95 %": None, f"{before}by model": None}
    of = wilson(sum(known) / len(known), count)
    own = ", ".join(f"{100 * share:.0f}" for share in known)
    return {f"{before}%": of.mean, f"{before}95 %": f"{of.low:.1f} to {of.high:.1f}", f"{before}by model": own}


def tables_of(seen: Sequence[Seen], family: int, asked: int) -> dict[str, Rows]:
    """Of so many sentences of the family, of which so many were asked about heads and methods."""
    first = [one.hidden[AS_IT_IS, RULES["unk"]] for one in seen]
    changed = {
        "the right pronoun is the more probable one": _shares([one.probable for one in first], family),
        "the right pronoun is written": _shares([one.right for one in first], family),
        "it follows, where its noun is replaced by one of the other gender": _shares(
            [_both(one, "follows", "followed") for one in seen], asked
        ),
        "it stays, where the other noun is": _shares([_both(one, "stays", "stayed") for one in seen], asked),
    }
    hidden = [
        {"hidden": what, "how": how if what != AS_IT_IS else None}
        | _shares([one.hidden[what, how].probable for one in seen], family, "more probable")
        | _shares([one.hidden[what, how].right for one in seen], family, "written")
        for what, how in seen[0].hidden
    ]
    moved = [
        {"moved": name}
        | _shares([one.moved[name].right for one in seen], family, "its own pronoun")
        | _shares([one.moved[name].other for one in seen], family, "the other noun's")
        for name in seen[0].moved
    ]
    return {
        "The pronoun, in % of the sentences": [{"what": name} | columns for name, columns in changed.items()],
        "The right pronoun with a word of the source hidden, in % (by chance 50)": hidden,
        "The pronoun that is written with words moved, in %": moved,
        "More weight for the noun that it stands for than for the other, in % (by chance 50)": _told(seen, asked),
        "Models": [{"model": number, "BLEU": one.bleu} for number, one in enumerate(seen, 1)],
    }


def _both(one: Seen, share: str, count: str) -> float:
    """A share of the counterfactual, of both halves."""
    found = [half.counterfactual for half in one.halves]
    total = sum(getattr(half, count) for half in found)
    return float(sum(getattr(half, share) * getattr(half, count) for half in found) / max(1, total))


class Chosen(NamedTuple):
    """What was best in the first half of the sentences, and its share in the other half."""

    name: str
    share: float | None  # None: it had nothing to say


def chosen(halves: tuple[Antecedents, Antecedents], rows: Callable[[Antecedents], Sequence[Hits]]) -> Chosen:
    """The row, and the side of it, that are best in the first half; counted on the other, or the luckiest would win."""
    first, other = (rows(half) for half in halves)
    if not first:
        return Chosen("", None)
    row = best(first)
    side = max(SIDES, key=lambda name: getattr(row, name) or 0.0)
    share = next((getattr(one, side) for one in other if one[:2] == row[:2]), None)
    return Chosen(f"{row.method}, {row.place or SIDES[side]}", share)


def _heads(method: str) -> Callable[[Antecedents], list[Hits]]:
    return lambda found: [row for row in found.heads if row.method == method]


def _method(name: str) -> Callable[[Antecedents], list[Hits]]:
    return lambda found: [row for row in found.methods if row.method == name]


def _told(seen: Sequence[Seen], asked: int) -> list[dict[str, Any]]:
    """What is said of heads and methods, by the half that they were not chosen on."""
    half = asked - asked // 4 * 2
    best_of = {
        "best head, by weights": _heads("weights"),
        "best head, by norms": _heads("norms"),
        "best method, of one sentence": methods_of_one_sentence,
    }
    rows = []
    for name, kind in best_of.items():
        found = [chosen(one.halves, kind) for one in seen]
        rows.append({"what": name} | _shares([one.share for one in found], half))
        rows[-1]["which"] = "; ".join(one.name for one in found)
    every = [hit.highest() for one in seen for hit in _heads("weights")(one.halves[1])]
    mean = {"what": "mean of all heads, by weights"} | _shares([sum(every) / len(every)], half)
    rows.insert(0, mean | {"by model": None, "which": f"{len(every) // len(seen)} in each model"})
    for method in dict.fromkeys(row.method for row in seen[0].halves[1].methods):
        found = [chosen(one.halves, _method(method)) for one in seen]
        rows.append({"what": method} | _shares([one.share for one in found], half))
        rows[-1]["which"] = "; ".join(one.name.removeprefix(f"{method}, ") for one in found)
    return rows


def conclude(tables: Mapping[str, Rows], models: int) -> str:
    """What follows from the tables of so many models."""
    pronoun, hidden, moved, told, _ = tables.values()
    right, _, follows, stays = pronoun
    gone = next(row for row in hidden if (row["hidden"], row["how"]) == (NOUN, "unknown"))
    knows = min(right["%"], follows["%"], stays["%"]) >= 100 * LEARNED
    swapped = next(row for row in moved if row["moved"] == EXCHANGED)
    _, head, _, method = told[:4]
    tells = (
        "tells the noun" if head["%"] >= 100 * LEARNED else "tells something of it" if _of(head).low > CHANCE else None
    )
    behind = next(row for row in moved if row["moved"] == BEHIND)
    meant, stood = _of(swapped, "its own pronoun"), _of(swapped, "the other noun's")
    return (
        f'The models {"know" if knows else "have not learned well"} what "it" is: the right pronoun is the more '
        f"probable one in {_of(right)} % of the sentences, follows its noun in {_of(follows)} % where that is "
        f"replaced by one of the other gender, and is written in {_of(gone, 'written')} % where it is hidden. "
        f"{f'A head {tells}' if tells else 'No head tells the noun'}: the best of each model, chosen on other "
        f"sentences, gives more weight to it than to the other noun in {_of(head)} %, the best method in "
        f"{_of(method)} % (by chance 50). All moved behind a word such as Yesterday, the pronoun is right in "
        f"{_of(behind, 'its own pronoun')} %; with the nouns in each other's place it goes by what is meant in "
        f"{meant} % and by the noun's place in {stood} %. ({models} models; 95 % intervals of sentences.)"
    )


def _of(row: Mapping[str, Any], name: str = "") -> Interval:
    """The share in these columns of a row."""
    before = f"{name}, " if name else ""
    low, high = map(float, row[f"{before}95 %"].split(" to "))
    return Interval(row[f"{before}%"], low, high)


def draw(tables: Mapping[str, Rows], seen: Sequence[Seen]) -> "Figure":
    """The tables, as dots with their intervals; every head of every model a stroke."""
    pronoun, hidden, moved, told, _ = tables.values()
    names = ["hidden or replaced: the right pronoun", "moved: the pronoun that is written", "more weight for its noun"]
    drawn = panels('What "it" is: % of the sentences; the line is chance', names, height=4.6)
    changed = {"its noun replaced: it follows": _of(pronoun[2]), "the other replaced: it stays": _of(pronoun[3])}
    changed |= {_hiding(row): _of(row, "written") for row in hidden}
    _dots(drawn.axes[0], {"": changed})
    sides = {"its own": "its own pronoun", "the other noun's": "the other noun's"}
    _dots(drawn.axes[1], {name: {row["moved"]: _of(row, side) for row in moved} for name, side in sides.items()})
    drawn.axes[1].legend(frameon=False, fontsize=8, labelcolor=INK, loc="upper left", bbox_to_anchor=(0.02, 0.92))
    _dots(drawn.axes[2], {"": {row["what"]: _of(row) for row in told if row["%"] is not None}})
    every = [100 * hit.highest() for one in seen for hit in _heads("weights")(one.halves[1])]
    drawn.axes[2].plot(every, [0] * len(every), "|", color=FAINT, markersize=6)
    return drawn.figure


def _hiding(row: Mapping[str, Any]) -> str:
    return "as it is" if row["hidden"] == AS_IT_IS else f"{row['hidden']} {row['how']}"


def _dots(axes: "Axes", series: Mapping[str, Mapping[str, Interval]]) -> None:
    """A line for each share, a dot with its interval in it for each series."""
    for number, (label, rows) in enumerate(series.items()):
        found = list(rows.values())
        wide = [[one.mean - one.low for one in found], [one.high - one.mean for one in found]]
        lines, colour = [place + 0.18 * number for place in range(len(found))], SERIES[number]
        at = [one.mean for one in found]
        axes.errorbar(at, lines, xerr=np.maximum(wide, 0), fmt=MARKS[number], color=colour, label=label, markersize=4)
    names = list(next(iter(series.values())))
    axes.set_yticks(range(len(names)), names, fontsize=7, color=INK)
    axes.invert_yaxis()
    axes.set_xlim(-3, 103)
    axes.axvline(CHANCE, color=FAINT, linewidth=0.9)
    axes.grid(axis="y", color=HAIR, linewidth=0.4)
    axes.set_xlabel("%", fontsize=8, color=SOFT)
