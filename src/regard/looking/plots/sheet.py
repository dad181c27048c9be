"""A sheet of paper to draw on, in points from its top left corner, by matplotlib."""

import io
import itertools
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from regard.errors import InputError
from regard.plots import HAIR, INK, LESS, MORE, PAPER, RAMP

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

Points = float | int  # of which an inch has 72
Face = Literal["serif", "sans"]  # what the model reads and writes, and what the figure says about it
Align = Literal["left", "center", "right"]

_OTHER_SCRIPTS = (
    "DejaVu Sans",
    "Noto Sans CJK KR",
    "Noto Sans",
    "Apple SD Gothic Neo",
    "Malgun Gothic",
    "Arial Unicode MS",
)
FACES: dict[Face, tuple[str, ...]] = {
    "serif": ("Iowan Old Style", "Palatino", "Palatino Linotype", "P052", "Georgia", "DejaVu Serif", *_OTHER_SCRIPTS),
    "sans": ("Avenir Next", "Segoe UI", "Inter", "Helvetica Neue", *_OTHER_SCRIPTS),
}
POINT = 1 / 72  # of an inch
VECTORS, SMALL = 20_000, 2.5  # cells up to which a map is drawn cell by cell, and the size from which on it is
LEVELS = 101  # colours of a ramp


class Sheet:
    """A figure of this width and height. Raises InputError where matplotlib is not installed."""

    def __init__(self, width: Points, height: Points) -> None:
        figure = _matplotlib("figure").Figure(figsize=(width * POINT, height * POINT), dpi=72, facecolor=PAPER)
        self.width, self.height, self._figure = width, height, figure
        self._axes = figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self._limits()
        self._order = itertools.count()  # what is drawn later lies above

    def _limits(self) -> None:
        self._axes.set_xlim(0, self.width)
        self._axes.set_ylim(self.height, 0)

    def text(
        self, x: Points, y: Points, words: str, *, size: Points = 9, colour: str = INK, face: Face = "sans",
        align: Align = "left", italic: bool = False, turn: Points = 0,
    ) -> None:  # fmt: skip
        """Words whose middle line is at y."""
        self._axes.text(
            x, y, words, color=colour, ha=align, va="center_baseline", rotation=turn, rotation_mode="anchor",
            parse_math=False, fontproperties=font(size, face, italic), zorder=next(self._order),
        )  # fmt: skip

    def box(self, x: Points, y: Points, width: Points, height: Points, colour: str) -> None:
        """A filled rectangle."""
        shape = _matplotlib("patches").Rectangle((x, y), width, height, facecolor=colour, linewidth=0)
        self._add(shape)

    def dot(self, x: Points, y: Points, size: Points, colour: str, *, filled: bool = True, alpha: Points = 1) -> None:
        """A circle of this diameter."""
        face = colour if filled else PAPER
        shape = _matplotlib("patches").Circle((x, y), size / 2, facecolor=face, edgecolor=colour, lw=1, alpha=alpha)
        self._add(shape)

    def line(self, x: Sequence[Points], y: Sequence[Points], width: Points = 0.7, colour: str = HAIR) -> None:
        """A broken line."""
        self._axes.plot(x, y, color=colour, linewidth=width, solid_capstyle="butt", zorder=next(self._order))

    def curve(
        self, start: tuple[Points, Points], end: tuple[Points, Points], width: Points, colour: str, *, alpha: Points
    ) -> None:
        """A curve that leaves and arrives level."""
        path, middle = _matplotlib("path").Path, (start[0] + end[0]) / 2
        shape = path([start, (middle, start[1]), (middle, end[1]), end], [1, 4, 4, 4])
        patch = _matplotlib("patches").PathPatch(shape, fill=False, edgecolor=colour, linewidth=width, alpha=alpha)
        patch.set_capstyle("butt")
        self._add(patch)

    def cells(
        self, x: Points, y: Points, values: NDArray[Any], *, size: tuple[Points, Points], most: Points = 1,
        signed: bool = False, gaps: tuple[Points, Points] = (0.7, 0.7),
    ) -> None:  # fmt: skip
        """A map of cells `size` wide and high, gaps included: from 0 to `most`, or signs to both sides; NaN: none."""
        if min(size) < SMALL or values.size > VECTORS:
            low, (rows, columns) = (-most if signed else 0), values.shape
            extent = (x, x + columns * size[0], y + rows * size[1], y)
            self._axes.imshow(
                values, cmap=ramp(signed), vmin=low, vmax=most, extent=extent, aspect="auto", zorder=next(self._order)
            )
            return self._limits()
        scaled = np.clip((values / most + 1) / 2 if signed else values / most, 0, 1) * (LEVELS - 1)
        levels = np.nan_to_num(scaled, nan=-1).round().astype(int)
        for level in np.unique(levels[levels >= 0]).tolist():
            corners = [
                (x + column * size[0], y + row * size[1]) for row, column in np.argwhere(levels == level).tolist()
            ]
            self._rectangles(corners, (size[0] - gaps[0], size[1] - gaps[1]), ramp(signed)(level / (LEVELS - 1)))
        return None

    def _rectangles(self, corners: Sequence[tuple[Points, Points]], size: tuple[Points, Points], colour: Any) -> None:
        """Many of one colour, as one shape: a file of them is a tenth as large."""
        path = _matplotlib("path").Path
        wide, high = size
        points = [at for x, y in corners for at in ((x, y), (x + wide, y), (x + wide, y + high), (x, y + high), (x, y))]
        codes = [path.MOVETO, path.LINETO, path.LINETO, path.LINETO, path.CLOSEPOLY] * len(corners)
        self._add(_matplotlib("patches").PathPatch(path(points, codes), facecolor=colour, linewidth=0))

    def _add(self, shape: Any) -> None:
        shape.set_zorder(next(self._order))
        self._axes.add_patch(shape)

    def svg(self) -> str:
        """The sheet as SVG, whose words are text; the same sheet gives the same file."""
        written = io.StringIO()
        with _quietly(vectors=True):
            self._figure.savefig(written, format="svg", metadata={"Date": None}, facecolor=PAPER)
        return written.getvalue()

    def png(self, dpi: int = 200) -> bytes:
        """The sheet as PNG."""
        written = io.BytesIO()
        with _quietly():
            self._figure.savefig(written, format="png", dpi=dpi, facecolor=PAPER)
        return written.getvalue()


