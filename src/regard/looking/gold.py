"""Word alignments made by people, in the formats in which they come: Pharaoh's and that of the NAACL 2003 task."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from regard.errors import InputError
from regard.text.formats import read_lines

Link = tuple[int, int]  # source word, target word; from 0

_PHARAOH = re.compile(r"(\d+)([-?p])(\d+)")
_NAACL = re.compile(r"(\d+)\s+(\d+)\s+(\d+)(?:\s+([SP]))?(?:\s+[\d.]+)?")


class Gold(NamedTuple):
    """The links of one sentence: those that are sure, and those that are possible, the sure ones among them."""

    sure: set[Link]
    possible: set[Link]


def read_gold(path: str | Path, sentences: int, *, turned: bool = False) -> list[Gold]:
    """The alignment of so many sentences.

    Pharaoh: a line a sentence, links as 0-0, possible ones as 1?2 (or 1p2), counted from 0. NAACL: a line a link,
    `sentence source target [S|P]`, counted from 1; 0 is no word, and is left out. `turned`: the file was made for the
    other direction. Raises InputError where a line is of neither format, or the counts of sentences differ.
    """
    lines = list(read_lines(path))
    first = next((line for line in lines if line.strip()), "")
    read = _naacl if _NAACL.fullmatch(first.strip()) else _pharaoh
    found = read(str(path), lines, sentences)
    if not turned:
        return found
    return [Gold(*({(target, source) for source, target in side} for side in gold)) for gold in found]


def _pharaoh(name: str, lines: Sequence[str], sentences: int) -> list[Gold]:
    if len(lines) != sentences:
        raise InputError(
            f"{name}: {len(lines)} lines for {sentences} sentences. In Pharaoh's format line i aligns sentence i."
        )
    found = []
    for number, line in enumerate(lines, 1):
        gold = Gold(set(), set())
        for link in line.split():
            match = _PHARAOH.fullmatch(link)
            if match is None:
                raise InputError(
                    f"{name}, line {number}: '{link}' is no link. Expected 0-0 (sure) or 1?2 (possible), or lines of "
                    f"`sentence source target S` with counts from 1."
                )
            _add(gold, (int(match[1]), int(match[3])), sure=match[2] == "-")
        found.append(gold)
    return found


def _naacl(name: str, lines: Sequence[str], sentences: int) -> list[Gold]:
    found = [Gold(set(), set()) for _ in range(sentences)]
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        match = _NAACL.fullmatch(line.strip())
        if match is None:
            raise InputError(f"{name}, line {number}: expected `sentence source target [S|P]`, found '{line[:40]}'.")
        sentence, source, target = (int(match[group]) for group in (1, 2, 3))
        if not 1 <= sentence <= sentences:
            raise InputError(f"{name}, line {number}: sentence {sentence}, but there are {sentences}, counted from 1.")
        if source and target:
            _add(found[sentence - 1], (source - 1, target - 1), sure=match[4] != "P")
    return found


def _add(gold: Gold, link: Link, *, sure: bool) -> None:
    gold.possible.add(link)
    if sure:
        gold.sure.add(link)
