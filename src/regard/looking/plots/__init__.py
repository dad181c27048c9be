"""Figures of a trace, in the colours of the page: maps of heads, lines between words, one row step by step."""

from pathlib import Path
from typing import Literal, NamedTuple, get_args

from regard.disk import written_whole
from regard.errors import InputError
from regard.looking.antecedents import Antecedents
from regard.looking.plots.antecedents import draw_antecedents
from regard.looking.plots.lines import draw_lines
from regard.looking.plots.maps import draw_heads, draw_map
from regard.looking.plots.row import draw_row
from regard.looking.plots.sheet import Sheet
from regard.looking.plots.sides import Unit
from regard.looking.trace import Kind, Trace
from regard.looking.views import Rows, view_head, view_word

What = Literal["map", "heads", "lines", "steps"]


class Plot(NamedTuple):
    """A figure: to be saved, or shown by a notebook as it is."""

    sheet: Sheet

    def svg(self) -> str:
        """As SVG; its words are text."""
        return self.sheet.svg()

    def png(self, dpi: int = 200) -> bytes:
        """As PNG."""
        return self.sheet.png(dpi)

    def save(self, path: str | Path, form: str = "") -> None:
        """Writes it as "png" or "svg"; if that is not said, by the ending of the name."""
        path = Path(path)
        form = form or path.suffix.lower().removeprefix(".")
        if form not in ("svg", "png"):
            raise InputError(f"{path}: a figure is written as .png or .svg; give one of these endings.")
        data = self.svg().encode() if form == "svg" else self.png()
        with written_whole(path) as aside:
            aside.write_bytes(data)

    def _repr_svg_(self) -> str:
        return self.svg()


def plot(
    trace: Trace,
    what: What | None = None,
    *,
    kind: Kind | None = None,
    layer: int | None = None,
    head: int | None = None,
    word: str | None = None,
    occurrence: int = 1,
    rows: Rows = "writes",
    unit: Unit = "words",
) -> Plot:
    """A figure of a trace; layers and heads count from 1.

    what: "map", a heat map of one head; "heads", small maps of all heads (of a kind, a layer); "lines", one head as
    lines between words, those of `word` stressed; "steps", the arithmetic of a word in one head. By default: of a word
    its steps, of one head its map, else the heads. A head that is not named is the first, a layer the last. Raises
    InputError where there is no such head, or matplotlib is missing.
    """
    if what is None:
        what = "steps" if word is not None else "map" if head is not None else "heads"
    for name, given, known in (("figure", what, What), ("unit", unit, Unit), ("kind of attention", kind, Kind)):
        if given is not None and given not in get_args(known):
            raise InputError(f"There is no {name} '{given}'; there are {', '.join(get_args(known))}.")
    if what == "heads":
        return Plot(draw_heads(trace, kind, layer, unit=unit, rows=rows))
    if what == "steps":
        if word is None:
            raise InputError("Steps are of a word: say which, word='...'.")
        asked = view_word(
            trace, word, occurrence, None if kind is None else "source" if kind == "encoder" else "target"
        )
        kind = kind or asked.kind
        layer = len(trace.of_kind(kind)) if layer is None else layer
        return Plot(draw_row(trace, asked.table(layer=layer, head=head or 1, kind=kind, rows=rows)))
    kind = kind or "cross"
    view = view_head(trace, kind, len(trace.of_kind(kind)) if layer is None else layer, 1 if head is None else head)
    if what == "map":
        return Plot(draw_map(view, unit=unit, rows=rows))
    return Plot(draw_lines(view, unit=unit, rows=rows, word=word, occurrence=occurrence))


def plot_antecedents(found: Antecedents) -> Plot:
    """A figure of the table of antecedents: a dot for each head and method, chance, and what decides."""
    return Plot(draw_antecedents(found))