def width_of(words: str, size: Points, face: Face = "sans", italic: bool = False) -> float:
    """How wide words are, in points."""
    with _quietly():
        width, _, _ = _measure().get_text_width_height_descent(words, font(size, face, italic), False)
    return float(width)


@cache
def font(size: Points, face: Face, italic: bool = False) -> "FontProperties":
    """The faces of a role that this machine has."""
    fonts = _matplotlib("font_manager")
    known = set(fonts.get_font_names())
    family = [name for name in FACES[face] if name in known]
    found: FontProperties = fonts.FontProperties(family=family, size=size, style="italic" if italic else "normal")
    return found


@cache
def ramp(signed: bool) -> Any:
    """The colours of weights, or those of signs."""
    made = _matplotlib("colors").LinearSegmentedColormap.from_list
    return made("signs", [LESS, PAPER, MORE]) if signed else made("weights", RAMP)


@cache
def _measure() -> Any:
    return _matplotlib("backends.backend_agg").RendererAgg(1, 1, 72)


def _matplotlib(name: str) -> Any:
    """A module of it."""
    try:
        import matplotlib.backends.backend_agg
        import matplotlib.figure
    except ImportError:
        raise InputError("Figures need matplotlib: pip install 'regard[plots]'") from None
    found: Any = matplotlib
    for part in name.split("."):
        found = getattr(found, part)
    return found


@contextmanager
def _quietly(vectors: bool = False) -> Iterator[None]:
    """A letter that no font has is a box, and nothing is said of it. In vectors, words are text."""
    settings = {"svg.fonttype": "none", "svg.hashsalt": "regard"} if vectors else {}
    with _matplotlib("rc_context")(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing|.*does not support")
        yield
