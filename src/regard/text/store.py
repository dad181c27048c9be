"""A corpus as numbers: all its pieces in one compact array a side."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from regard.config import EOS
from regard.text.formats import Pairs
from regard.text.tokenizer import Tokenizer

CHUNK = 16384  # lines whose pieces are Python numbers at one time
TWO_BYTES = 2**16  # ids that fit into uint16

Integers = NDArray[np.integer[Any]]


@final
@dataclass(frozen=True, eq=False)
class Ragged:
    """Rows of different lengths, end to end in `values`; row i begins at starts[i] and ends before starts[i + 1]."""

    values: Integers
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, row: int) -> Integers:
        row = range(len(self))[row]
        return self.values[self.starts[row] : self.starts[row + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many values each row has."""
        return np.diff(self.starts)


class Encoded(NamedTuple):
    """The pieces of a corpus: row i of the target translates row i of the source."""

    source: Ragged
    target: Ragged


def encode_pairs(tokenizer: Tokenizer, pairs: Pairs, *, sampling: float = 0.0, seed: int = 0) -> Encoded:
    """All pairs in the tokenizer's first direction, then all of them in its second, if it has one.

    With sampling, another seed gives other pieces; see Vocabulary.encode_many.
    """
    kind = np.uint16 if max(len(tokenizer.source), len(tokenizer.target)) <= TWO_BYTES else np.int32
    source, target = (_ragged(_chunks(tokenizer, pairs, side, sampling, seed), kind) for side in (0, 1))
    return Encoded(source, target)


def _chunks(tokenizer: Tokenizer, pairs: Pairs, side: int, sampling: float, seed: int) -> Iterator[list[list[int]]]:
    """The rows of one side, some thousand at a time."""
    vocabulary = (tokenizer.source, tokenizer.target)[side]
    for turn, direction in enumerate(tokenizer.directions or (None,)):
        tag = [] if side else tokenizer.tag(direction)
        lines = pairs[side ^ turn]  # the second direction goes from right to left
        for start in range(0, len(lines), CHUNK):
            mixed = int(np.random.SeedSequence((seed, side, turn, start)).generate_state(1)[0])
            rows = vocabulary.encode_many(lines[start : start + CHUNK], sampling, mixed)
            yield [[*tag, *row, EOS] for row in rows]


def _ragged(chunks: Iterator[list[list[int]]], kind: type[np.uint16] | type[np.int32]) -> Ragged:
    values, lengths = [np.empty(0, kind)], [np.zeros(1, np.int64)]
    for rows in chunks:
        lengths.append(np.array([len(row) for row in rows], np.int64))
        values.append(np.fromiter(itertools.chain.from_iterable(rows), kind, int(lengths[-1].sum())))
    return Ragged(np.concatenate(values), np.concatenate(lengths).cumsum())
