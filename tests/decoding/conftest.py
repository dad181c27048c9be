"""A model whose every answer stands in a table."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from torch import Tensor


class Place(NamedTuple):
    """Where a `Table` is: which sentence each row belongs to, and the piece before the one that it reads next."""

    sentence: Tensor
    before: Tensor

    def select(self, rows: Tensor) -> "Place":
        return Place(self.sentence[rows], self.before[rows])


class Table:
    """Scores the next piece by the sentence and the last two pieces, so that a row in the wrong place is found out."""

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits  # (sentence, last but one, last, vocab)
        self.rows: list[int] = []  # how many were read at each step

    def start(self, *sentences: int) -> Place:
        """The state before the first piece of these sentences; of all, where none is named."""
        rows = torch.tensor(sentences) if sentences else torch.arange(len(self.logits))
        return Place(rows, torch.zeros_like(rows))

    def step(self, ids: Tensor, state: Place) -> tuple[Tensor, Place]:
        self.rows.append(len(ids))
        return self.logits[state.sentence, state.before, ids], Place(state.sentence, ids)


@pytest.fixture
def random_table() -> Callable[..., Table]:
    """A table of random numbers; the special pieces that must not come are the most probable of all."""

    def make(sentences: int, vocab: int, seed: int = 1, spread: float = 2.0) -> Table:
        shape = (sentences, vocab, vocab, vocab)
        logits = spread * torch.randn(shape, generator=torch.Generator().manual_seed(seed))
        logits[..., :3] += spread
        return Table(logits)

    return make


@pytest.fixture
def chain() -> Callable[[dict[int, dict[int, float]]], Table]:
    """One sentence in which a piece follows a piece with the probability given; the rest is left to padding."""

    def make(following: dict[int, dict[int, float]]) -> Table:
        vocab = 1 + max(max(following), *(max(row) for row in following.values()))
        p = torch.zeros(vocab, vocab)
        for last, row in following.items():
            for piece, probability in row.items():
                p[last, piece] = probability
        p[:, 0] += 1 - p.sum(dim=1)
        return Table(p.log().expand(1, vocab, vocab, vocab))

    return make
