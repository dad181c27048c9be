"""Figures, drawn by matplotlib, in the colours that regard uses everywhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from regard.disk import written_whole
from regard.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAPER, INK, SOFT, FAINT, HAIR = "#fbfbf8", "#1b222c", "#555d68", "#6d747e", "#dfe0da"
QUERY, KEY, VALUE, WEIGHT, RESULT = "#4f35b3", "#8a6700", "#c12d7a", "#00685c", INK
MORE, LESS = "#2063b0", "#c26300"  # than nothing: signs, and nothing else
RAMP = ("#eff3f0", "#d4e5e0", "#b1cfc7", "#90b9af", "#6fa397", "#4d8d7f", "#297869", "#006253", "#004b3e")  # 0 to 1


def learning_curve(
    path: Path,
    updates: Sequence[int],
    losses: Mapping[str, Sequence[float | None]],
    scores: Mapping[str, Sequence[float | None]],
) -> None:
    """Draws losses (nats a piece, left) and scores (BLEU, right) against updates, as PNG.

    Raises InputError where matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("The learning curve needs matplotlib: pip install 'regard[plots]'") from None
    figure = Figure(figsize=(8, 3.2), dpi=150, facecolor=PAPER, layout="constrained")
    left, right = figure.subplots(1, 2)
    _panel(left, "loss, nats a piece", updates, losses)
    _panel(right, "BLEU", updates, scores)
    with written_whole(path) as aside:
        figure.savefig(aside, format="png")


def _panel(axes: "Axes", title: str, updates: Sequence[int], lines: Mapping[str, Sequence[float | None]]) -> None:
    axes.set_facecolor(PAPER)
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.set_xlabel("updates", fontsize=9, color=SOFT)
    axes.tick_params(labelsize=8, colors=SOFT)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(HAIR)
    for (name, values), colour in zip(lines.items(), (SOFT, WEIGHT), strict=False):
        known = [(update, value) for update, value in zip(updates, values, strict=True) if value is not None]
        axes.plot(*zip(*known, strict=True), color=colour, label=name, linewidth=1.6, marker="o", markersize=2.5)
    if axes.lines:
        axes.legend(frameon=False, fontsize=8)
