"""The parts that heads play: where each of them looks first, and in how many of its rows (Voita et al., 2019).

A row counts for a part only where the part has one place to look at, and that place is no other part's as well: the
word before the second one of a translation is also its start, and says nothing of either.

    self-attention     previous word, next word, itself; the start (decoder), the end and the rarest word (encoder)
    cross-attention    the word that is being written, or was just written, in the source; the end, the rarest word
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from regard.decoding.translator import Translator
from regard.looking.blocks import Block, as_sentences, passed
from regard.looking.steering import HeadPlace
from regard.text.formats import Pairs
from regard.text.lexicon import Lexicon, learn_lexicon
from regard.text.store import Encoded, encode_pairs

BATCH = 64  # sentences
PREVIOUS, NEXT, ITSELF = "previous word", "next word", "itself"
WRITING, WRITTEN = "the word it writes", "the word just written"
START, END, RARE = "start", "end of sentence", "rarest word"
Places = Mapping[str, Sequence[int]]  # part -> where it looks from each row; NOWHERE: this row does not count
NOWHERE = -1


class Part(NamedTuple):
    """How much of a part a head plays."""

    head: HeadPlace
    name: str
    share: float  # of the rows that count, those in which it gives the most weight to this place


def parts(translator: Translator, train: Pairs, test: Pairs) -> list[Part]:
    """Every head's share of every part that there is for its kind, over the pairs of the test (targets forced).

    train: tells which words are rare and, by IBM model 1 in both directions, which word stands for which. Words are
    the pieces of the model, of which a word tokenizer makes one a word.
    """
    learned, asked = encode_pairs(translator.tokenizer, train), encode_pairs(translator.tokenizer, test)
    there = _table(learn_lexicon(learned))
    back = _table(learn_lexicon(Encoded(learned.target, learned.source)))
    seen = Counter[int](learned.source.values.tolist())
    rows = [(asked.source[row].tolist(), asked.target[row].tolist()) for row in range(len(asked.source))]
    hits, counts = Counter[tuple[HeadPlace, str]](), Counter[tuple[HeadPlace, str]]()
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        batch = as_sentences(translator.transformer, [a for a, _ in some], [b for _, b in some])
        where = [_places(source, target, links(source, target, there, back), seen) for source, target in some]
        for stack in passed(translator.transformer, batch)[:3]:
            for layer, block in enumerate(stack):
                for place, name, hit, count in _counted(block, layer, [one[block.kind] for one in where]):
                    hits[place, name] += hit
                    counts[place, name] += count
    return [Part(*key, hits[key] / count) for key, count in counts.items() if count]


class _Count(NamedTuple):
    head: HeadPlace
    part: str
    hits: int
    rows: int


def _counted(block: Block, layer: int, where: Sequence[Places]) -> Iterator[_Count]:
    """Each head's rows of a batch."""
    first = block.weights.argmax(dim=-1).cpu().numpy()  # batch, head, query
    for head in range(first.shape[1]):
        for name in where[0]:
            hits = count = 0
            for sentence, places in enumerate(where):
                wanted = np.array(places[name])
                found = first[sentence, head, : len(wanted)]
                hits += int((found == wanted).sum())
                count += int((wanted != NOWHERE).sum())
            yield _Count(HeadPlace(block.kind, layer, head), name, hits, count)


def _places(
    source: Sequence[int], target: Sequence[int], linked: Mapping[int, int], seen: Counter[int]
) -> dict[str, Places]:
    """Where each part looks, by kind. Row t of the decoder has read piece t - 1 and writes piece t."""
    end = len(source) - 1
    rare = min(range(end), key=lambda place: seen[source[place]], default=NOWHERE)
    written = [linked.get(row, NOWHERE) for row in range(len(target) - 1)]
    before = [NOWHERE, *written[:-1]]
    encoder = {
        PREVIOUS: [NOWHERE, *range(end - 1)],
        NEXT: [*range(1, end), NOWHERE],
        ITSELF: list(range(end)),
        END: [*([end] * (end - 1)), NOWHERE],
        RARE: [NOWHERE if abs(place - rare) <= 1 else rare for place in range(end)],
    }
    rows = range(len(target) - 1)
    decoder = {
        PREVIOUS: [row - 1 if row > 1 else NOWHERE for row in rows],
        ITSELF: [row if row else NOWHERE for row in rows],
        START: [0 if row > 1 else NOWHERE for row in rows],
    }
    cross = {
        WRITING: written,
        WRITTEN: before,
        END: [end for _ in rows],
        RARE: [NOWHERE if rare in both else rare for both in zip(written, before, strict=True)],
    }
    return {"encoder": encoder, "decoder": decoder, "cross": cross}


def links(
    source: Sequence[int], target: Sequence[int], there: Mapping[tuple[int, int], float],
    back: Mapping[tuple[int, int], float],
) -> dict[int, int]:  # fmt: skip
    """Place in the target -> place in the source: of the pieces that come once, those that both directions join."""
    ours, theirs = (_once(side[:-1]) for side in (source, target))
    best_of = {t: max(ours, key=lambda s: there.get((source[s], target[t]), 0.0), default=NOWHERE) for t in theirs}
    best_for = {s: max(theirs, key=lambda t: back.get((target[t], source[s]), 0.0), default=NOWHERE) for s in ours}
    return {t: s for t, s in best_of.items() if best_for.get(s) == t and (source[s], target[t]) in there}


def _once(ids: Sequence[int]) -> list[int]:
    """Places of the pieces that come once."""
    counts = Counter(ids)
    return [place for place, piece in enumerate(ids) if counts[piece] == 1]


def _table(found: Lexicon) -> dict[tuple[int, int], float]:
    """p(t | s) by (s, t)."""
    pairs = zip(found.source.tolist(), found.target.tolist(), strict=True)
    return dict(zip(pairs, found.p.tolist(), strict=True))
