"""Who looks and who is looked at, as a figure calls them, and the weights between them."""

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from regard.looking.plots.sheet import Points, Sheet, width_of
from regard.looking.trace import Attention, Kind, Numbers, Trace
from regard.looking.views import Rows, key_words, keys, merged, queries, query_words
from regard.looking.words import Word
from regard.plots import FAINT, INK
from regard.text.tokenizer import SPACE

Unit = Literal["words", "pieces"]

NAMES: dict[Kind, str] = {
    "encoder": "Encoder self-attention",
    "decoder": "Decoder self-attention",
    "cross": "Cross-attention",
}
_MARKS = {"<s>": "start", "</s>": "end"}
_LONGEST = 18  # letters of a label


@dataclass(frozen=True)
class Label:
    """A word as it is shown: what the model reads in serifs, and marks that nobody wrote small."""

    text: str
    mark: bool

    @property
    def width(self) -> float:
        """At size 10, in points."""
        return width_of(self.text, 8 if self.mark else 10, "sans" if self.mark else "serif")

    def draw(self, sheet: Sheet, x: Points, y: Points, *, scale: Points = 1, colour: str = "", **where: object) -> None:
        """Puts it there; a scale of 1 is size 10."""
        if self.mark:
            sheet.text(x, y, self.text, size=8 * scale, colour=colour or FAINT, **where)  # type: ignore[arg-type]
        else:
            given = {"face": "serif", "colour": colour or INK} | where
            sheet.text(x, y, self.text, size=10 * scale, **given)  # type: ignore[arg-type]


def label(text: str) -> Label:
    """The label of a word or a piece."""
    if text in _MARKS:
        return Label(_MARKS[text], True)
    text = text.replace(SPACE, "\u2423")
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
    shown = shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
    return Label(shown, bool(re.fullmatch(r"<[^<>\s]+>", text)))


@dataclass(frozen=True)
class Sides:
    """The groups of both sides of a kind of attention: words, or single pieces."""

    queries: list[Word]
    keys: list[Word]
    also: list[Label] | None  # the decoder's rows by their other name: what was read where this is written

    def weights(self, block: Attention, head: int) -> Float[Numbers, "words others"]:
        """One head's weights between the groups; NaN where no piece may look."""
        found = merged(block.weights[head], self.queries, self.keys).astype(np.float64)
        open_ = merged(block.mask.astype(np.float32), self.queries, self.keys)
        found[open_ == 0] = np.nan
        return found


def sides(trace: Trace, kind: Kind, unit: Unit, rows: Rows) -> Sides:
    """The groups of a kind."""
    other: Rows = "reads" if rows == "writes" else "writes"
    if unit == "pieces":
        looking = _single(queries(trace, kind, rows))
        also = None if kind == "encoder" else [label(text) for text in queries(trace, kind, other)]
        return Sides(looking, _single(keys(trace, kind)), also)
    looking = query_words(trace, kind, rows)
    if kind == "encoder":
        return Sides(looking, key_words(trace, kind), None)
    pieces, named = queries(trace, kind, other), query_words(trace, kind, other)
    also = [label(_said(named, word.pieces.start, pieces[word.pieces.start])) for word in looking]
    return Sides(looking, key_words(trace, kind), also)


def _said(words: list[Word], piece: int, otherwise: str) -> str:
    """The word in which a piece stands."""
    return next((word.text for word in words if piece in word.pieces), otherwise)


def _single(pieces: list[str]) -> list[Word]:
    return [Word(piece, range(place, place + 1)) for place, piece in enumerate(pieces)]
