"""Pieces merged into the words that people read."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from regard.errors import InputError
from regard.text.tokenizer import Vocabulary

SPACE = "\u2581"  # what a piece begins with that stands behind a space

RULE = (
    "A word begins at a space; punctuation stands by itself. An elided article or pronoun (l', qu') is a word of its "
    "own, and so is every piece of a script without spaces. Special pieces are words too."
)
_ELIDED = re.compile(r"(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|dell|all|nell|sull|dall|un)['’ʼ]", re.IGNORECASE)
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_SPACE_BYTES = [f"<0x{byte:02X}>" for byte in SPACE.encode()]  # how it is spelt in a word that a vocabulary lacks
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
    names = vocabulary.pieces(ids)
    spoken = [vocabulary.decode([piece]) for piece in ids]
    words: list[Word] = []
    for place, name in enumerate(names):
        start = words[-1].pieces.start if words else 0
        before = vocabulary.decode(ids[start:place]).strip(" ")
        if words and not _begins(names, spoken, before, place):
            words.pop()
        else:
            start = place
        text = vocabulary.decode(ids[start : place + 1]).strip(" ") or name
        words.append(Word(text, range(start, place + 1)))
    return words


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


def _begins(names: Sequence[str], spoken: Sequence[str], before: str, place: int) -> bool:
    """Whether the piece at `place` begins a word, where `before` is what the word before it says."""
    if _special(names[place], spoken[place]) or _special(names[place - 1], spoken[place - 1]):
        return True
    spelt = list(names[place : place + len(_SPACE_BYTES)]) == _SPACE_BYTES
    if not before or spelt or names[place].startswith(SPACE):  # a space alone belongs to the word after it
        return bool(before)
    if set(spoken[place]) <= _APOSTROPHES or _ELIDED.fullmatch(before):
        return not set(spoken[place]) <= _APOSTROPHES
    if "\ufffd" in spoken[place]:  # a byte of a character
        return False
    return (_mark(before[-1]) != _mark(spoken[place][0]) and before[-1] not in _APOSTROPHES) or _unspaced(spoken[place])


def _special(name: str, spoken: str) -> bool:
    return not spoken and not name.startswith(SPACE)


def _mark(character: str) -> bool:
    return unicodedata.category(character).startswith("P") and character not in _APOSTROPHES


def _unspaced(spoken: str) -> bool:
    return bool(_UNSPACED.match(spoken))
