"""Traces for others: the versioned JSON that the page reads, records as CSV, and how large all that may be.

A tensor is the base64 of its little-endian bytes. q, k and v are float32 where that is affordable, else float16. What
the page can compute (scores, scaled scores, masks) does not travel; the model's own weights travel as a check, or where
they are many, the largest of each row.
"""

import base64
import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from regard.disk import write_text
from regard.errors import InputError
from regard.looking.trace import Attention, Trace
from regard.looking.words import Word

FORMAT = 1  # of the page's data; raised when an older page could no longer read it
PRECISE = 4_000_000  # bytes of q, k and v up to which they are float32 whatever the length
SHORT = 30  # pieces a side up to which they are float32 whatever the size
WEIGHTS = 6_000_000  # bytes of weights up to which they travel
OUTPUTS = 1_500_000  # bytes of W_O up to which it travels
LARGEST = 20_000_000  # characters of data that a page may hold


class Shown(NamedTuple):
    """A trace, and what was measured about it."""

    trace: Trace
    worth: Mapping[str, Any] | None = None  # `Worth.record()`: what its heads and words are worth
    attribution: Mapping[str, Any] | None = None  # ALTI+: the share of each word read in each word written
    change: Mapping[str, Any] | None = None  # what makes it differ from the first that is shown
    delta: Sequence[float] | None = None  # by how much that moves log p of each word that the first one wrote


def page_data(
    shown: Sequence[Trace | Shown],
    *,
    worth: Sequence[Mapping[str, Any] | None] = (),
    layers: Sequence[int] | None = None,
    largest: int = LARGEST,
    live: Mapping[str, Any] | None = None,
) -> str:
    """What the page reads, as JSON: a look for each trace, with what was measured about it.

    worth: `Worth.record()` of each that is given bare; layers: those to keep, from 1 (default: all); live: what a live
    page is told of its model. Raises InputError where the data would be larger than `largest`, and says which layers
    would fit.
    """
    known = [*worth, *[None] * len(shown)]
    every = [one if isinstance(one, Shown) else Shown(one, known[number]) for number, one in enumerate(shown)]
    data = {"format": FORMAT, "looks": [look_data(one, layers=layers) for one in every], "live": live}
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    if len(text) > largest:
        raise InputError(_too_large([one.trace for one in every], text, layers, largest))
    return text


def look_data(shown: Trace | Shown, *, layers: Sequence[int] | None = None) -> dict[str, Any]:
    """One trace as JSON values, with what was measured about it; of a bare trace, what can be measured quickly."""
    if isinstance(shown, Trace):
        shown = Shown(shown, attribution=alti_data(shown))
    trace = shown.trace
    kept = [block for block in trace.attentions if layers is None or block.layer + 1 in layers]
    if not kept:
        raise InputError(f"There are no layers {', '.join(map(str, layers or []))} in this model.")
    number = np.dtype("<f4") if _precise(trace, kept) else np.dtype("<f2")
    room = {
        "outputs": sum(block.w_o.nbytes for block in kept) <= OUTPUTS,
        "weights": sum(block.weights.size for block in kept) * number.itemsize <= WEIGHTS,
    }
    return {
        "model": vars(trace.model),
        "text": trace.text,
        "translation": trace.translation,
        "forced": trace.forced,
        "source": _side(trace.source_pieces, trace.source_words),
        "reads": _side(trace.reads, trace.read_words),
        "writes": _side(trace.writes, trace.target_words),
        "log_probs": _rounded(trace.log_probs),
        "alternatives": [[[piece, _figures(p)] for piece, p in row] for row in trace.alternatives],
        "beam": [
            [node.parent, node.piece, round(node.log_prob, 4), round(node.total, 4), node.state, node.chosen]
            for node in trace.beam
        ],
        "embedded": {kind: _embedded(trace, kind) for kind in ("encoder", "decoder")},
        "blocks": [_block(trace, block, number, room) for block in kept],
        "worth": shown.worth and compact(shown.worth),
        "attribution": shown.attribution,
        "change": shown.change,
        "delta": None if shown.delta is None else _rounded(shown.delta),
    }


def compact(worth: Mapping[str, Any]) -> dict[str, Any]:
    """What heads and words are worth, without what the page does not draw, and with four digits."""
    return {
        name: [
            {
                "change": effect["change"],
                "translation": effect["translation"],
                "same": effect["same"],
                "delta": _rounded(effect["word_delta"]),
            }
            for effect in effects
        ]
        for name, effects in worth.items()
    }


