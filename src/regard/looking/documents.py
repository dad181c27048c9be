"""A trace as a page of its own, and as what a notebook shows."""

import html
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from regard.disk import write_text
from regard.looking.comparing import Compared
from regard.looking.export import Shown, alti_data, page_data
from regard.looking.shell import frame, page
from regard.looking.trace import Trace
from regard.looking.views import key_words, merged, query_words
from regard.looking.worth import worth

CELL = 17  # pixels


def document(
    trace: Trace,
    *,
    others: Sequence[Compared] = (),
    measure: bool = True,
    layers: Sequence[int] | None = None,
    language: str = "en",
) -> str:
    """The page as HTML. others: looks to stand beside it; measure: whether to find out what heads and words are worth,
    which needs the model; layers: those to keep, from 1."""
    shown = [shown_of(trace, measure=measure)]
    shown += [shown_of(o.trace, measure=measure)._replace(change=o.change, delta=o.delta) for o in others]
    return page(page_data(shown, layers=layers), title=f"{trace.text[:60]} - regard", language=language)


def shown_of(trace: Trace, *, measure: bool = True) -> Shown:
    """A trace with what can be measured about it; with nothing, where it knows no model or `measure` is False."""
    if not measure or trace.translator is None:
        return Shown(trace)
    return Shown(trace, worth(trace).record(), alti_data(trace))


def write_page(trace: Trace, path: Path, **settings: object) -> None:
    """Writes the page; settings are those of `document`."""
    write_text(path, document(trace, **settings))  # type: ignore[arg-type]


def notebook(trace: Trace) -> str:
    """What a notebook shows: the translation and a map that need no script, then the page in a frame of its own."""
    return f"{still(trace)}{frame(document(trace))}"


def still(trace: Trace) -> str:
    """The words that were written, their probabilities and what else might have stood there, and one head as a map."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{html.escape(word.text)}</th>"
        f"<td>{np.exp(sum(trace.log_probs[word.slice])):.2f}</td>"
        f"<td style='text-align:left'>{_others(trace, word.pieces.start)}</td></tr>"
        for word in trace.target_words
    )
    return (
        f"<p><b>{html.escape(trace.text)}</b><br>{html.escape(trace.translation)}</p>"
        f"<details><summary>Words and probabilities</summary><table><thead><tr><th>writes</th><th>p</th>"
        f"<th>or else</th></tr></thead><tbody>{rows}</tbody></table></details>{head_svg(trace)}"
    )


def _others(trace: Trace, place: int) -> str:
    own = trace.writes[place]
    return ", ".join(f"{html.escape(piece)} {p:.3f}" for piece, p in trace.alternatives[place][:4] if piece != own)


def head_svg(trace: Trace, layer: int | None = None, head: int | None = None) -> str:
    """One head of cross-attention as an SVG that nothing need run for; by default the last layer's most focused one."""
    block = trace.of_kind("cross")[-1] if layer is None else trace.attention("cross", layer)
    number = int(block.weights.max(axis=2).mean(axis=1).argmax()) if head is None else head - 1
    rows, columns = query_words(trace, "cross"), key_words(trace, "cross")
    weights, left, top = merged(block.weights[number], rows, columns), 110, 92
    cells = "".join(
        f'<rect x="{left + j * CELL}" y="{top + i * CELL}" width="{CELL - 1}" height="{CELL - 1}" fill="#00685c" '
        f'fill-opacity="{0.05 + 0.95 * weights[i, j]:.3f}"><title>{html.escape(row.text)}, {html.escape(column.text)}: '
        f"{weights[i, j]:.3f}</title></rect>"
        for i, row in enumerate(rows)
        for j, column in enumerate(columns)
    )
    names = "".join(
        f'<text x="{left - 6}" y="{top + i * CELL + 12}" text-anchor="end">{html.escape(word.text)}</text>'
        for i, word in enumerate(rows)
    ) + "".join(
        f'<text transform="translate({left + j * CELL + 12} {top - 6}) rotate(-52)">{html.escape(word.text)}</text>'
        for j, word in enumerate(columns)
    )
    width, height = left + len(columns) * CELL + 60, top + len(rows) * CELL + 26
    title = f"cross-attention, layer {block.layer + 1}, head {number + 1}: rows write, columns are looked at"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{title}" font-family="Georgia, serif" font-size="12" fill="currentColor">'
        f'{cells}{names}<text x="0" y="{height - 6}" font-family="sans-serif" font-size="11">{title}</text></svg>'
    )
