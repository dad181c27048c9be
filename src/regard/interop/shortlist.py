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
from regard.text.formats import Pairs
from regard.text.lexicon import Lexicon, frequent, learn_lexicon
from regard.text.store import Encoded, Ragged, encode_pairs
from regard.text.tokenizer import SPACE, Tokenizer, Vocabulary

CANDIDATES, LEAST = 40, 0.001  # of one source piece: so many at most, of this probability at least
FREQUENT = 250  # target pieces that may always come
SEEN = 3  # times that a piece came in the training targets, to be on the list that is the same for all sources
REST = 1000  # pieces that stand for all that are left out


class Outputs(NamedTuple):
    """The rows that an output layer keeps."""

    pieces: NDArray[np.int64]  # ascending; the special pieces are among them
    bias: NDArray[np.float32]  # added to their logits


@dataclasses.dataclass(frozen=True, eq=False)
class Shortlist:
    """The target pieces that may come with each source piece, and those that always may.

    Where there are no couples, the list is one for all sources. What is left out still takes part in the softmax, or
    else every probability would be too high, and a beam, which compares them, would find something else. So a sample
    of it, `rest`, stands for all of it: its logits are raised by the logarithm of how many pieces each stands for
    (importance sampling of the softmax's denominator: Bengio and Senecal, 2003).
    """

    always: NDArray[np.int64]
    source: NDArray[np.int64]
    target: NDArray[np.int64]  # as long as `source`: couples
    rest: NDArray[np.int64]

    def save(self, path: Path) -> None:
        """Writes it, whole or not at all."""
        with written_whole(path) as aside, aside.open("wb") as file:
            arrays = {name: value.astype(np.uint32) for name, value in vars(self).items()}
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Shortlist":
        """What `save` wrote. Raises InputError where it is damaged."""
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as saved:  # np.load leaves a bad file open
                return cls(*(saved[field.name].astype(np.int64) for field in dataclasses.fields(cls)))
        except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error):
            raise InputError(
                f"{path}: damaged. Take it from a copy, or delete it: it only makes things quicker."
            ) from None

    def coverage(self, pairs: Pairs, tokenizer: Tokenizer) -> float:
        """The share of the target pieces of these pairs that may come, each with the pieces of its own source."""
        encoded, found, total = encode_pairs(tokenizer, pairs), 0, 0
        own = {int(s): self.target[self.source == s] for s in np.unique(encoded.source.values)}
        for row in range(len(encoded.source)):
            allowed = np.concatenate([self.always, *(own.get(int(s), self.rest[:0]) for s in encoded.source[row])])
            found += int(np.isin(encoded.target[row], allowed).sum())
            total += len(encoded.target[row])
        return found / total

    def outputs(self, vocabulary: int) -> Outputs:
        """What the output layer of a model with so many target pieces keeps."""
        pieces = np.unique(np.concatenate([np.arange(EOS + 1), self.always, self.target, self.rest]))
        bias = np.zeros(len(pieces), np.float32)
        if len(self.rest):
            bias[np.isin(pieces, self.rest)] = math.log((vocabulary - len(self.always)) / len(self.rest))
        return Outputs(pieces, bias)

    def as_map(self, tokenizer: Tokenizer) -> str:
        """The text of CTranslate2's vmap.txt: a source piece, a tab, target pieces; no source: always.

        Empty where the list is one for all sources.
        """
        if not len(self.source):
            return ""
        written = tokenizer.target.pieces(range(len(tokenizer.target)))
        named = tokenizer.source.pieces(range(len(tokenizer.source)))
        rows = [("", np.concatenate([self.always, self.rest]))]
        edges = np.flatnonzero(np.diff(self.source, prepend=-1))
        groups = np.split(self.target, edges)[1:]
        rows += [(named[s], group) for s, group in zip(self.source[edges].tolist(), groups, strict=True)]
        lines = ("\t".join([name, " ".join(written[t] for t in group.tolist())]) for name, group in rows)
        return "".join(f"{line}\n" for line in lines)


