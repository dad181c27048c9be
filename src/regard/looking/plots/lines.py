"""One head as lines between words: as thick as the weight."""

import numpy as np

from regard.looking.plots.maps import EDGE
from regard.looking.plots.sheet import Sheet, width_of
from regard.looking.plots.sides import NAMES, Unit, label, sides
from regard.looking.views import HeadView, Rows, view_word
from regard.looking.words import Word
from regard.plots import HAIR, INK, SOFT, WEIGHT

LANE, SPAN = 20.0, 190.0  # from one word to the next, and from one side to the other
LEAST = 0.02  # a weight that is drawn
THICK = 7.0  # a weight of one


def draw_lines(view: HeadView, *, unit: Unit, rows: Rows, word: str | None, occurrence: int) -> Sheet:
    """Left, what is looked at; right, who looks. With a word, its own lines are coloured, and all others are faint."""
    kind = view.block.kind
    both = sides(view.trace, kind, unit, rows)
    weights = np.nan_to_num(both.weights(view.block, view.head))
    names, others = [label(one.text) for one in both.queries], [label(one.text) for one in both.keys]
    chosen = _chosen(view, both.queries, rows, word, occurrence)
    wide, far = (1.1 * max(one.width for one in side) for side in (others, names))
    title = f"{NAMES[kind]}, layer {view.block.layer + 1}, head {view.head + 1}"
    left, top = EDGE + max(wide, width_of("is looked at", 8)) + 10, EDGE + 62.0
    width = max(left + SPAN + 10 + far + EDGE, 2 * EDGE + width_of(title, 15, "serif"))
    sheet = Sheet(width, top + LANE * max(len(names), len(others)) + EDGE - 6)
    sheet.text(EDGE, EDGE + 4, title, size=15, face="serif")
    sheet.text(left - 10, top - 18, "is looked at", size=8, colour=SOFT, align="right")
    sheet.text(left + SPAN + 10, top - 18, "looks" if kind == "encoder" else rows, size=8, colour=SOFT)
    for row, column in sorted(np.argwhere(weights >= LEAST).tolist(), key=lambda cell: cell[0] in chosen):
        stressed = not word or row in chosen
        strength = 0.25 + 0.6 * weights[row, column]
        start, end = (left, top + LANE * (column + 0.5)), (left + SPAN, top + LANE * (row + 0.5))
        colour, alpha = (WEIGHT, strength) if stressed else (HAIR, 0.9)
        sheet.curve(start, end, max(0.4, THICK * weights[row, column]), colour, alpha=alpha)
    for number, one in enumerate(others):
        looked = not word or any(weights[row, number] >= 0.1 for row in chosen)
        one.draw(
            sheet, left - 10, top + LANE * (number + 0.5), scale=1.1, align="right", colour=INK if looked else SOFT
        )
    for number, one in enumerate(names):
        own = not word or number in chosen
        one.draw(sheet, left + SPAN + 10, top + LANE * (number + 0.5), scale=1.1, colour=INK if own else SOFT)
    return sheet


def _chosen(view: HeadView, queries: list[Word], rows: Rows, word: str | None, occurrence: int) -> set[int]:
    """The rows of a word."""
    if word is None:
        return set()
    found = view_word(view.trace, word, occurrence, "source" if view.block.kind == "encoder" else "target")
    later = 1 if rows == "reads" and view.block.kind != "encoder" else 0
    own = {place + later for place in found.word.pieces}
    return {number for number, one in enumerate(queries) if own & set(one.pieces)}
