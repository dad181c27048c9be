"""Heat maps: of one head with its words, and small ones of many heads."""

import numpy as np
from jaxtyping import Float

from regard.looking.plots.sheet import Points, Sheet, width_of
from regard.looking.plots.sides import NAMES, Label, Sides, Unit, label, sides
from regard.looking.trace import KINDS, Kind, Numbers, Trace
from regard.looking.views import HeadView, Rows
from regard.plots import FAINT, INK, PAPER, SOFT

EDGE = 26  # around a figure, points
TOLD = 0.095  # a weight from which on its number is written
SQUARE = 15  # a cell in which a number has room


def draw_map(view: HeadView, *, unit: Unit, rows: Rows) -> Sheet:
    """One head: rows look at columns; the largest weights also as numbers."""
    both = sides(view.trace, view.block.kind, unit, rows)
    weights = both.weights(view.block, view.head)
    cell = min(25.0, max(9.0, 470 / max(weights.shape)))
    scale = min(1.15, max(0.62, cell / 20))
    names, others = [label(word.text) for word in both.queries], [label(word.text) for word in both.keys]
    own = scale * max(one.width for one in names) + 8
    also = scale * max(one.width for one in both.also) + 14 if both.also else 0
    left, top = EDGE + own + also, EDGE + 40 + 14 + _slanted(others, scale)
    width = max(left + _reach(others, cell, scale), EDGE + width_of(_title(view), 17, "serif")) + EDGE
    sheet = Sheet(width, top + cell * len(names) + 34 + EDGE)
    sheet.text(EDGE, EDGE + 6, _title(view), size=17, face="serif")
    sheet.text(EDGE, EDGE + 26, "A row is the word that looks; its weights sum to one.", size=8.5, colour=SOFT)
    sheet.cells(left, top, weights, size=(cell, cell))
    _row_names(sheet, names, both, rows, at=(left, top), cell=cell, scale=scale)
    for number, other in enumerate(others):
        x = left + cell * (number + 0.5)
        other.draw(sheet, x - 1, top - 7, scale=scale, turn=48, colour="" if other.mark else SOFT)
    _numbers(sheet, weights, left, top, cell)
    _legend(sheet, left, top + cell * len(names) + 20)
    return sheet


def _title(view: HeadView) -> str:
    return f"{NAMES[view.block.kind]}, layer {view.block.layer + 1}, head {view.head + 1}"


def _slanted(names: list[Label], scale: Points) -> float:
    return scale * 0.76 * max(one.width for one in names)


def _reach(names: list[Label], cell: Points, scale: Points) -> float:
    """How far the slanted names of columns, or the columns, go to the right."""
    ends = [cell * (number + 0.5) + 0.68 * scale * one.width for number, one in enumerate(names)]
    return max(cell * len(names), *ends)


def _row_names(
    sheet: Sheet, names: list[Label], both: Sides, rows: Rows, *, at: tuple[Points, Points], cell: Points, scale: Points
) -> None:
    """The words that look; in the decoder both their names, that by which the row is called nearer and in ink."""
    left, top = at
    inner = left - 8 - scale * max(one.width for one in names) - 14
    if both.also:
        sheet.text(left - 8, top - 10, rows, size=7.5, colour=INK, align="right")
        sheet.text(inner, top - 10, "reads" if rows == "writes" else "writes", size=7.5, colour=FAINT, align="right")
    for number, name in enumerate(names):
        y = top + cell * (number + 0.5)
        name.draw(sheet, left - 8, y, scale=scale, align="right")
        if both.also:
            both.also[number].draw(sheet, inner, y, scale=0.86 * scale, align="right", italic=True, colour=FAINT)


def _numbers(sheet: Sheet, weights: Float[Numbers, "row column"], left: Points, top: Points, cell: Points) -> None:
    """Weights worth a number, in their cells."""
    if cell < SQUARE:
        return
    for row, column in np.argwhere(np.nan_to_num(weights) >= TOLD).tolist():
        weight = weights[row, column]
        said = "1" if weight >= 0.995 else f"{weight:.2f}"[1:]
        colour = PAPER if weight > 0.6 else INK
        x, y = left + cell * (column + 0.5), top + cell * (row + 0.5)
        sheet.text(x, y, said, size=0.36 * cell, colour=colour, align="center")


def _legend(sheet: Sheet, x: Points, y: Points) -> None:
    sheet.text(x, y, "weight  0", size=8, colour=SOFT)
    start = x + width_of("weight  0", 8) + 6
    sheet.cells(start, y - 3.5, np.linspace(0, 1, 64)[None], size=(1.5, 7), gaps=(-0.2, 0))
    sheet.text(start + 96 + 6, y, "1", size=8, colour=SOFT)


