"""The student's table in a terminal: numbers and bars."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box
from rich.bar import Bar
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from regard.looking.gazing import Looked
    from regard.looking.interventions import Effect
    from regard.looking.table import Steps
    from regard.looking.trace import Kind, Trace
    from regard.looking.views import Gaze, WordView

WIDTH = 100  # columns, where the output is no terminal
BAR = 16
MOST = 6  # the largest numbers of a vector that are shown
Q, K, V, A, Z = "bright_blue", "yellow", "magenta", "cyan", "bold"  # a colour for each quantity
NAMES = {"encoder": "encoder attention", "decoder": "decoder attention", "cross": "cross-attention"}


def console() -> Console:
    """Standard output; wide enough where it is no terminal."""
    screen = Console(highlight=False, markup=False)
    return screen if screen.is_terminal else Console(highlight=False, markup=False, width=WIDTH)


def print_gazes(screen: Console, view: "WordView", kind: "Kind", gazes: list["Gaze"], worth: list["Effect"]) -> None:
    """Where a word looks most in each head, in brief, and what each head is worth."""
    table = _table("layer", "head")
    for name in ("looks most at", "weight", "", "then at", "weight"):
        table.add_column(name, justify="right" if name == "weight" else "left", style=A if name == "weight" else "")
    table.add_column("off: Δ log p", justify="right", style=Z)
    for gaze, effect in zip(gazes, worth, strict=True):
        row: list[Any] = [str(gaze.layer + 1), str(gaze.head + 1)]
        for rank, (word, weight) in enumerate(zip(gaze.words[:2], gaze.weights[:2], strict=True)):
            row += [word, f"{weight:.3f}", *([_bar(weight)] if rank == 0 else [])]
        table.add_row(*row, f"{_delta(view, effect):+.2f}".replace("-0.00", "+0.00"))
    screen.print(f"{NAMES[kind].capitalize()} of {_named(view)}", style=Z)
    screen.print(table)
    for gaze, effect in zip(gazes, worth, strict=True):
        if not effect.same:
            screen.print(f"With layer {gaze.layer + 1}, head {gaze.head + 1} off, it writes: {effect.translation}")
    screen.print(f"A weight says where a head looks; what it is worth is the change of {_what(view)} without the head.")
    screen.print("All numbers of one head: --layer N --head N")


def print_worth(screen: Console, view: "WordView", effect: "Effect") -> None:
    """What becomes of a word, and of the translation, without a head."""
    _heading(screen, "5", f"without this head: {_what(view)} changes by {_delta(view, effect):+.3f}")
    screen.print("It writes the same." if effect.same else f"It writes: {effect.translation}")


def _delta(view: "WordView", effect: "Effect") -> float:
    """The change of log p of a target word; of all that is written, where the word is one of the source."""
    if view.side == "source":
        return sum(effect.delta)
    return effect.word_delta[view.trace.target_words.index(view.word)]


def _what(view: "WordView") -> str:
    return f"log p({view.word.text})" if view.side == "target" else "log p of the translation"


def print_looked(screen: Console, word: str, log_prob: float, looked: Sequence["Looked"]) -> None:
    """Where an RNN looks when it writes a word: every word of the source, with its weight."""
    table = _table("source", ("weight", A), "")
    for one in looked:
        table.add_row(one.word, f"{one.weight:.3f}", _bar(one.weight))
    screen.print(f"Attention of {word}, log p {log_prob:.3f}", style="bold")
    screen.print(table)
    screen.print("A weight says where the decoder looks, not what that is worth.")


def print_steps(screen: Console, trace: "Trace", steps: "Steps") -> None:
    """One row of one head, from q . k to what it adds to the stream."""
    best = int(steps.weights.argmax())
    where = f"{NAMES[steps.kind]}, layer {steps.layer + 1}, head {steps.head + 1}"
    screen.print(f"{_shown(steps.query)}: {where}, {_row(trace, steps)}", style=Z)
    _heading(screen, "1", f"q · k, number by number, for the key with the largest weight: {_shown(steps.keys[best])}")
    screen.print(_products(steps, best))
    _heading(screen, "2", "every key: q · k, divided by sqrt(d_k), masked, exp (less the largest), softmax, a v")
    screen.print(_keys(steps))
    _heading(screen, "3", "z, the sum of the a v")
    screen.print(_sums(steps))
    _heading(screen, "4", "z W_O, what the head adds to the stream")
    screen.print(_added(trace, steps))
    screen.print(f"Computed in float64 from q, k and v; the model's own are within {steps.difference:.0e} of it.\n")


def _row(trace: "Trace", steps: "Steps") -> str:
    """Which row it is: a position of the source, or what the decoder reads and writes there."""
    if steps.kind == "encoder":
        return f"position {steps.place + 1} of {len(trace.source_pieces)}"
    reads, writes = _shown(trace.reads[steps.place]), _shown(trace.writes[steps.place])
    return f"where the decoder reads {reads} and writes {writes}"


def _products(steps: "Steps", key: int) -> Table:
    products = steps.products[key]
    table = _table("d", ("q", Q), ("k", K), "q k")
    for d in _largest(products):
        table.add_row(str(d + 1), _number(steps.q[d]), _number(steps.k[key, d]), _number(products[d]))
    left = len(products) - min(MOST, len(products))
    if left:
        rest = products.sum() - products[_largest(products)].sum()
        table.add_row(f"{left} others", "", "", _number(rest))
    table.add_section()
    table.add_row("q · k", "", "", _number(steps.scores[key]), style=Z)
    return table


def _keys(steps: "Steps") -> Table:
    root = f"/ √{len(steps.q)}"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_footer=True, footer_style="dim")
    table.add_column("key", footer="sum", overflow="ellipsis", max_width=20)
    sums = {"exp": steps.exponentials.sum(), "softmax": steps.weights.sum()}
    for name in ("q · k", root, "mask", "exp", "softmax", "", "|v|", "|a v|"):
        footer = _number(sums[name]) if name in sums else ""
        table.add_column(name, footer, justify="left" if not name else "right", style={"softmax": A}.get(name, ""))
    for row, key in enumerate(steps.keys):
        weight, mask = float(steps.weights[row]), "0" if steps.mask[row] else "-∞"
        numbers = (steps.scores[row], steps.scaled[row])
        lengths = (np.linalg.norm(steps.v[row]), np.linalg.norm(steps.weighted[row]))
        table.add_row(
            _shown(key), *map(_number, numbers), mask, _number(steps.exponentials[row]), _number(weight), _bar(weight),
            *map(_number, lengths), style="" if steps.mask[row] else "dim",
        )  # fmt: skip
    return table


def _sums(steps: "Steps") -> Table:
    """The largest numbers of z, and how the keys with the largest weights make them up."""
    places = _largest(steps.z)
    table = _table("a v", *(f"d {d + 1}" for d in places))
    first = np.argsort(-steps.weights, kind="stable")[:MOST]
    for row in first:
        label = f"{steps.weights[row]:.3f} v({_shown(steps.keys[row])})"
        table.add_row(label, *(_number(steps.weighted[row, d]) for d in places))
    if len(steps.keys) > len(first):
        rest = steps.z - steps.weighted[first].sum(axis=0)
        table.add_row(f"{len(steps.keys) - len(first)} others", *(_number(rest[d]) for d in places))
    table.add_section()
    table.add_row("z", *(_number(steps.z[d]) for d in places), style=Z)
    return table


def _added(trace: "Trace", steps: "Steps") -> Table:
    """The largest numbers that the head adds, beside what all heads add and the stream before."""
    block = trace.attention(steps.kind, steps.layer + 1)
    places = _largest(steps.added)
    table = _table("", "length", *(f"d {d + 1}" for d in places))
    for name, vector in (
        ("the stream before", block.x_in[steps.place]),
        ("this head: z W_O", steps.added),
        ("all heads and b_O", block.added[steps.place]),
        ("the stream after" + (", normed" if trace.model.norm == "post" else ""), block.x_out[steps.place]),
    ):
        table.add_row(name, _number(np.linalg.norm(vector)), *(_number(vector[d]) for d in places))
    return table


def _table(*columns: str | tuple[str, str]) -> Table:
    """A table whose first column is text, the others numbers; a column may bring its colour."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for place, column in enumerate(columns):
        name, style = (column, "") if isinstance(column, str) else column
        table.add_column(name, justify="right" if place else "left", style=style, no_wrap=True)
    return table


