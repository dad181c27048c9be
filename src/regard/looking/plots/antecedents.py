"""The table of antecedents as a figure: a dot for each head and each method, chance as a line, and what decides."""

from typing import NamedTuple

from regard.looking.antecedents import CHANCE, Antecedents, methods_of_one_sentence
from regard.looking.plots.maps import EDGE
from regard.looking.plots.sheet import Points, Sheet, width_of
from regard.looking.pronouns import Hits
from regard.plots import FAINT, HAIR, INK, SOFT, WEIGHT

LANE, SPAN = 21.0, 380.0  # a row, and from 0 to 100 per cent
WHERE = {"source": "in the source", "prefix": "in the translation so far", "both": "in both together"}
DECIDES = "decides"


class Row(NamedTuple):
    """A line of the figure: a name, and shares with what they are of."""

    name: str
    dots: list[tuple[float, str]]
    many: bool = False  # of many heads


def draw_antecedents(found: Antecedents) -> Sheet:
    """How often each head, and each method, gives more to the noun that the pronoun stands for; and what decides."""
    blocks = {
        "Heads, by their weights": _heads(found, "weights"),
        "Heads, by the length of what they bring": _heads(found, "norms"),
        "Methods, on the sentence alone": [_of(row) for row in methods_of_one_sentence(found)],
        "Methods that try other nouns": [
            _of(row) for row in found.methods if row not in methods_of_one_sentence(found)
        ],
        "The sentence translated anew with another noun": [
            Row("the pronoun follows its own noun", [(found.counterfactual.follows, DECIDES)]),
            Row("and does not follow the other", [(found.counterfactual.stays, DECIDES)]),
        ],
    }
    blocks = {title: rows for title, rows in blocks.items() if rows}
    names = [row.name for rows in blocks.values() for row in rows]
    left = EDGE + max(width_of(name, 9) for name in names) + 16
    lanes = sum(len(rows) * LANE + 36 for rows in blocks.values())
    sheet = Sheet(left + SPAN + 60 + EDGE, EDGE + 72 + lanes + 46)
    sheet.text(EDGE, EDGE + 6, "Which noun does the pronoun stand for?", size=17, face="serif")
    said = (
        f"In how many of {found.questions} sentences the right noun gets more than the other, by each head and method."
    )
    sheet.text(EDGE, EDGE + 26, said, size=8.5, colour=SOFT)
    _key(sheet, EDGE, EDGE + 44)
    _scale(sheet, left, EDGE + 66, lanes)
    y = EDGE + 66.0
    for title, rows in blocks.items():
        sheet.text(EDGE, y + 20, title, size=11, face="serif")
        for number, row in enumerate(rows):
            _row(sheet, row, left, y + 44 + number * LANE)
        y += len(rows) * LANE + 36
    return sheet


def _heads(found: Antecedents, method: str) -> list[Row]:
    """The heads of a kind that look from one place, in one row."""
    rows: dict[str, list[tuple[float, str]]] = {}
    for hit in found.heads:
        if hit.method == method:
            head, _, where = hit.place.partition(", ")
            rows.setdefault(f"{head.split()[0]}, {where}", []).extend(_dots(hit))
    return [Row(name, dots, True) for name, dots in rows.items()]


def _of(hit: Hits) -> Row:
    return Row(hit.method, _dots(hit))


def _dots(hit: Hits) -> list[tuple[float, str]]:
    """Its shares; that of both sides together only where there are both."""
    shares = {name: getattr(hit, name) for name in WHERE}
    if hit.source is None or hit.prefix is None:
        shares["both"] = None
    return [(share, name) for name, share in shares.items() if share is not None]


def _key(sheet: Sheet, x: Points, y: Points) -> None:
    for name, said in WHERE.items():
        _dot(sheet, x + 4, y, name)
        sheet.text(x + 12, y, said, size=8.5, colour=SOFT)
        x += 12 + width_of(said, 8.5) + 18


def _dot(sheet: Sheet, x: Points, y: Points, of: str) -> None:
    """Full, hollow, small or in ink: by its form as well as by its colour, what a share is of."""
    colour = {"both": FAINT, DECIDES: INK}.get(of, WEIGHT)
    sheet.dot(x, y, 4 if of == "both" else 7, colour, filled=of != "prefix", alpha=0.85)


def _scale(sheet: Sheet, left: Points, top: Points, high: Points) -> None:
    """The shares from 0 to 1, and chance."""
    for tenth in range(0, 11, 2):
        x = left + SPAN * tenth / 10
        sheet.line([x, x], [top + 30, top + high + 8], 0.6, HAIR)
        sheet.text(x, top + high + 20, f"{10 * tenth} %", size=8, colour=SOFT, align="center")
    x = left + SPAN * CHANCE
    sheet.line([x, x], [top + 30, top + high + 8], 0.9, FAINT)
    sheet.text(x, top + high + 32, "chance", size=8, colour=FAINT, align="center")


def _row(sheet: Sheet, row: Row, left: Points, y: Points) -> None:
    sheet.text(left - 12, y, row.name, size=9, align="right")
    sheet.line([left, left + SPAN], [y, y], 0.5, HAIR)
    for share, of in row.dots:
        _dot(sheet, left + SPAN * share, y, of)
    shares = sorted(share for share, _ in row.dots)
    said = f"{100 * shares[0]:.0f} to {100 * shares[-1]:.0f} %" if row.many else f"{100 * shares[-1]:.0f} %"
    sheet.text(left + SPAN + 14, y, said, size=8.5, colour=SOFT)
