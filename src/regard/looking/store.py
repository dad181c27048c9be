"""A trace on disk: one .npz of plain arrays, with a JSON header beside them. Nothing in it can run."""

import dataclasses
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from regard.disk import written_whole
from regard.errors import InputError
from regard.looking.trace import FORMAT, Attention, FeedForwardBlock, ModelFacts, Node, Trace
from regard.looking.words import Word

_HEADER = "header"
_NUMBERS = [field.name for field in dataclasses.fields(Attention) if field.name not in ("kind", "layer")]
_STREAM = ("x_in", "added", "x_out")
_SEPARATE = ("attentions", "feed_forwards", "translator")  # not in the header


def header(trace: Trace) -> dict[str, Any]:
    """All of a trace but its arrays, as JSON values; a word is [text, first piece, behind its last piece]."""
    plain = {
        field.name: getattr(trace, field.name) for field in dataclasses.fields(trace) if field.name not in _SEPARATE
    }
    words = {
        side: [[word.text, word.pieces.start, word.pieces.stop] for word in plain[side]]
        for side in ("source_words", "target_words")
    }
    return plain | words | {"model": dataclasses.asdict(trace.model), "beam": [list(node) for node in trace.beam]}


def arrays(trace: Trace) -> dict[str, np.ndarray]:
    """The arrays of a trace by name: cross.2.weights is that of the third layer."""
    named = {f"{b.kind}.{b.layer}.{name}": getattr(b, name) for b in trace.attentions for name in _NUMBERS}
    fed = {
        f"feed_forward.{b.stack}.{b.layer}.{name}": getattr(b, name) for b in trace.feed_forwards for name in _STREAM
    }
    return named | fed


def save(trace: Trace, path: Path) -> None:
    """Writes the trace, whole or not at all."""
    text = json.dumps(header(trace), ensure_ascii=False).encode()
    with written_whole(path) as aside, aside.open("wb") as file:
        np.savez(file, allow_pickle=False, **{_HEADER: np.frombuffer(text, dtype=np.uint8)}, **arrays(trace))


def load(path: Path) -> Trace:
    """The trace in this file. Raises InputError where it is missing, no trace, damaged or too new."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:  # np.load alone leaves a bad file open
            named = {name: file[name] for name in file.files}
        described = json.loads(named.pop(_HEADER).tobytes())
        if described["format"] != FORMAT:
            raise InputError(f"{path}: trace format {described['format']}; this version reads {FORMAT}. Update regard.")
        return _trace(described, named)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    except InputError:
        raise
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile):
        raise InputError(
            f"{path}: not a trace, or damaged. Make it again with Translator.look(...).save(...)."
        ) from None


def _trace(described: Mapping[str, Any], named: Mapping[str, np.ndarray]) -> Trace:
    facts = ModelFacts(**described["model"])
    depths = {"encoder": facts.n_encoder_layers, "decoder": facts.n_decoder_layers, "cross": facts.n_decoder_layers}
    places = [(kind, layer) for kind, depth in depths.items() for layer in range(depth)]
    words = {
        side: [Word(text, range(start, stop)) for text, start, stop in described[side]]
        for side in ("source_words", "target_words")
    }
    plain = dict(described) | words
    plain["model"] = facts
    plain["alternatives"] = [[(piece, p) for piece, p in row] for row in described["alternatives"]]
    plain["beam"] = [Node(*node) for node in described["beam"]]
    return Trace(
        attentions=[_attention(kind, layer, named) for kind, layer in places],
        feed_forwards=[_feed_forward(kind, layer, named) for kind, layer in places if kind != "cross"],
        **plain,
    )


def _attention(kind: Any, layer: int, named: Mapping[str, np.ndarray]) -> Attention:
    return Attention(kind=kind, layer=layer, **{name: named[f"{kind}.{layer}.{name}"] for name in _NUMBERS})


def _feed_forward(stack: Any, layer: int, named: Mapping[str, np.ndarray]) -> FeedForwardBlock:
    return FeedForwardBlock(stack, layer, *(named[f"feed_forward.{stack}.{layer}.{name}"] for name in _STREAM))
