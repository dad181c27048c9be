"""The shortlist: what a translation may hold, so that the output layer of the fast engine is small.

Learned from the training pairs; `regard.interop.proof` tells whether one is harmless.
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
ONE_IN, FEWEST = 6, 1000  # pieces that stand for all that are left out: one in so many, and so many at least


class Outputs(NamedTuple):
    """The rows that an output layer keeps."""

    pieces: NDArray[np.int64]  # ascending; the special pieces are among them
    bias: NDArray[np.float32]  # added to their logits


@dataclasses.dataclass(frozen=True, eq=False)
class Shortlist:
    """The target pieces that may come.

    What is left out still takes part in the softmax, or else every probability would be too high, now more, now less,
    and a beam, which compares them, would find something else. So a sample of it, `rest`, stands for all of it: its
    logits are raised by the logarithm of how many pieces each stands for (importance sampling of the softmax's
    denominator: Bengio and Senecal, 2003).
    """

    listed: NDArray[np.int64]
    rest: NDArray[np.int64]
    weights: str = ""  # SHA-256 of the weights that it was proved for; an engine of others does without it

    def save(self, path: Path) -> None:
        """Writes it, whole or not at all."""
        with written_whole(path) as aside, aside.open("wb") as file:
            listed, rest = self.listed.astype(np.uint32), self.rest.astype(np.uint32)
            np.savez_compressed(file, listed=listed, rest=rest, weights=np.array(self.weights))

    @classmethod
    def load(cls, path: Path) -> "Shortlist":
        """What `save` wrote. Raises InputError where it is damaged."""
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as saved:  # np.load leaves a bad file open
                weights = str(saved["weights"]) if "weights" in saved else ""  # older ones do not say
                return cls(saved["listed"].astype(np.int64), saved["rest"].astype(np.int64), weights)
        except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error):
            raise InputError(
                f"{path}: damaged. Take it from a copy, or delete it: it only makes things quicker."
            ) from None

    def outputs(self, vocabulary: int) -> Outputs:
        """What the output layer of a model with so many target pieces keeps."""
        pieces = np.unique(np.concatenate([np.arange(EOS + 1), self.listed, self.rest]))
        bias = np.zeros(len(pieces), np.float32)
        if len(self.rest):
            left_out = vocabulary - len(pieces)
            bias[np.isin(pieces, self.rest)] = math.log1p(left_out / len(self.rest))
        return Outputs(pieces, bias)


def learn_shortlist(encoded: Encoded, tokenizer: Tokenizer, *, seen: int = SEEN, rest: int | None = None) -> Shortlist:
    """The pieces that the model has learned to write: those that came in the training targets more than now and then.

    Besides, what it may copy: names. Of a vocabulary for both languages, hardly more than half. `rest`: how many pieces
    stand for those that are left out; None: as the defaults above say.
    """
    counts = np.bincount(encoded.target.values, minlength=len(tokenizer.target))
    often = np.flatnonzero(counts >= seen).tolist()
    listed = np.unique([EOS, *_plain(tokenizer.target), *_names(encoded.source, tokenizer), *often])
    others = np.setdiff1d(np.arange(EOS + 1, len(tokenizer.target)), listed)
    rest = max(FEWEST, len(others) // ONE_IN) if rest is None else rest
    return Shortlist(listed, np.sort(np.random.default_rng(1).permutation(others)[:rest]))


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
