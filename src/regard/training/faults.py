"""What goes wrong in a machine's translation, so that nobody learns from it: rules that anyone can check by hand."""

from collections.abc import Sequence
from typing import NamedTuple

from regard.config import EOS
from regard.decoding.sentences import Translation
from regard.text.formats import Pairs
from regard.text.tokenizer import Tokenizer

TIMES, SLACK = 2.0, 20  # so many times longer or shorter than is usual, and so many characters besides, is wrong
OFTEN = 3  # times that the same stands in a row
LONGEST = 8  # pieces of what is looked for


class Judge(NamedTuple):
    """Finds the fault of a translation."""

    words: Tokenizer
    ratio: float  # characters of a target for each of its source, which is usual

    def fault(self, source: str, answer: Translation) -> str:
        """What is wrong with this translation; empty where nothing is."""
        length, usual = len(answer.text), self.ratio * len(source)
        found = {
            "empty": not answer.text.strip(),
            "of a line that had to be cut": answer.parts > 1,
            "without an end": answer.pieces[-1:] != self.words.target.pieces([EOS]),
            "too long": length > TIMES * usual + SLACK,
            "too short": length < usual / TIMES - SLACK,
            "repeating themselves": self._repeats(source, answer.pieces),
        }
        return next((why for why, applies in found.items() if applies), "")

    def _repeats(self, source: str, pieces: list[str]) -> bool:
        """Whether something stands in a row too often, and more often than in the source."""
        often = in_a_row(pieces)
        return often >= OFTEN and often > in_a_row(self.words.source.pieces(self.words.source.encode(source)))


def usual_ratio(pairs: Pairs) -> float:
    """How many characters of the target there are for each of the source."""
    source, target = (sum(map(len, side)) for side in pairs)
    return target / source


def in_a_row(pieces: Sequence[str]) -> int:
    """How many times the same 1 to 8 pieces, a letter among them, stand one behind the other, at most."""
    most = 1
    for size in range(1, min(LONGEST, len(pieces) // 2) + 1):
        same = 0
        for place in range(size, len(pieces)):
            same = same + 1 if pieces[place] == pieces[place - size] else 0
            times = same // size + 1
            if times > most and any(map(str.isalpha, "".join(pieces[place - size + 1 : place + 1]))):
                most = times
    return most