def by_source(lexicon: Lexicon, encoded: Encoded, tokenizer: Tokenizer) -> Shortlist:
    """For each piece its best translations in a lexicon and itself; for all, the most frequent pieces."""
    best = lexicon.best(CANDIDATES, LEAST)
    always = {EOS, *_plain(tokenizer.target), *frequent(encoded.target, FREQUENT).tolist()}
    couples = {*zip(best.source.tolist(), best.target.tolist(), strict=True), *_shared(tokenizer)}
    ordered = np.array(sorted(couple for couple in couples if couple[1] not in always), np.int64).reshape(-1, 2)
    return _with_rest(always, ordered, len(tokenizer.target))


def for_all(encoded: Encoded, tokenizer: Tokenizer) -> Shortlist:
    """The pieces that the model has learned to write: those that came in the training targets more than now and then.

    Besides, what it may copy: names. Of a vocabulary for both languages, hardly more than half.
    """
    counts = np.bincount(encoded.target.values, minlength=len(tokenizer.target))
    often = np.flatnonzero(counts >= SEEN).tolist()
    always = {EOS, *_plain(tokenizer.target), *_names(encoded.source, tokenizer), *often}
    return _with_rest(always, np.empty((0, 2), np.int64), len(tokenizer.target))


def learn_shortlists(pairs: Pairs, tokenizer: Tokenizer) -> list[Shortlist]:
    """From pairs, the shortest first: `by_source` with the lexicon of model 1, and `for_all`."""
    encoded = encode_pairs(tokenizer, pairs)
    return [by_source(learn_lexicon(encoded), encoded, tokenizer), for_all(encoded, tokenizer)]


def _with_rest(always: set[int], couples: NDArray[np.int64], vocabulary: int) -> Shortlist:
    """A list, and a sample of what is nowhere on it."""
    listed = np.array(sorted(always), np.int64)
    others = np.setdiff1d(np.arange(EOS + 1, vocabulary), np.concatenate([listed, couples[:, 1]]))
    rest = np.random.default_rng(1).permutation(others)[:REST]
    return Shortlist(listed, couples[:, 0], couples[:, 1], np.sort(rest))


def _plain(words: Vocabulary) -> list[int]:
    """Bytes, digits, signs and single letters: what anything can be spelt with."""
    return [number for number, piece in _written(words) if len(piece) == 1 or not any(map(str.isalpha, piece))]


def _names(source: Ragged, tokenizer: Tokenizer) -> list[int]:
    """Target pieces that are written like a capitalised one from within a source, not from its beginning."""
    first = len(tokenizer.tag(next(iter(tokenizer.directions), None)))
    within = np.arange(len(source.values)) - np.repeat(source.starts[:-1], source.lengths) > first
    own = np.unique(source.values[within])
    target = dict(_shared(tokenizer))
    capitalised = {number for number, piece in _written(tokenizer.source) if piece[:1].isupper()}
    return [target[s] for s in own.tolist() if s in capitalised and s in target]


def _written(words: Vocabulary) -> Iterator[tuple[int, str]]:
    """Each piece but the special ones, without the mark of a beginning; a byte is written as nothing."""
    for number, piece in enumerate(words.pieces(range(len(words)))):
        if number > EOS:
            yield number, "" if len(piece) == 6 and piece.startswith("<0x") else piece.removeprefix(SPACE)


def _shared(tokenizer: Tokenizer) -> list[tuple[int, int]]:
    """Each source piece and the target piece that is written like it."""
    if tokenizer.joint:
        return [(number, number) for number in range(EOS + 1, len(tokenizer.source))]
    theirs = {piece: number for number, piece in enumerate(tokenizer.target.pieces(range(len(tokenizer.target))))}
    named = tokenizer.source.pieces(range(len(tokenizer.source)))
    return [(number, theirs[piece]) for number, piece in enumerate(named) if number > EOS and piece in theirs]
