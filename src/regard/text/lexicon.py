"""Which target pieces stand for a source piece: IBM model 1 (Brown et al., 1993), learned by EM from encoded pairs."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regard.text.store import Encoded

MOST_CELLS = 4_000_000  # source pieces times target pieces, summed over pairs; of a larger corpus a part is read


class Lexicon(NamedTuple):
    """p(target piece | source piece), where it is not negligible; ordered by source, then the most probable first."""

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    p: NDArray[np.float64]


class _Cells(NamedTuple):
    """Every source piece beside every target piece of its pair."""

    couple: NDArray[np.int64]  # which (source piece, target piece)
    place: NDArray[np.int64]  # which target position of the corpus


def learn_lexicon(pairs: Encoded, *, rounds: int = 5, seed: int = 1) -> Lexicon:
    """p(t | s) after so many rounds of EM: t takes its probability from all s of its sentence, in equal parts at first.

    Each round: c(s, t) = sum over places of p(t | s) / sum over the sentence's s' of p(t | s'); p(t | s) = c(s, t) /
    sum over t' of c(s, t').
    """
    vocabulary = 1 + int(pairs.target.values.max(initial=0))
    keys, places = [], []
    for row, at in _rows(pairs, seed):
        source, target = pairs.source[row].astype(np.int64), pairs.target[row].astype(np.int64)
        keys.append((source[None, :] * vocabulary + target[:, None]).ravel())
        places.append(np.repeat(np.arange(at, at + len(target)), len(source)))
    couples, number = np.unique(np.concatenate(keys), return_inverse=True)
    cells = _Cells(number, np.concatenate(places))
    source, target = couples // vocabulary, couples % vocabulary
    p = np.ones(len(couples))
    for _ in range(rounds):
        p = _round(cells, source, p)
    order = np.lexsort((target, -p, source))
    return Lexicon(source[order], target[order], p[order])


def _rows(pairs: Encoded, seed: int) -> list[tuple[int, int]]:
    """The pairs that are read, by chance if there are too many, and the place at which the target of each begins."""
    chance = np.random.default_rng(seed).permutation(len(pairs.source))
    cells = (pairs.source.lengths * pairs.target.lengths)[chance].cumsum()
    rows = chance[: max(1, int(np.searchsorted(cells, MOST_CELLS)))]
    begins = np.concatenate([[0], pairs.target.lengths[rows].cumsum()[:-1]])
    return list(zip(rows.tolist(), begins.tolist(), strict=True))


def _round(cells: _Cells, source: NDArray[np.int64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    share = p[cells.couple]
    share /= np.bincount(cells.place, share)[cells.place]
    count = np.bincount(cells.couple, share, minlength=len(p))
    summed: NDArray[np.float64] = count / np.bincount(source, count)[source]
    return summed
