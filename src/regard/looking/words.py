"""Pieces merged into the words that people read."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from regard.errors import InputError
from regard.text.tokenizer import SPACE, Vocabulary

RULE = (
    "A word begins at a space; punctuation stands by itself. An elided article or pronoun (l', qu') is a word of its "
    "own, and so is every piece of a script without spaces. Special pieces are words too."
)
_ELIDED = re.compile(r"(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|dell|all|nell|sull|dall|un)['’ʼ]", re.IGNORECASE)
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_SPACE_BYTES = [f"<0x{byte:02X}>" for byte in SPACE.encode()]  # how it is spelt in a word that a vocabulary lacks
_ESCAPE = "\x10"  # with which a line that has a SPACE of its own writes it
_APOSTROPHES = frozenset("'’ʼ")


class Word(NamedTuple):
    """A word, and where its pieces stand."""

    text: str
    pieces: range

    @property
    def slice(self) -> slice:
        """For cutting the word's rows or columns out of an array."""
        return slice(self.pieces.start, self.pieces.stop)


def words_of(ids: Sequence[int], vocabulary: Vocabulary) -> list[Word]:
    """The words of these pieces, each piece in one of them, in their order (`RULE`)."""
    line = _Line(ids, vocabulary.pieces(ids), vocabulary)
    starts: list[int] = []
    for place in range(len(ids)):
        if not starts or line.begins(starts[-1], place):
            starts.append(place)
    return [Word(line.said(*span) or line.names[span[0]], range(*span)) for span in pairwise([*starts, len(ids)])]


class _Line:
    """Pieces of which it is asked where words begin."""

    def __init__(self, ids: Sequence[int], names: Sequence[str], vocabulary: Vocabulary) -> None:
        self.ids, self.names, self.vocabulary = ids, names, vocabulary
        self.spoken = [vocabulary.decode([piece]) for piece in ids]

    def said(self, start: int, stop: int) -> str:
        """What these pieces say, without the space before it."""
        return self.vocabulary.decode(self.ids[start:stop]).strip(" ")

    def begins(self, start: int, place: int) -> bool:
        """Whether the piece at `place` begins a word, where the word before it began at `start`."""
        if self._special(place) or self._special(place - 1):
            return True
        if self._blank(start, place):  # a space alone belongs to the word after it
            return False
        if self.names[place].startswith(SPACE) or self.names[place : place + len(_SPACE_BYTES)] == _SPACE_BYTES:
            return True
        before, here = self.said(start, place), self.spoken[place]
        if set(here) <= _APOSTROPHES or _ELIDED.fullmatch(before):
            return not set(here) <= _APOSTROPHES
        if "\ufffd" in here or before.endswith(_ESCAPE):  # a byte of a character; a sign of two
            return False
        turns = _mark(before[-1]) != _mark(here[0]) and before[-1] not in _APOSTROPHES
        return turns or bool(_UNSPACED.match(here))

    def _special(self, place: int) -> bool:
        return not self.spoken[place] and not self.names[place].startswith(SPACE)

    def _blank(self, start: int, place: int) -> bool:
        names = self.names[start:place]
        return names == _SPACE_BYTES[: len(names)] or all(not name.strip(SPACE) for name in names)


def _mark(character: str) -> bool:
    return unicodedata.category(character).startswith("P") and character not in _APOSTROPHES


class Place(NamedTuple):
    """A word that was looked for, and the side on which it was found."""

    word: Word
    side: str


def find_word(sides: Mapping[str, Sequence[Word]], text: str, occurrence: int = 1) -> Place:
    """The word of this text on the first side that has one, as it is written or else but for capitals.

    Raises InputError that lists the words where there is none, or not so many.
    """
    for same in (str, str.casefold):
        for side, words in sides.items():
            found = [word for word in words if same(word.text) == same(text)]
            if 1 <= occurrence <= len(found):
                return Place(found[occurrence - 1], side)
            if found:
                times = "once" if len(found) == 1 else f"{len(found)} times"
                raise InputError(f"'{text}' stands {times} in the {side}; there is no occurrence {occurrence}.")
    listed = "; ".join(f"the {side} has {' '.join(word.text for word in words)}" for side, words in sides.items())
    raise InputError(f"There is no word '{text}': {listed}.")
