"""A corpus as numbers: all its pieces in one compact array a side."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from regard.config import EOS
from regard.text.formats import Pairs
from regard.text.regularisation import DRAWS
from regard.text.tokenizer import Tokenizer, Vocabulary

CHUNK = 16384  # lines whose pieces are Python numbers at one time
TWO_BYTES = 2**16  # ids that fit into uint16

Integers = NDArray[np.integer[Any]]
Kind = np.dtype[np.integer[Any]]  # of a number


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

    def rows(self) -> Iterator[Integers]:
        """Each of them."""
        return (self[row] for row in range(len(self)))

    def take(self, rows: Integers) -> "Ragged":
        """These rows, in this order; a row may come twice."""
        lengths = self.lengths[rows]
        starts = np.concatenate([np.zeros(1, np.int64), lengths.cumsum()])
        places = np.arange(starts[-1]) + np.repeat(self.starts[:-1][rows] - starts[:-1], lengths)
        return Ragged(self.values[places], starts)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many values each row has."""
        return np.diff(self.starts)


class Encoded(NamedTuple):
    """The pieces of a corpus: row i of the target translates row i of the source."""

    source: Ragged
    target: Ragged


def encode_pairs(tokenizer: Tokenizer, pairs: Pairs) -> Encoded:
    """All pairs in the tokenizer's first direction, then all of them in its second, if it has one."""
    small = max(len(tokenizer.source), len(tokenizer.target)) <= TWO_BYTES
    kind: Kind = np.dtype(np.uint16) if small else np.dtype(np.int32)
    source, target = (_ragged(_chunks(tokenizer, pairs, side), kind) for side in (0, 1))
    return Encoded(source, target)


@final
class Sampled:
    """A corpus whose words are written in other pieces for each seed: subword regularisation (see `Regularisation`).

    strength: that of `Regularisation.draw`; 0 leaves the best pieces.
    """

    def __init__(self, tokenizer: Tokenizer, pairs: Pairs, strength: float) -> None:
        best, words = encode_pairs(tokenizer, pairs), (tokenizer.source, tokenizer.target)
        self.sides = [_Words(*side, strength) for side in zip(words, best, strict=True)] if strength else best

    def draw(self, seed: int) -> Encoded:
        """The corpus, a pure function of it, the strength and the seed."""
        if isinstance(self.sides, Encoded):
            return self.sides
        return Encoded(*(words.draw((seed, side)) for side, words in enumerate(self.sides)))


class _Words:
    """One side, word by word: each of the different ones once, and which of them stand in each row."""

    def __init__(self, vocabulary: Vocabulary, best: Ragged, strength: float) -> None:
        self.vocabulary, self.kind, self.strength = vocabulary, best.values.dtype, strength
        numbers: dict[tuple[int, ...], int] = {}
        rows = (
            [numbers.setdefault(word, len(numbers)) for word in vocabulary.words(row.tolist())] for row in best.rows()
        )
        self.rows = _ragged(iter(lambda: list(itertools.islice(rows, CHUNK)), []), np.dtype(np.int32))
        self.words = list(numbers)

    def draw(self, seed: tuple[int, ...]) -> Ragged:
        """Each word of each row in pieces that are drawn for it."""
        random = np.random.default_rng(seed)
        chunks = (np.arange(start, min(start + CHUNK, len(self.rows))) for start in range(0, len(self.rows), CHUNK))
        return _joined((self._draw(self.rows.take(chunk), random) for chunk in chunks), self.kind)

    def _draw(self, words: Ragged, random: np.random.Generator) -> Ragged:
        """Some rows; what is drawn many times is looked up once."""
        draws = words.values * np.int64(DRAWS) + random.integers(DRAWS, size=len(words.values))
        different, which = np.unique(draws, return_inverse=True)
        drawn: list[Sequence[int]] = [
            self.vocabulary.draw(self.words[draw // DRAWS], self.strength, draw % DRAWS) for draw in different.tolist()
        ]
        pieces = _packed(drawn, self.kind).take(which)
        return Ragged(pieces.values, pieces.starts[words.starts])


def _chunks(tokenizer: Tokenizer, pairs: Pairs, side: int) -> Iterator[list[Sequence[int]]]:
    """The rows of one side, some thousand at a time."""
    vocabulary = (tokenizer.source, tokenizer.target)[side]
    for turn, direction in enumerate(tokenizer.directions or (None,)):
        tag = [] if side else tokenizer.tag(direction)
        lines = pairs[side ^ turn]  # the second direction goes from right to left
        for start in range(0, len(lines), CHUNK):
            rows = vocabulary.encode_many(lines[start : start + CHUNK])
            yield [[*tag, *row, EOS] for row in rows]


def _ragged(chunks: Iterable[list[Sequence[int]]], kind: Kind) -> Ragged:
    return _joined((_packed(rows, kind) for rows in chunks), kind)


def _packed(rows: list[Sequence[int]], kind: Kind) -> Ragged:
    starts = np.array([0, *map(len, rows)], np.int64).cumsum()
    return Ragged(np.fromiter(itertools.chain.from_iterable(rows), kind, int(starts[-1])), starts)


def _joined(parts: Iterable[Ragged], kind: Kind) -> Ragged:
    values, lengths = [np.empty(0, kind)], [np.zeros(1, np.int64)]
    for part in parts:
        values.append(part.values)
        lengths.append(part.lengths)
    return Ragged(np.concatenate(values), np.concatenate(lengths).cumsum())
