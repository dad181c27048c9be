"""A line and its translation as pieces and as words, and the pieces of a word that is looked for."""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from regard.decoding.translator import Translator
from regard.errors import InputError
from regard.looking.trace import Trace
from regard.looking.words import Word, words_of
from regard.text.tokenizer import SPACE

By = Literal["words", "pieces"]


class Pair(NamedTuple):
    """A line and its translation: ids, and how they make words. What is read is the start and all but the end."""

    source: list[int]
    written: list[int]
    source_words: list[Word]
    read_words: list[Word]
    written_words: list[Word]


def pair(translator: Translator, source: str, target: str, *, direction: str | None = None, by: By = "words") -> Pair:
    """A line and its translation as the model reads and writes them; by pieces, each piece is taken for a word."""
    tokens = translator.tokenizer
    direction = direction or next(iter(tokens.directions), None)
    ids, written = tokens.encode_source(source, direction), tokens.encode_target(target)
    if by == "pieces":
        return Pair(ids, written, *_each(tokens.source.pieces(ids), tokens.target.pieces(written)))
    words = words_of(written, tokens.target)
    return Pair(ids, written, words_of(ids, tokens.source), _read(words), words)


def pair_of(trace: Trace, by: By = "words") -> Pair:
    """The pair that was traced, with the pieces that were read and written there."""
    if by == "pieces":
        return Pair(trace.source_ids, trace.target_ids, *_each(trace.source_pieces, trace.writes))
    return Pair(trace.source_ids, trace.target_ids, trace.source_words, trace.read_words, trace.target_words)


def _each(source: Sequence[str], written: Sequence[str]) -> tuple[list[Word], list[Word], list[Word]]:
    ours, theirs = ([Word(piece, range(at, at + 1)) for at, piece in enumerate(side)] for side in (source, written))
    return ours, _read(theirs), theirs


def _read(words: Sequence[Word]) -> list[Word]:
    """The start, and the words one place later; the last piece is not read."""
    last = words[-1].pieces.stop
    later = [Word(word.text, range(word.pieces.start + 1, min(word.pieces.stop + 1, last))) for word in words]
    return [Word("<s>", range(1)), *(word for word in later if word.pieces)]


def occurrence(text: str, word: str) -> range | None:
    """Where a word, or several in a row, first stand in a text, in characters; whatever the capitals, if need be."""
    pattern = rf"(?<!\w){re.escape(word)}(?!\w)"
    found = re.search(pattern, text) or re.search(pattern, text, re.IGNORECASE)
    return range(*found.span()) if found and word else None


def replaced_in(text: str, word: str, other: str) -> str:
    """The text with the first occurrence of the word replaced. Raises InputError where there is none."""
    here = occurrence(text, word)
    if here is None:
        raise InputError(f"There is no '{word}' in '{text}'. Write it as it stands there.")
    return text[: here.start] + other + text[here.stop :]


def pieces_of(pieces: Sequence[str], word: str) -> list[int]:
    """The pieces that hold the first occurrence of a word, or of several in a row; none where there is none."""
    line, spans = "", []
    for piece in pieces:
        spans.append(range(len(line), len(line) + len(piece)))
        line += piece.replace(SPACE, " ")
    found = occurrence(line, word)
    if found is None:
        return []
    return [
        place
        for place, span in enumerate(spans)
        if span.start < found.stop and span.stop > found.start and pieces[place] != SPACE
    ]
