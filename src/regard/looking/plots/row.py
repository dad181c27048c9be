"""One row of one head, step by step: q . k, divided, softmax, a v, and z."""

from collections.abc import Sequence

import numpy as np

from regard.looking.plots.maps import EDGE
from regard.looking.plots.sheet import Points, Sheet
from regard.looking.plots.sides import NAMES, Label, label
from regard.looking.table import Steps
from regard.looking.trace import Trace
from regard.plots import FAINT, HAIR, INK, KEY, QUERY, SOFT, VALUE, WEIGHT
from regard.text.tokenizer import SPACE

LANE = 19.0  # a key
STRIP = 128.0  # a vector
BAR = 84.0  # a weight of one
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def draw_row(trace: Trace, rows: Sequence[Steps]) -> Sheet:
    """The arithmetic of the pieces of a word, one under the other."""
    names = [_bare(key) for key in rows[0].keys]
    left = EDGE + max(one.width for one in names) + 12
    high = LANE * len(names) + 158
    sheet = Sheet(left + 2 * STRIP + BAR + STRIP + 246 + EDGE, EDGE + high * len(rows))
    for number, steps in enumerate(rows):
        _Strip(sheet, steps, left, EDGE + number * high).draw(trace)
    return sheet


class _Strip:
    """One query; the columns from left to right are the formula's."""

    def __init__(self, sheet: Sheet, steps: Steps, left: Points, top: Points) -> None:
        self.sheet, self.steps, self.top = sheet, steps, top
        self.lanes = top + 92  # where the first key stands
        self.k = left
        self.score = self.k + STRIP + 52
        self.scaled = self.score + 54
        self.a = self.scaled + 26
        self.v = self.a + BAR + 46
        self.av = self.v + STRIP + 26

    def draw(self, trace: Trace) -> None:
        """All of it."""
        steps, sheet = self.steps, self.sheet
        where = f"{NAMES[steps.kind]}, layer {steps.layer + 1}, head {steps.head + 1}"
        own = _bare(steps.query)
        verb = "" if steps.kind == "encoder" else f", having read {_read(trace, steps.place)}"
        sheet.text(EDGE, self.top + 4, f"{own.text}{verb}", size=17, face="serif")
        sheet.text(EDGE, self.top + 24, f"{where}: the row, computed", size=8.5, colour=SOFT)
        self._heads()
        for number, key in enumerate(steps.keys):
            y = self.lanes + LANE * (number + 0.5)
            _bare(key).draw(sheet, self.k - 10, y, align="right")
            if steps.mask[number]:
                self._key(number, y)
        self._ends()

    def _heads(self) -> None:
        """The query, and what each column is."""
        sheet, steps, y = self.sheet, self.steps, self.lanes - 12
        most = float(np.abs(np.vstack([steps.q, steps.k])).max())
        self._vector(self.k, self.lanes - 40, steps.q, most)
        sheet.text(self.k - 10, self.lanes - 34.5, "q", size=12, face="serif", italic=True, colour=QUERY, align="right")
        self._vectors(self.k, steps.k, most)
        self._vectors(self.v, steps.v, float(np.abs(steps.v).max()))
        self._vectors(self.av, steps.weighted, float(np.abs(steps.v).max()))
        for x, name, colour in ((self.k, "k", KEY), (self.v, "v", VALUE), (self.av, "a v", INK)):
            sheet.text(x, y, name, size=11, face="serif", italic=True, colour=colour)
        for x, name in ((self.score, "q · k"), (self.scaled, f"÷ √{len(steps.q)}")):
            sheet.text(x, y, name, size=9.5, face="serif", colour=INK, align="right")
        sheet.text(self.a, y, "a", size=11, face="serif", italic=True, colour=WEIGHT)
        sheet.text(self.a + 11, y, "= softmax", size=8.5, colour=SOFT)

    def _key(self, number: int, y: Points) -> None:
        """The numbers of one key."""
        steps, weight = self.steps, float(self.steps.weights[number])
        strong = INK if weight >= 0.05 else FAINT
        self.sheet.text(self.score, y, number_text(steps.scores[number]), size=9, colour=strong, align="right")
        self.sheet.text(self.scaled, y, number_text(steps.scaled[number]), size=9, colour=strong, align="right")
        self.sheet.box(self.a, y - 5, BAR, 10, "#f1f3ef")
        self.sheet.box(self.a, y - 5, BAR * weight, 10, WEIGHT)
        self.sheet.text(self.a + BAR + 6, y, f"{weight:.2f}", size=9, colour=WEIGHT if weight >= 0.05 else FAINT)

    def _ends(self) -> None:
        """Sums, and the result."""
        sheet, steps = self.sheet, self.steps
        y = self.lanes + LANE * len(steps.keys) + 4
        sheet.line([self.k, self.av + STRIP], [y, y], 0.7, HAIR)
        shown = "1" if abs(steps.weights.sum() - 1) < 5e-5 else f"{steps.weights.sum():.4f}"
        sheet.text(self.a + BAR + 6, y + 14, shown, size=9, colour=WEIGHT)
        sheet.text(self.a, y + 14, "sum", size=8.5, colour=SOFT)
        sheet.text(self.av - 10, y + 14, "z = Σ a v", size=11, face="serif", italic=True, colour=INK, align="right")
        self._vector(self.av, y + 8, steps.z, float(np.abs(steps.v).max()))
        off = _small(steps.difference)
        said = f"Blue: above zero, orange: below. Computed anew from q, k, v; at most {off} off the model's own."
        sheet.text(self.k, y + 36, said, size=8, colour=FAINT)

    def _vectors(self, x: Points, values: np.ndarray, most: float) -> None:
        """A vector a key; none where it may not be looked at."""
        shown = np.where(self.steps.mask[:, None], values, np.nan)
        self._cells(x, self.lanes + 4, shown, most)

    def _vector(self, x: Points, y: Points, values: np.ndarray, most: float) -> None:
        self._cells(x, y, values[None], most)

    def _cells(self, x: Points, y: Points, values: np.ndarray, most: float) -> None:
        size = (STRIP / values.shape[1], LANE)
        self.sheet.cells(x, y, values, size=size, most=most or 1, signed=True, gaps=(0.25, 8))


def number_text(value: float) -> str:
    """A number as people write it: a real minus, two decimals."""
    return f"{value:.2f}".replace("-", "−")


def _small(value: float) -> str:
    """2·10⁻⁶"""
    digit, power = f"{value:.0e}".split("e")
    return f"{digit}·10{str(int(power)).translate(_RAISED)}" if float(digit) else "0"


def _bare(piece: str) -> Label:
    """A piece as people read it."""
    return label(piece.removeprefix(SPACE) or piece)


def _read(trace: Trace, place: int) -> str:
    """The word that the decoder has read last, where it does this row."""
    return next(label(word.text).text for word in trace.read_words if place in word.pieces)
