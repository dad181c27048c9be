"""A trace from the side of a word, or of a head: which rows are theirs, what they are called, their arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from regard.errors import InputError
from regard.looking.table import Steps, steps
from regard.looking.trace import Attention, Kind, Numbers, Trace
from regard.looking.words import Word, find_word

Rows = Literal["writes", "reads"]  # by which of its two pieces a row of the decoder is called


def merged(
    weights: Float[Numbers, "*head query key"], queries: Sequence[Word], keys: Sequence[Word]
) -> Float[Numbers, "*head words others"]:
    """Weights between pieces as weights between words: the sum over a key's pieces, the mean over a query's."""
    summed = np.stack([weights[..., word.slice].sum(axis=-1) for word in keys], axis=-1)
    return np.stack([summed[..., word.slice, :].mean(axis=-2) for word in queries], axis=-2)


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadView:
    """One head of one block. Made by `Trace.head`."""

    trace: Trace
    block: Attention
    head: int  # from 0

    @property
    def weights(self) -> Float[Numbers, "query key"]:
        """Where each query looks; a row sums to 1."""
        return self.block.weights[self.head]

    @property
    def contribution(self) -> Float[Numbers, "query model"]:
        """What the head adds to the residual stream."""
        return self.block.context[self.head] @ self.block.w_o[self.head]

    def words(self, rows: Rows = "writes") -> Float[Numbers, "words others"]:
        """The weights between words (`merged`)."""
        queries, keys = query_words(self.trace, self.block.kind, rows), key_words(self.trace, self.block.kind)
        return merged(self.weights, queries, keys)

    def steps(self, place: int, rows: Rows = "writes") -> Steps:
        """The arithmetic of one row, from 0."""
        kind = self.block.kind
        query = queries(self.trace, kind, rows)[place]
        return steps(self.block, self.head, place, query=query, keys=keys(self.trace, kind))

    def table(self, rows: Rows = "writes") -> list[dict[str, Any]]:
        """A record for each query and key, for pandas.DataFrame(...)."""
        return records(self.trace, self.block, self.head, rows)


class Gaze(NamedTuple):
    """Where a word looks in one head, the words with the largest weights first; layer and head count from 0."""

    layer: int
    head: int
    words: list[str]
    weights: list[float]


class WordView(NamedTuple):
    """One word of a trace, source or target. Made by `Trace.word`."""

    trace: Trace
    word: Word
    side: Literal["source", "target"]

    @property
    def log_prob(self) -> float:
        """log p of a target word: the sum over its pieces, in nats."""
        if self.side == "source":
            raise InputError(f"'{self.word.text}' is a word of the source; only what is written has a probability.")
        return sum(self.trace.log_probs[self.word.slice])

    @property
    def alternatives(self) -> list[list[tuple[str, float]]]:
        """The most probable pieces in the place of each of its pieces, with their probability."""
        return self.trace.alternatives[self.word.slice] if self.side == "target" else []

    @property
    def kind(self) -> Kind:
        """The attention in which it looks at the source."""
        return "encoder" if self.side == "source" else "cross"

    def table(self, *, layer: int, head: int, kind: Kind | None = None, rows: Rows = "writes") -> list[Steps]:
        """The arithmetic of each of its pieces; layer and head count from 1."""
        kind = kind or self.kind
        view, first = view_head(self.trace, kind, layer, head), self._first(kind, rows)
        return [view.steps(first + number, rows) for number in range(len(self.word.pieces))]

    def gazes(
        self, kind: Kind | None = None, *, layer: int | None = None, head: int | None = None, rows: Rows = "writes"
    ) -> list[Gaze]:
        """Where it looks, in each head, or in those of one layer, or in those of one number (both from 1)."""
        kind = kind or self.kind
        first, others = self._first(kind, rows), key_words(self.trace, kind)
        own = Word(self.word.text, range(first, first + len(self.word.pieces)))
        blocks = self.trace.of_kind(kind) if layer is None else [self.trace.attention(kind, layer)]
        numbers = range(len(blocks[0].q)) if head is None else [view_head(self.trace, kind, 1, head).head]
        return [_gaze(block, number, own, others) for block in blocks for number in numbers]

    def _first(self, kind: Kind, rows: Rows) -> int:
        """The row of its first piece."""
        if (kind == "encoder") != (self.side == "source"):
            raise InputError(_not_a_query(self.word.text, kind, self.trace))
        later = 1 if rows == "reads" and self.side == "target" else 0
        if self.word.pieces.stop + later > len(queries(self.trace, kind, rows)):
            raise InputError(f"'{self.word.text}' ends the translation: the model writes it, and reads it no more.")
        return self.word.pieces.start + later


def _gaze(block: Attention, head: int, word: Word, others: Sequence[Word]) -> Gaze:
    weights = merged(block.weights[head], [word], others)[0]
    order = np.argsort(-weights, kind="stable").tolist()
    return Gaze(block.layer, head, [others[place].text for place in order], [float(weights[place]) for place in order])


def view_word(trace: Trace, text: str, occurrence: int = 1, side: str | None = None) -> WordView:
    """The word of this text: of the target, if it is there, or else of the source."""
    sides = {"target": trace.target_words, "source": trace.source_words}
    wanted = {side: sides[side]} if side else sides
    word, where = find_word(wanted, text, occurrence)
    return WordView(trace, word, "target" if where == "target" else "source")


def view_head(trace: Trace, kind: Kind, layer: int, head: int) -> HeadView:
    """One head; layers and heads count from 1."""
    block = trace.attention(kind, layer)
    if not 1 <= head <= len(block.q):
        raise InputError(f"There is no head {head}: each layer has heads 1 to {len(block.q)}.")
    return HeadView(trace=trace, block=block, head=head - 1)


def queries(trace: Trace, kind: Kind, rows: Rows = "writes") -> list[str]:
    """The pieces that look, a row each."""
    return trace.source_pieces if kind == "encoder" else trace.writes if rows == "writes" else trace.reads


def keys(trace: Trace, kind: Kind) -> list[str]:
    """The pieces that are looked at, a column each."""
    return trace.reads if kind == "decoder" else trace.source_pieces


def query_words(trace: Trace, kind: Kind, rows: Rows = "writes") -> list[Word]:
    """The words that look."""
    return trace.source_words if kind == "encoder" else trace.target_words if rows == "writes" else trace.read_words


def key_words(trace: Trace, kind: Kind) -> list[Word]:
    """The words that are looked at."""
    return trace.read_words if kind == "decoder" else trace.source_words


def records(trace: Trace, block: Attention, head: int, rows: Rows = "writes") -> list[dict[str, Any]]:
    """A record for each query and key of one head (from 0); in the records layers, heads and places count from 1."""
    names, others = queries(trace, block.kind, rows), keys(trace, block.kind)
    at = {"kind": block.kind, "layer": block.layer + 1, "head": head + 1}
    return [
        {
            **at,
            "query_place": i + 1,
            "query": query,
            "key_place": j + 1,
            "key": key,
            "score": float(block.scores[head, i, j]),
            "scaled": float(block.scaled[head, i, j]),
            "mask": bool(block.mask[i, j]),
            "weight": float(block.weights[head, i, j]),
        }
        for i, query in enumerate(names)
        for j, key in enumerate(others)
    ]


def _not_a_query(text: str, kind: Kind, trace: Trace) -> str:
    """Why a word has no row in a kind of attention."""
    if kind == "encoder":
        words = " ".join(word.text for word in trace.source_words)
        return f"'{text}' is a word of the translation; in the encoder, the words of the source look: {words}."
    words = " ".join(word.text for word in trace.target_words)
    return f"'{text}' is a word of the source; in {kind} attention, the words of the translation look: {words}."
