"""Sentences whose words are missing, or not in their order: pure functions of a sentence and of chance."""

import re
from collections.abc import Callable, Sequence
from random import Random

Change = Callable[[list[str], Random], list[str]]  # what happens to the words of a sentence, one at least

_MARK = re.compile(r"\s*[.?!…]*\s*\Z")  # at the end of a line: it is no word, and stays where it is


def whole(words: list[str], chance: Random) -> list[str]:
    """The words as they are."""
    return words


def dropped(words: list[str], chance: Random, *, count: int) -> list[str]:
    """`count` words are missing, and those that are missing with a lower count are among them; one is always left."""
    gone = chance.sample(range(len(words)), len(words))[: min(count, len(words) - 1)]
    return [word for place, word in enumerate(words) if place not in gone]


def thinned(words: list[str], chance: Random, *, share: float) -> list[str]:
    """Word dropout: each word is missing with this probability; one is always left."""
    return [word for word in words if chance.random() >= share] or [chance.choice(words)]


def swapped(words: list[str], chance: Random, *, count: int) -> list[str]:
    """`count` pairs of neighbours change places, none of them twice; fewer where there are not so many."""
    count, changed = min(count, len(words) // 2), list(words)
    for number, free in enumerate(sorted(chance.sample(range(len(words) - count), count))):
        left = free + number  # so that two of them lie two places apart at least
        changed[left : left + 2] = reversed(changed[left : left + 2])
    return changed


def shuffled(words: list[str], chance: Random) -> list[str]:
    """The words in any order, the old one not excluded."""
    return chance.sample(words, len(words))


def spoiled(lines: Sequence[str], change: Change, seed: int) -> list[str]:
    """The lines with their words changed; a function of its arguments alone.

    A word is what stands between spaces; the mark at the end of a line stays there. A line in which nothing changes is
    left as it is, spaces and all.
    """
    return [_line(line, change, Random(f"{seed} {number}")) for number, line in enumerate(lines)]


def words_of(line: str) -> list[str]:
    """What can be missing, or change places."""
    return _MARK.sub("", line, count=1).split()


def _line(line: str, change: Change, chance: Random) -> str:
    words, mark = words_of(line), _MARK.search(line)
    changed = change(words, chance) if words else words
    return line if changed == words else " ".join(changed) + (mark[0] if mark else "")