def draw_heads(trace: Trace, kind: Kind | None, layer: int | None, *, unit: Unit, rows: Rows) -> Sheet:
    """All heads of a kind, or of all three kinds, as small maps; of one layer of one kind, with words."""
    if layer is not None:
        return _draw_layer(trace, kind or "cross", layer, unit, rows)
    kinds = [one for one in KINDS if kind in (None, one)]
    grids = [_Grid(trace, one, unit, rows) for one in kinds]
    below = sum(grid.width for grid in grids) + 40 * (len(grids) - 1) > 1500  # too wide for one line
    spans = [(grid.width, grid.height) for grid in grids]
    wide = max(w for w, _ in spans) if below else sum(w for w, _ in spans) + 40 * (len(spans) - 1)
    high = sum(h for _, h in spans) + 34 * (len(spans) - 1) if below else max(h for _, h in spans)
    note = "Under each map its confidence: the mean of the largest weights of its rows."
    sheet = Sheet(max(wide, width_of(note, 8.5)) + 2 * EDGE, high + 2 * EDGE + 26)
    x, y = float(EDGE), float(EDGE)
    for grid in grids:
        grid.draw(sheet, x, y)
        x, y = (x, y + grid.height + 34) if below else (x + grid.width + 40, y)
    sheet.text(EDGE, sheet.height - EDGE, note, size=8.5, colour=SOFT)
    return sheet


class _Grid:
    """The heads of one kind: a row for each layer."""

    def __init__(self, trace: Trace, kind: Kind, unit: Unit, rows: Rows) -> None:
        self.kind, self.blocks = kind, trace.of_kind(kind)
        self.both = sides(trace, kind, unit, rows)
        self.heads = len(self.blocks[0].q)
        queries, keys = len(self.both.queries), len(self.both.keys)
        self.cell = min(6.0, max(0.6, (86 if self.heads <= 8 else 60) / max(queries, keys)))
        self.map = (self.cell * keys, self.cell * queries)
        self.step = (max(self.map[0], 30) + 12, self.map[1] + 26)
        self.width = max(18 + self.heads * self.step[0] - 12, width_of(NAMES[kind], 14, "serif"))
        self.height = 42 + len(self.blocks) * self.step[1] - 8

    def draw(self, sheet: Sheet, x: Points, y: Points) -> None:
        """The grid, its top left corner there."""
        sheet.text(x, y + 4, NAMES[self.kind], size=14, face="serif")
        for head in range(self.heads):
            name = f"head {head + 1}" if head == 0 else str(head + 1)
            sheet.text(x + 18 + head * self.step[0], y + 27, name, size=8, colour=SOFT)
        for row, block in enumerate(self.blocks):
            top = y + 38 + row * self.step[1]
            sheet.text(x + 6, top + self.map[1] / 2, f"layer {row + 1}", size=8, colour=SOFT, align="center", turn=90)
            for head in range(self.heads):
                weights, left = self.both.weights(block, head), x + 18 + head * self.step[0]
                sheet.cells(left, top, weights, size=(self.cell, self.cell), gaps=(0.3, 0.3))
                sure = np.nanmax(weights, axis=1).mean()
                sheet.text(left, top + self.map[1] + 8, f"{sure:.2f}", size=7.5, colour=FAINT)


def _draw_layer(trace: Trace, kind: Kind, layer: int, unit: Unit, rows: Rows) -> Sheet:
    """The heads of one layer side by side, with words."""
    block, both = trace.attention(kind, layer), sides(trace, kind, unit, rows)
    names, others = [label(word.text) for word in both.queries], [label(word.text) for word in both.keys]
    cell, scale = (11.5, 0.9) if max(len(names), len(others)) <= 40 else (7.0, 0.6)
    own, map_width = scale * max(one.width for one in names) + 8, cell * len(others)
    top = EDGE + 62 + _slanted(others, scale)
    width = EDGE * 2 + own + (len(block.q) - 1) * (map_width + 16) + _reach(others, cell, 0.95 * scale)
    sheet = Sheet(width, top + cell * len(names) + EDGE + 34)
    sheet.text(EDGE, EDGE + 6, f"{NAMES[kind]}, layer {layer}", size=17, face="serif")
    looking = (
        "the words of the source" if kind == "encoder" else f"the decoder {'writes' if rows == 'writes' else 'reads'}"
    )
    sheet.text(EDGE, EDGE + 26, f"Rows: what {looking}; columns: what it looks at.", size=8.5, colour=SOFT)
    for number, name in enumerate(names):
        name.draw(sheet, EDGE + own - 8, top + cell * (number + 0.5), scale=scale, align="right")
    for head in range(len(block.q)):
        left = EDGE + own + head * (map_width + 16)
        sheet.cells(left, top, both.weights(block, head), size=(cell, cell))
        sheet.text(left, top + cell * len(names) + 10, f"head {head + 1}", size=8.5, colour=SOFT)
        for number, other in enumerate(others):
            x = left + cell * (number + 0.5)
            other.draw(sheet, x - 0.5, top - 5, scale=0.95 * scale, turn=55, colour="" if other.mark else SOFT)
    _legend(sheet, EDGE + own, top + cell * len(names) + 32)
    return sheet
