"""Which pairs are computed together: batches of a fixed number of tokens, with little padding."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Rows = NDArray[np.int64]


def token_batches(
    source_lengths: ArrayLike, target_lengths: ArrayLike, *, budget: int, seed: int, epoch: int
) -> list[Rows]:
    """The rows of each batch, every row in one of them; a pure function of its arguments.

    A batch of n pairs costs n * (longest source + longest target) tokens, padding included, and that is at most
    `budget`; a pair that is longer than the budget is a batch of its own. The pairs are shuffled, sorted by length (so
    chance decides between equals, of which a large corpus has many) and cut into batches; the batches are shuffled.
    """
    source, target = np.asarray(source_lengths, dtype=np.int64), np.asarray(target_lengths, dtype=np.int64)
    random = np.random.default_rng((seed, epoch))
    rows = random.permutation(len(source))
    rows = rows[_by_length(source[rows], target[rows])]
    batches = [rows[cut] for cut in _cuts(source[rows], target[rows], budget)]
    return [batches[number] for number in random.permutation(len(batches))]


def _by_length(source: Rows, target: Rows) -> Rows:
    """The order by source length, two lengths together, then by target length, up and down in turns so that neighbours
    stay alike."""
    both = source // 2
    return np.lexsort((source, np.where(both % 2, target, -target), both))


def _cuts(source: Rows, target: Rows, budget: int) -> Iterator[slice]:
    """The longest stretches, one after the other, that do not cost more than the budget."""
    start = 0
    while start < len(source):
        most = max(1, budget // max(1, int(source[start] + target[start])))
        window = slice(start, start + most)
        width = np.maximum.accumulate(source[window]) + np.maximum.accumulate(target[window])
        cost = width * np.arange(1, len(width) + 1)
        size = max(1, int(np.searchsorted(cost, budget, side="right")))
        yield slice(start, start + size)
        start += size


def pad(rows: Sequence[ArrayLike], fill: int = 0) -> Rows:
    """The rows as one (batch, longest) array, filled up on the right."""
    arrays = [np.asarray(row, dtype=np.int64) for row in rows]
    lengths = np.array([len(row) for row in arrays], dtype=np.int64)
    padded = np.full((len(arrays), int(lengths.max(initial=0))), fill, dtype=np.int64)
    if arrays:
        padded[np.arange(padded.shape[1]) < lengths[:, None]] = np.concatenate(arrays)
    return padded
