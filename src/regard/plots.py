"""Figures, drawn by matplotlib, in the colours that regard uses everywhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from regard.disk import written_whole
from regard.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAPER, INK, SOFT, HAIR = "#fbfbf8", "#1b222c", "#555d68", "#dfe0da"
MORE, LESS, WEIGHT = "#2063b0", "#c26300", "#00685c"


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


def attention_maps(
    path: Path,
    maps: Mapping[str, Sequence[Sequence[float]]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
) -> None:
    """Draws one heat map a head, rows that look at columns, on one scale from 0 to 1, as PNG."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    ramp = LinearSegmentedColormap.from_list("weight", ["#eff3f0", "#90b9af", WEIGHT, "#004b3e"])
    wide = max(3.0, 0.26 * len(columns) + 1)
    figure = Figure(figsize=(wide * len(maps), 0.26 * len(rows) + 1.8), dpi=150, facecolor=PAPER, layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, color=INK)
    for number, (axes, (name, weights)) in enumerate(
        zip(figure.subplots(1, len(maps), squeeze=False)[0], maps.items(), strict=True)
    ):
        image = axes.imshow(weights, cmap=ramp, vmin=0, vmax=1)
        axes.set_title(name, loc="left", fontsize=9, color=SOFT)
        axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=8, color=INK)
        axes.set_yticks(range(len(rows)), rows if number == 0 else [], fontsize=8, color=INK)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, shrink=0.6, label="weight").ax.tick_params(labelsize=7)
    with written_whole(path) as aside:
        figure.savefig(aside, format="png")
