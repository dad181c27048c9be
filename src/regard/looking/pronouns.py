"""Pronouns put to the test: sentences with two nouns, of which the pronoun of the translation stands for one."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regard.config import BOS
from regard.decoding.translator import Translator
from regard.errors import InputError
from regard.looking.occlusion import Side, Variant
from regard.looking.segments import pieces_of

Values = NDArray[np.float64]  # (question, side, noun): source and prefix; the antecedent and the other noun


class Swap(NamedTuple):
    """The sentence with a noun replaced by another of its kind."""

    source: str
    target: str  # its right translation
    flips: bool  # the new noun has the other gender


class Question(NamedTuple):
    """A sentence with two nouns of two genders, and a pronoun that must choose."""

    source: str
    right: str  # its translation
    wrong: str  # the same with the other pronoun
    pointer: str  # the source's pronoun: it
    nouns: tuple[str, str]  # the antecedent and the other noun, as they stand in the source
    translations: tuple[str, str]  # theirs in `right`, articles included
    swaps: tuple[list[Swap], list[Swap]]  # with another antecedent; with another other noun


class Hits(NamedTuple):
    """How often the antecedent has more than the other noun; None where there is nothing to compare."""

    method: str
    place: str  # the head and where it looks from; or "", for a method
    source: float | None
    prefix: float | None
    both: float | None  # the noun and its translation together

    def highest(self) -> float:
        """The best of the shares; 0 where there is none."""
        return max((share for share in self[2:] if share is not None), default=0.0)

    def lowest(self) -> float:
        """The worst of the shares; 1 where there is none."""
        return min((share for share in self[2:] if share is not None), default=1.0)


class Asked(NamedTuple):
    """A question in pieces. Positions of the prefix are those of what is read."""

    source: list[int]
    written: list[int]
    at: int  # where the pronoun is written
    ids: tuple[int, int]  # the right one's piece and the wrong one's
    pointer: list[int]
    nouns: tuple[list[int], list[int]]
    translations: tuple[list[int], list[int]]

    def sides(self) -> list[tuple[Side, tuple[list[int], list[int]]]]:
        """The nouns in the source, and their translations in the prefix."""
        return [("source", self.nouns), ("prefix", self.translations)]

    def variant(self) -> Variant:
        """log p of both pronouns, forced up to them."""
        return Variant(self.source, [BOS, *self.written[: self.at]], [self.at] * 2, list(self.ids))

    def place(self, written: Sequence[int]) -> int | None:
        """Where a translation of a similar sentence writes its pronoun: the last of the two pieces after the same."""
        before = self.written[self.at - 1] if self.at else None
        places = [at for at, piece in enumerate(written) if piece in self.ids and (not at or written[at - 1] == before)]
        return places[-1] if places else None

    def pronoun(self, written: Sequence[int]) -> int | None:
        """The piece that it writes there."""
        at = self.place(written)
        return None if at is None else written[at]


def ask(translator: Translator, question: Question, direction: str | None) -> Asked:
    """A question in pieces. Raises InputError where a word is not found."""
    tokens = translator.tokenizer
    direction = direction or next(iter(tokens.directions), None)
    source, written, other = (
        tokens.encode_source(question.source, direction),
        tokens.encode_target(question.right),
        tokens.encode_target(question.wrong),
    )
    at = next((at for at, (a, b) in enumerate(zip(written, other, strict=False)) if a != b), None)
    names = tokens.source.pieces(source), tokens.target.pieces(written)
    pointer, *nouns = (pieces_of(names[0], word) for word in (question.pointer, *question.nouns))
    translations = [[place + 1 for place in pieces_of(names[1], word)] for word in question.translations]
    if at is None or not all((pointer, *nouns, *translations)):
        raise InputError(f"'{question.source}' / '{question.right}': the pronoun or a noun is not found in it.")
    first, second = nouns
    ours, theirs = ([place for place in side if place <= at] for side in translations)
    return Asked(source, written, at, (written[at], other[at]), pointer, (first, second), (ours, theirs))


def hits(method: str, place: str, values: Values) -> Hits:
    """How often the antecedent has more, on each side and over both, whatever the sign.

    The sign would give the answer away: the right pronoun has the antecedent's gender, so each noun of that gender
    speaks for it, even to a model that guesses which of the two nouns is meant.
    """
    sizes = np.abs(values)
    source, prefix = share(sizes[:, 0]), share(sizes[:, 1])
    both = None if source is None or prefix is None else share(sizes.sum(axis=1))
    return Hits(method, place, source, prefix, both)


def share(values: NDArray[np.float64]) -> float | None:
    """(question, noun): how often the first has more than the second; a draw is half. None where all is nothing."""
    if not values.any():
        return None
    first, second = values.T
    return float(np.mean((first > second) + 0.5 * (first == second)))
