"""A trace: every number of attention in one translation, and the words that they are about.

Fields count from 0, as arrays do; methods that take a layer or a head count from 1, as people do, and so do the records
of tables. Row t of what the decoder does is computed when it reads `reads[t]` and writes `writes[t]`.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Bool, Float

from regard.decoding.translator import Translator
from regard.errors import InputError
from regard.looking.words import Word

if TYPE_CHECKING:
    from regard.looking.attribution import Why
    from regard.looking.plots import Plot, What
    from regard.looking.views import HeadView, WordView
    from regard.looking.worth import Worth

FORMAT = 1  # raised when an older version could no longer read a saved trace

Kind = Literal["encoder", "decoder", "cross"]  # encoder self-attention, decoder self-attention, cross-attention
KINDS: tuple[Kind, ...] = get_args(Kind)

Numbers = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Attention:
    """What one attention block read, computed and added to the residual stream; all float32, as the model had it."""

    kind: Kind
    layer: int  # from 0
    q: Float[Numbers, "head query d_k"]
    k: Float[Numbers, "head key d_k"]
    v: Float[Numbers, "head key value"]
    scores: Float[Numbers, "head query key"]  # q . k
    scaled: Float[Numbers, "head query key"]  # q . k / sqrt(d_k)
    weights: Float[Numbers, "head query key"]  # softmax over the keys that may be looked at
    mask: Bool[Numbers, "query key"]  # True: this query may look at this key
    context: Float[Numbers, "head query value"]  # z, the weighted sum of the values
    w_o: Float[Numbers, "head value model"]  # the rows of W^O that belong to each head
    b_o: Float[Numbers, " model"]
    x_in: Float[Numbers, "query model"]  # the residual stream before
    m_in: Float[Numbers, "key model"]  # what keys and values are made of: after the norm, if the model is pre-norm
    added: Float[Numbers, "query model"]  # what the block adds to the stream
    x_out: Float[Numbers, "query model"]  # the stream after the sum (pre-norm), or after the sum's norm (post-norm)
    norm_weight: Float[Numbers, " model"]  # of the layer norm before the block (pre-norm) or after the sum (post-norm)
    norm_bias: Float[Numbers, " model"]

    @property
    def heads(self) -> Float[Numbers, "head query model"]:
        """What each head adds: its context through its rows of W^O. With b_O, their sum is `added`."""
        return self.context @ self.w_o


class FeedForwardBlock(NamedTuple):
    """What one feed-forward block added to the residual stream."""

    stack: Literal["encoder", "decoder"]
    layer: int  # from 0
    x_in: Float[Numbers, "position model"]
    added: Float[Numbers, "position model"]
    x_out: Float[Numbers, "position model"]


State = Literal["kept", "ended", "discarded"]


class Node(NamedTuple):
    """A candidate of the beam search: one more piece behind its parent."""

    parent: int  # the node that it continues; -1: the start
    piece: str
    log_prob: float  # of the piece, in nats
    total: float  # of all pieces up to it
    state: State
    chosen: bool  # it lies on the path of the translation


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What a reader wants to know of the model, in the paper's letters."""

    name: str
    direction: str | None
    n_encoder_layers: int
    n_decoder_layers: int
    n_heads: int
    d_model: int
    d_ff: int
    d_k: int
    d_v: int
    norm: str
    norm_epsilon: float
    activation: str
    positions: str
    parameters: int
    source_vocabulary: int
    target_vocabulary: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """One translation, looked into. Made by `Translator.look`."""

    format: int = FORMAT
    model: ModelFacts
    text: str  # as it was given
    translation: str
    forced: bool  # the translation was given, not searched for
    source_pieces: list[str]  # what the encoder read: the tag if there is one, the pieces, the end
    source_ids: list[int]
    reads: list[str]  # what the decoder read: the start, and all it wrote but the last
    writes: list[str]  # what it wrote: the pieces, the end
    target_ids: list[int]  # of `writes`
    source_words: list[Word]
    target_words: list[Word]  # over `writes`
    log_probs: list[float]  # log p of each piece of `writes`, in nats
    alternatives: list[list[tuple[str, float]]]  # the most probable pieces in each place, with their probability
    attentions: list[Attention]  # the encoder's, the decoder's own, then cross-attention, each from the bottom up
    feed_forwards: list[FeedForwardBlock]  # the encoder's, then the decoder's
    beam: list[Node]  # the search; empty when the translation was forced
    decoding: dict[str, Any]  # the settings of the search
    translator: Translator | None = dataclasses.field(default=None, repr=False)  # None once it was saved and loaded

    def __repr__(self) -> str:
        return f"Trace({self.text!r} -> {self.translation!r}, {len(self.attentions)} attention blocks)"

    @property
    def read_words(self) -> list[Word]:
        """The words of `reads`: the start, and the target's words one place later."""
        later = [
            Word(word.text, range(word.pieces.start + 1, min(word.pieces.stop + 1, len(self.reads))))
            for word in self.target_words
        ]
        return [Word(self.reads[0], range(1)), *(word for word in later if word.pieces)]

    def of_kind(self, kind: Kind) -> list[Attention]:
        """The blocks of one kind, from the bottom up."""
        return [block for block in self.attentions if block.kind == kind]

    def attention(self, kind: Kind, layer: int) -> Attention:
        """One block; layers count from 1. Raises InputError where there is none."""
        if kind not in KINDS:
            raise InputError(f"There is no attention of kind '{kind}'; it is one of {', '.join(KINDS)}.")
        blocks = self.of_kind(kind)
        if not 1 <= layer <= len(blocks):
            raise InputError(f"There is no layer {layer}: {kind} attention has layers 1 to {len(blocks)}.")
        return blocks[layer - 1]

    def word(self, text: str, *, occurrence: int = 1, side: Literal["source", "target"] | None = None) -> "WordView":
        """A word of the target, or else of the source, and its arithmetic; the first, or the n-th of its kind."""
        from regard.looking.views import view_word

        return view_word(self, text, occurrence, side)

    def head(self, kind: Kind, *, layer: int, head: int) -> "HeadView":
        """One head; layers and heads count from 1."""
        from regard.looking.views import view_head

        return view_head(self, kind, layer, head)

    def table(
        self, kind: Kind | None = None, *, layer: int | None = None, head: int | None = None
    ) -> list[dict[str, Any]]:
        """A record for each kind, layer, head, query and key (or for those asked for), for pandas.DataFrame(...)."""
        from regard.looking.views import records, view_head

        blocks = [block for block in self.attentions if kind in (None, block.kind)]
        if kind and layer is not None:
            blocks = [self.attention(kind, layer)]
        blocks = [block for block in blocks if layer in (None, block.layer + 1)]
        heads = [(block, number) for block in blocks for number in range(len(block.q)) if head in (None, number + 1)]
        if not heads:
            asked = [1 if number is None else number for number in (layer, head)]
            view_head(self, kind or "encoder", *asked)  # says what there is
        return [record for block, number in heads for record in records(self, block, number)]

    def why(self, word: str, *, instead_of: str, method: str = "occlusion-unk") -> "Why":
        """Why this word was written and not the other: what each word read did for log p(word) - log p(instead_of)."""
        from regard.looking.attribution import why_trace

        return why_trace(self, word, instead_of=instead_of, method=method)

    def living(self) -> Translator:
        """The translator that made it, to be asked more. Raises InputError where the trace was loaded from a file."""
        if self.translator is None:
            raise InputError(
                "This trace was loaded from a file and knows no model. Take dataclasses.replace(trace, "
                "translator=regard.load(...)) with the model that made it."
            )
        return self.translator

    def to_json(self, worth: "Worth | None" = None) -> str:
        """What the page reads, as JSON: all of the trace that it cannot compute by itself, and what is worth what."""
        from regard.looking.export import Shown, page_data

        return page_data([Shown(self, worth=worth and worth.record())])

    def plot(self, what: "What | None" = None, **settings: Any) -> "Plot":
        """A figure, to be shown by a notebook or saved as PNG or SVG; arguments are those of `looking.plots.plot`."""
        from regard.looking.plots import plot

        return plot(self, what, **settings)

    def html(self, path: str | Path, **settings: Any) -> None:
        """Writes the page as one file that needs no network; settings are those of `looking.documents.document`."""
        from regard.looking.documents import write_page

        write_page(self, Path(path), **settings)

    def csv(self, path: str | Path, kind: Kind | None = None, **where: Any) -> None:
        """Writes `table(...)` as CSV, for a spreadsheet."""
        from regard.looking.export import write_csv

        write_csv(self.table(kind, **where), Path(path))

    def _repr_html_(self) -> str:
        from regard.looking.documents import notebook

        return notebook(self)

    def save(self, path: str | Path) -> None:
        """Writes the trace as .npz: plain arrays and a JSON header; nothing in it can run."""
        from regard.looking.store import save

        save(self, Path(path))

    @staticmethod
    def load(path: str | Path) -> "Trace":
        """The trace that was saved in this file; it knows no model, so it answers no question that needs one."""
        from regard.looking.store import load

        return load(Path(path))