def _heading(screen: Console, number: str, words: str) -> None:
    screen.print(f"\n{number}  {words}", style="bold")


def _named(view: "WordView") -> str:
    """The word, and of a target word its probability and what else was likely where its first piece stands."""
    if view.side == "source":
        return view.word.text
    others = [(piece, p) for piece, p in view.alternatives[0] if piece != view.trace.writes[view.word.pieces.start]]
    listed = ", ".join(f"{_shown(piece)} {p:.3f}" for piece, p in others[:3])
    return f"{view.word.text}, log p {view.log_prob:.3f} (instead: {listed})"


def _largest(vector: Any) -> list[int]:
    """The places of its largest numbers, whatever their sign, the largest first."""
    places: list[int] = np.argsort(-np.abs(vector), kind="stable")[:MOST].tolist()
    return places


def _bar(weight: float) -> Bar:
    return Bar(size=1.0, begin=0.0, end=weight, width=BAR, color=A)


def _number(value: Any) -> str:
    """Four significant digits, as people write them."""
    x = float(f"{value:.3e}")
    if x == 0 or 1e-3 <= abs(x) < 1e4:
        digits = 3 if x == 0 else 3 - math.floor(math.log10(abs(x)))
        return f"{x:.{min(max(digits, 0), 4)}f}"
    return f"{x:.1e}"


def _shown(piece: str) -> str:
    """A piece without the mark of its space, which a terminal shows badly."""
    return piece.removeprefix("\u2581") or "(space)"
