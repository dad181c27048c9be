"""Subword regularisation: a word written in other pieces than the best ones, drawn at random.

Our own, since SentencePiece's draws differ from one process to the next, and a training that was interrupted goes on in
another one. A draw is a function of the word and a number.
"""

import itertools
import math
from collections.abc import Mapping
from random import Random
from typing import final

DRAWS = 64  # different draws of one word


@final
class Regularisation:
    """Draws ways to write a word. `scores` are those that SentencePiece gives to the pieces that are text.

    A score is a whole number where the pieces were merged (BPE): minus the rank of the merge. Else it is log p.
    """

    def __init__(self, scores: Mapping[str, float]) -> None:
        self.scores = scores
        self.merged = all(score == round(score) for score in scores.values())
        self.longest = max(map(len, scores), default=0)

    def draw(self, word: str, strength: float, number: int) -> list[str]:
        """The number-th draw.

        For BPE, each merge is left out with a probability of `strength` at every step (BPE-dropout, Provilkov et al.,
        2020). Else a way has a probability proportional to the `strength`-th power of its pieces' (Kudo, 2018).
        """
        random = Random(f"{number} {word}")
        return self._merge(word, strength, random) if self.merged else self._segment(word, strength, random)

    def _merge(self, word: str, dropout: float, random: Random) -> list[str]:
        pieces = list(word)
        while True:
            possible = [
                (self.scores[one + next], -place)
                for place, (one, next) in enumerate(itertools.pairwise(pieces))
                if one + next in self.scores and random.random() >= dropout
            ]
            if not possible:
                return pieces
            place = -max(possible)[1]
            pieces[place : place + 2] = [pieces[place] + pieces[place + 1]]

    def _segment(self, word: str, power: float, random: Random) -> list[str]:
        """Forward, the log of the sum over all ways to write what stands before each place; backward, a way drawn."""
        ways: list[list[tuple[int, float]]] = [[(0, 0.0)]]  # of each place: where its last piece begins, and the weight
        totals = [0.0]
        for end in range(1, len(word) + 1):
            begins = [at for at in range(max(0, end - self.longest), end) if word[at:end] in self.scores]
            ways.append([(at, totals[at] + power * self.scores[word[at:end]]) for at in begins])
            totals.append(_log_sum([weight for _, weight in ways[end]]))
        pieces: list[str] = []
        end = len(word)
        while end:
            weights = [math.exp(weight - totals[end]) for _, weight in ways[end]]
            begin = random.choices(ways[end], weights)[0][0]
            pieces.append(word[begin:end])
            end = begin
        return pieces[::-1]


def _log_sum(logs: list[float]) -> float:
    """log of the sum of their exponentials."""
    largest = max(logs, default=-math.inf)
    return largest + math.log(sum(math.exp(log - largest) for log in logs)) if logs else largest
