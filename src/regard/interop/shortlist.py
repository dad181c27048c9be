"""The shortlist: what a translation may hold, so that the output layer of the fast engine is small.

Learned from the training pairs; `regard.interop.rest` makes what stands for all else, and `regard.interop.proof` tells
whether a shortlist is harmless.
"""

import dataclasses
import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regard.config import EOS
from regard.disk import written_whole
from regard.errors import InputError
from regard.text.store import Encoded, Ragged
from regard.text.tokenizer import SPACE, Tokenizer, Vocabulary

SEEN = 3  # times that a piece came in the training targets, to be on the list
COPIES = 300  # of the vector that stands for what is left out


class Rest(NamedTuple):
    """What stands for all pieces that are left out: where the output layer reads h, `vector` · h + `bias` is about the
    logarithm of the sum of exp(w · h) over their rows w."""

    vector: NDArray[np.float32]  # as wide as the model
    bias: float
    copies: int = COPIES  # in the output layer; where few pieces are left out, half as many as those


class Outputs(NamedTuple):
    """The rows that an output layer keeps."""

    pieces: NDArray[np.int64]  # ascending; the special pieces are among them
    bias: NDArray[np.float32]  # added to their logits
    copies: NDArray[np.int64]  # the places of those that are the vector of the rest, instead of their piece's own
    vector: NDArray[np.float32]


@dataclasses.dataclass(frozen=True, eq=False)
class Shortlist:
    """The target pieces that may come.

    What is left out still takes part in the softmax, or else every probability would be too high, now more, now less,
    and a beam, which compares them, would find something else. One vector stands for all of it. The output layer has it
    some hundred times, each with that part of the weight, in place of pieces that are left out: so none of the copies
    is likely enough to be written, though one may come before other pieces that are as unlikely.
    """

    listed: NDArray[np.int64]
    rest: Rest
    weights: str = ""  # SHA-256 of the weights that it was proved for; an engine of others does without it

    def save(self, path: Path) -> None:
        """Writes it, whole or not at all."""
        with written_whole(path) as aside, aside.open("wb") as file:
            np.savez_compressed(
                file,
                listed=self.listed.astype(np.uint32),
                vector=self.rest.vector,
                bias=np.array(self.rest.bias),
                copies=np.array(self.rest.copies),
                weights=np.array(self.weights),
            )

    @classmethod
    def load(cls, path: Path) -> "Shortlist":
        """What `save` wrote. Raises InputError where it is damaged."""
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as saved:  # np.load leaves a bad file open
                rest = Rest(saved["vector"].astype(np.float32), float(saved["bias"]), int(saved["copies"]))
                return cls(saved["listed"].astype(np.int64), rest, str(saved["weights"]))
        except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error):
            raise InputError(
                f"{path}: damaged. Take it from a copy, or delete it: it only makes things quicker."
            ) from None

    def outputs(self, vocabulary: int) -> Outputs:
        """What the output layer of a model with so many target pieces keeps."""
        others = left_out(self.listed, vocabulary)
        others = others[: min(self.rest.copies, len(others) // 2)]
        pieces = np.unique(np.concatenate([np.arange(EOS + 1), self.listed, others]))
        copies = np.searchsorted(pieces, others)
        bias = np.zeros(len(pieces), np.float32)
        bias[copies] = self.rest.bias - math.log(max(1, len(others)))
        return Outputs(pieces, bias, copies, self.rest.vector)


def left_out(listed: NDArray[np.int64], vocabulary: int) -> NDArray[np.int64]:
    """The pieces of a vocabulary that are not listed, nor special."""
    return np.setdiff1d(np.arange(EOS + 1, vocabulary), listed)


def likely_pieces(
    encoded: Encoded, tokenizer: Tokenizer, *, seen: int = SEEN, worth: NDArray[np.float64] | None = None
) -> NDArray[np.int64]:
    """The pieces that the model has learned to write: those that came in the training targets more than now and then.

    Besides, what it may copy: names. Of a vocabulary for both languages, hardly more than half. Fewer where it is known
    what each piece is worth: those of infinite worth, and of all others that came so often the better half.
    """
    often = np.flatnonzero(np.bincount(encoded.target.values, minlength=len(tokenizer.target)) >= seen)
    if worth is not None:
        best, others = np.flatnonzero(np.isinf(worth)), often[np.isfinite(worth[often])]
        half = others[np.argsort(-worth[others], kind="stable")][: len(others) // 2]
        often = np.concatenate([best, half])
    return np.unique([EOS, *_plain(tokenizer.target), *_names(encoded.source, tokenizer), *often.tolist()])


def _plain(words: Vocabulary) -> list[int]:
    """Bytes, digits, signs and the letters of alphabets: what anything can be spelt with."""
    return [
        number
        for number, piece in _written(words)
        if not any(map(str.isalpha, piece)) or (len(piece.lstrip(SPACE)) == 1 and piece.lower() != piece.upper())
    ]


def _names(source: Ragged, tokenizer: Tokenizer) -> list[int]:
    """Target pieces that are written like a capitalised one from within a source, not from its beginning."""
    tag = len(tokenizer.tag(next(iter(tokenizer.directions), None)))
    within = np.ones(len(source.values), bool)
    for place in range(tag + 1):
        within[source.starts[:-1] + np.minimum(place, source.lengths - 1)] = False
    theirs = {piece: number for number, piece in _written(tokenizer.target)}
    pieces = dict(_written(tokenizer.source))
    own = [pieces.get(number, "") for number in np.unique(source.values[within]).tolist()]
    return [theirs[piece] for piece in own if piece.lstrip(SPACE)[:1].isupper() and piece in theirs]


def _written(words: Vocabulary) -> Iterator[tuple[int, str]]:
    """Each piece behind the special ones; one that is no text, such as a byte, as nothing."""
    return ((number, words.texts.get(number, "")) for number in range(EOS + 1, len(words)))
