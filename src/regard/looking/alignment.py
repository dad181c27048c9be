"""Word alignment from attention: which word of the source a word of the target was looked up in, and how often rightly.

AER = 1 - (|A and S| + |A and P|) / (|A| + |S|), for the links A that were found, the sure ones S, and the possible ones
P, of which S is a part (Och and Ney, 2003). 0 is perfect. Words are what stands between spaces.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from regard.decoding.translator import Translator
from regard.errors import InputError
from regard.looking.blocks import as_sentences, passed
from regard.looking.gazing import gazed
from regard.looking.gold import Gold, Link
from regard.text.tokenizer import SPACE

BATCH = 32  # sentences

Row = Literal["written", "read"]  # a row is that of the word it writes (AWO), or of the word it has read (AWI)
ROWS: tuple[Row, ...] = ("written", "read")


class Head(NamedTuple):
    """Where an alignment is taken from. People count layers and heads from 1, and so does this."""

    row: Row
    layer: int
    head: int | None  # None: the mean of all

    def __str__(self) -> str:
        return f"layer {self.layer}, {'mean of heads' if self.head is None else f'head {self.head}'}"


class Aligned(NamedTuple):
    """The links of every sentence, by each way to take them."""

    links: dict[Head, list[set[Link]]]

    def scores(self, gold: Sequence[Gold], part: slice = slice(None)) -> dict[Head, float]:
        """The alignment error rate of each, over a part of the sentences."""
        return {head: error_rate(found[part], gold[part]) for head, found in self.links.items()}


class Chosen(NamedTuple):
    """The best layer and head for one convention of rows, found on some sentences and scored on others."""

    head: Head
    found: float  # AER of the sentences on which it was chosen
    score: float  # AER of the others


def error_rate(found: Sequence[set[Link]], gold: Sequence[Gold]) -> float:
    """The alignment error rate over all sentences together; 0 where there is neither a link nor a sure one."""
    right = total = 0
    for links, (sure, possible) in zip(found, gold, strict=True):
        right += len(links & sure) + len(links & possible)
        total += len(links) + len(sure)
    return 1 - right / total if total else 0.0


def of_words(
    weights: Float[Tensor, "written source"], source: Sequence[range], target: Sequence[range], row: Row = "written"
) -> Float[Tensor, "target_word source_word"]:
    """The sum over the pieces of a source word, the mean over the pieces of a target word.

    The last row, which writes the end of the sentence, belongs to no word. Where rows are those of the word read, the
    row of a piece is the one after that which wrote it.
    """
    later = 0 if row == "written" else 1
    columns = torch.stack([weights[:, word.start : word.stop].sum(dim=1) for word in source], dim=1)
    return torch.stack([columns[word.start + later : word.stop + later].mean(dim=0) for word in target])


def links(matrix: Float[Tensor, "target_word source_word"], words: int) -> set[Link]:
    """Each target word with the source word that has the most; columns from `words` on are special pieces, and a
    target word that has the most there is linked to none."""
    return {(int(word), at) for at, word in enumerate(matrix.argmax(dim=1)) if word < words}


def align(
    translator: Translator, source: Sequence[str], target: Sequence[str], *, direction: str | None = None
) -> Aligned:
    """The links of these pairs (targets forced), by every layer, each head of it and their mean, in both conventions.

    Raises InputError where a line is empty.
    """
    direction = direction or next(iter(translator.tokenizer.directions), None)
    found: dict[Head, list[set[Link]]] = {}
    for start in range(0, len(source), BATCH):
        rows = slice(start, start + BATCH)
        for head, sets in _batch(translator, source[rows], target[rows], direction):
            found.setdefault(head, []).extend(sets)
    return Aligned(found)


def choose(aligned: Aligned, gold: Sequence[Gold]) -> list[Chosen]:
    """For each convention, the layer and head that is best on the first half of the sentences, scored on the others.

    Raises InputError where there are fewer than two sentences.
    """
    half = len(gold) // 2
    if half < 1:
        raise InputError("A head is chosen on some sentences and scored on others: this takes two at least.")
    dev, rest = aligned.scores(gold, slice(half)), aligned.scores(gold, slice(half, None))
    best = [min((head for head in dev if head.row == row), key=lambda head: dev[head]) for row in ROWS]
    return [Chosen(head, dev[head], rest[head]) for head in best]


def _batch(
    translator: Translator, source: Sequence[str], target: Sequence[str], direction: str | None
) -> Iterator[tuple[Head, list[set[Link]]]]:
    tokens = translator.tokenizer
    sources = [tokens.encode_source(line, direction) for line in source]
    targets = [tokens.encode_target(line) for line in target]
    tag = len(tokens.tag(direction))
    words = [
        (
            spaced(tokens.source.pieces(ours[tag:-1]), first=tag, line=line),
            spaced(tokens.target.pieces(theirs[:-1]), first=0, line=other),
        )
        for ours, theirs, line, other in zip(sources, targets, source, target, strict=True)
    ]
    for layer, block in enumerate(_weights(translator, sources, targets), 1):
        heads = {None: block.mean(dim=1)}
        every = heads | {number + 1: block[:, number] for number in range(block.shape[1])}
        for number, weights in every.items():
            for row in ROWS:
                found = [
                    links(of_words(one, [*ours, *_special(ours)], theirs, row), len(ours))
                    for one, (ours, theirs) in zip(weights, words, strict=True)
                ]
                yield Head(row, layer, number), found


def _weights(
    translator: Translator, sources: list[list[int]], targets: list[list[int]]
) -> list[Float[Tensor, "batch head written source"]]:
    """Of each layer's cross-attention; an RNN has one, of one head."""
    batch = as_sentences(translator.model, sources, targets)
    if translator.config.model.architecture == "rnn":
        return [gazed(translator, batch).weights]
    return [block.weights for block in passed(translator.transformer, batch).cross]


def _special(words: Sequence[range]) -> list[range]:
    """The tag, if there is one, and the end: what stands before the first word and behind the last."""
    first, last = words[0].start, words[-1].stop
    return [*(range(place, place + 1) for place in range(first)), range(last, last + 1)]


def spaced(pieces: Sequence[str], *, first: int, line: str) -> list[range]:
    """Where the words between spaces have their pieces, of which the first stands at place `first`."""
    starts: list[int] = []
    for place, piece in enumerate(pieces):
        alone = starts and all(other == SPACE for other in pieces[starts[-1] : place])
        if not starts or (piece.startswith(SPACE) and not alone):
            starts.append(place)
    if len(starts) != len(line.split()) or not starts:
        raise InputError(f"'{line}' has {len(line.split())} words between spaces. One space between two, none outside.")
    ends = [*starts[1:], len(pieces)]
    return [range(start + first, end + first) for start, end in zip(starts, ends, strict=True)]