def to_csv(records: Sequence[Mapping[str, Any]]) -> str:
    """Records (`Trace.table()`) as CSV, a line for each; the first line names the columns.

    A text that a spreadsheet would take for a formula (it begins with = + - @, or a tab) gets an apostrophe before it,
    which makes it a text there.
    """
    if not records:
        return ""
    text = io.StringIO()
    rows = csv.DictWriter(text, fieldnames=list(records[0]), lineterminator="\n")
    rows.writeheader()
    rows.writerows({name: _as_text(value) for name, value in record.items()} for record in records)
    return text.getvalue()


def _as_text(value: Any) -> Any:
    """A cell that is no formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(tuple("=+-@\t\r\n")) else value


def write_csv(records: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Writes records as CSV."""
    write_text(path, to_csv(records))


def alti_data(trace: Trace) -> dict[str, Any] | None:
    """The shares that ALTI+ finds over all layers, between words; None where the trace knows no model."""
    from regard.looking.attribution import attribute_trace

    if trace.translator is None:
        return None
    found = attribute_trace(trace, method="alti")
    sides = {"source": found.source, "prefix": found.prefix}
    return {"method": found.method, **{side: [_rounded(row) for row in rows.tolist()] for side, rows in sides.items()}}


def _side(pieces: Sequence[str], words: Sequence[Word]) -> dict[str, Any]:
    return {"pieces": list(pieces), "words": [[word.text, word.pieces.start, word.pieces.stop] for word in words]}


def _block(trace: Trace, block: Attention, number: np.dtype[Any], room: Mapping[str, bool]) -> dict[str, Any]:
    """One attention block. Lengths (norms) stand for what does not travel: the stream, and W_O where it is large."""
    heads, rows, cols = block.weights.shape
    fed = next((f for f in trace.feed_forwards if (f.stack, f.layer) == (_stack(block), block.layer)), None)
    values = block.v @ block.w_o  # f^h(m) but for b_O: what a weight of 1 would add
    described: dict[str, Any] = {
        "kind": block.kind,
        "layer": block.layer,
        "shape": [heads, rows, cols, block.q.shape[2], block.v.shape[2]],
        "type": "f4" if number.itemsize == 4 else "f2",
        **{name: encoded(getattr(block, name), number) for name in ("q", "k", "v")},
        "lane": _lengths(block.x_in),
        "after": _lengths(block.x_out),
        "added": [_lengths(head) for head in block.heads],
        "carried": [_lengths(head) for head in values],
        "fed": _lengths(fed.added) if fed and block.kind != "decoder" else None,
    }
    if room["weights"]:
        described["weights"] = encoded(block.weights, number)
    else:
        described["peaks"] = encoded(block.weights.max(axis=2))
    if room["outputs"]:
        described |= {"w_o": encoded(block.w_o), "b_o": encoded(block.b_o), "sum": encoded(block.added)}
    if number.itemsize == 4:
        described["context"] = encoded(block.context)
    return described


def _stack(block: Attention) -> str:
    return "encoder" if block.kind == "encoder" else "decoder"


def _embedded(trace: Trace, kind: Any) -> str | None:
    """The words as they enter a stack: piece and position together."""
    first = next((block for block in trace.of_kind(kind) if block.layer == 0), None)
    return None if first is None else encoded(first.x_in, np.dtype("<f2"))


def encoded(values: np.ndarray, number: np.dtype[Any] | None = None) -> str:
    """An array's little-endian bytes in base64; float32 unless told."""
    return base64.b64encode(np.ascontiguousarray(values, dtype=number or np.dtype("<f4")).tobytes()).decode("ascii")


def _precise(trace: Trace, blocks: Sequence[Attention]) -> bool:
    size = sum(block.q.nbytes + block.k.nbytes + block.v.nbytes for block in blocks)
    return size <= PRECISE or max(len(trace.source_pieces), len(trace.writes)) <= SHORT


def _lengths(vectors: np.ndarray) -> list[float]:
    return [_figures(float(length)) for length in np.linalg.norm(vectors, axis=-1)]


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 4) for value in values]


def _figures(value: float) -> float:
    return float(f"{value:.5g}")


def _too_large(traces: Sequence[Trace], text: str, layers: Sequence[int] | None, largest: int) -> str:
    deepest = max(block.layer + 1 for trace in traces for block in trace.attentions)
    count = len(layers) if layers else deepest
    fit = max(1, int(count * largest / len(text)))
    some = ", ".join(str(number) for number in range(deepest - fit + 1, deepest + 1))
    return (
        f"The page would hold {len(text) / 1e6:.0f} MB, and {largest / 1e6:.0f} MB is the most that opens well. "
        f"Keep some layers: layers=[{some}] (on the command line --layers {some.replace(',', '')})."
    )
