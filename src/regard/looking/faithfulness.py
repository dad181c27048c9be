"""How far each method can be trusted: do the words that it ranks high matter more when they are replaced?

The measure is Spearman's rank correlation, over the words of the source, of what a method gives them with what
replacing them does: to the log-probability of a written word (the translation forced), or to whether the word is still
written at all (the sentence translated anew). 1: the same order; 0: no relation.
"""

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from regard.decoding.translator import Translator
from regard.looking.attribution import MARGINALISED, METHODS, attributed
from regard.looking.occlusion import Group, replaced, whole
from regard.looking.segments import Pair, pair, pair_of
from regard.looking.substitutes import substitutes
from regard.looking.trace import Trace
from regard.looking.words import Word, words_of
from regard.text.tokenizer import Vocabulary


class Faithfulness(NamedTuple):
    """How well a method's order is that of the effects; None where no word was ranked at all."""

    method: str
    forced: float | None  # with E |change of log p| of each word, the translation forced
    anew: float | None  # with how often the word is gone, translated anew
    sentences: int


class Effects(NamedTuple):
    """What replacing each source word does to each written word. Special pieces are left out on both sides."""

    rows: list[int]  # which of the pair's written words
    columns: list[int]  # which of its source words
    forced: Float[ndarray, "word source_word"]
    anew: Float[ndarray, "word source_word"]


def spearman(first: Float[ndarray, " n"], second: Float[ndarray, " n"]) -> float | None:
    """Pearson's correlation of the ranks, of which equals share the mean; None where all are equal on a side."""
    a, b = (_ranks(values) - (len(values) - 1) / 2 for values in (first, second))
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / spread if spread else None


def _ranks(values: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """From 0; equals have the mean of their ranks."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Float[ndarray, " n"] = (ends - (counts + 1) / 2)[which]
    return ranks


def faithfulness(
    translator: Translator,
    sources: Sequence[str],
    targets: Sequence[str],
    *,
    direction: str | None = None,
    methods: Sequence[str] = METHODS,
) -> list[Faithfulness]:
    """Each method's faithfulness over these sentences and their translations: the mean over written words, then over
    sentences. `marginalised` is itself what is measured with the translation forced, and has only the other number."""
    found: dict[str, list[Faithfulness]] = {method: [] for method in methods}
    for source, target in zip(sources, targets, strict=True):
        if not source.strip() or not target.strip():
            continue
        both = pair(translator, source, target, direction=direction)
        measured = effects(translator, both, direction=direction)
        for method in methods:
            found[method].append(faithful(translator, both, measured, method))
    return [
        Faithfulness(method, _mean(one.forced for one in each), _mean(one.anew for one in each), len(each))
        for method, each in found.items()
    ]


def faithfulness_of(trace: Trace, *, methods: Sequence[str] = METHODS) -> list[Faithfulness]:
    """Each method's faithfulness on the one sentence that was traced. Raises InputError where it knows no model."""
    translator, both = trace.living(), pair_of(trace)
    measured = effects(translator, both, direction=trace.model.direction)
    return [faithful(translator, both, measured, method) for method in methods]


def faithful(translator: Translator, both: Pair, measured: Effects, method: str) -> Faithfulness:
    """A method's faithfulness on one sentence."""
    given = np.abs(attributed(translator, both, method).source)[np.ix_(measured.rows, measured.columns)]
    forced, anew = (
        _mean(spearman(one, other) for one, other in zip(given, effect, strict=True))
        for effect in (measured.forced, measured.anew)
    )
    return Faithfulness(method, None if method == MARGINALISED else forced, anew, 1)


def effects(translator: Translator, both: Pair, *, direction: str | None = None) -> Effects:
    """What the model does when each word of the source is replaced by words of near vectors, one at a time."""
    tokens = translator.tokenizer
    near = substitutes(translator, both)[: len(both.source_words)]
    columns = [place for place, others in enumerate(near) if others]
    rows = [place for place, word in enumerate(both.written_words) if _spoken(word, both.written, tokens.target)]
    forced = attributed(translator, both, MARGINALISED).source[np.ix_(rows, columns)]
    asked = whole(both.source, both.written)
    lines = [
        tokens.source.decode(replaced(asked, Group("source", both.source_words[place].pieces), ids).source)
        for place in columns
        for ids in near[place]
    ]
    answers = translator.translate(lines, direction=direction)
    counts = np.array([len(near[place]) for place in columns])
    texts = [both.written_words[place].text for place in rows]
    gone = np.array([_gone(texts, answer.text, tokens.target) for answer in answers], dtype=np.float64)
    starts = np.cumsum(counts) - counts
    return Effects(rows, columns, forced, (np.add.reduceat(gone, starts, axis=0) / counts[:, None]).T)


def _gone(texts: Sequence[str], answer: str, vocabulary: Vocabulary) -> list[bool]:
    """Of each of these words in a row, whether it is missing in the answer."""
    others = [word.text for word in words_of(vocabulary.encode(answer), vocabulary)]
    same = SequenceMatcher(None, texts, others, autojunk=False).get_matching_blocks()
    kept = {place for block in same for place in range(block.a, block.a + block.size)}
    return [place not in kept for place in range(len(texts))]


def _spoken(word: Word, ids: Sequence[int], vocabulary: Vocabulary) -> bool:
    return bool(vocabulary.decode(ids[word.pieces.start : word.pieces.stop]))


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
