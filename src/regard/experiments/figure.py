"""The frame that the figures of all experiments share."""

from typing import TYPE_CHECKING, NamedTuple

from regard.plots import HAIR, INK, KEY, PAPER, QUERY, SOFT, VALUE, WEIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SERIES = (WEIGHT, VALUE, QUERY, KEY, SOFT)  # a colour for each thing compared, the first of them the Transformer's
MARKS = ("o", "s", "^", "D", "v")  # and a mark, for those who do not see the colours


class Panels(NamedTuple):
    """A figure and its panels, from left to right."""

    figure: "Figure"
    axes: list["Axes"]


def panels(title: str, names: list[str], *, height: float = 3.4) -> Panels:
    """An empty figure of panels with these names, side by side."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(names), height), dpi=150, facecolor=PAPER, layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontfamily="serif", color=INK)
    axes = list(figure.subplots(1, len(names), squeeze=False)[0])
    for one, name in zip(axes, names, strict=True):
        one.set_facecolor(PAPER)
        one.set_title(name, loc="left", fontsize=9, color=SOFT)
        one.tick_params(which="both", labelsize=8, colors=SOFT)
        one.spines[["top", "right"]].set_visible(False)
        one.spines[["left", "bottom"]].set_color(HAIR)
        one.grid(axis="y", color=HAIR, linewidth=0.6)
    return Panels(figure, axes)


def legend(axes: "Axes") -> None:
    """Names what is drawn."""
    axes.legend(frameon=False, fontsize=8, labelcolor=INK)
