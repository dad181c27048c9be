"""Words that can stand in another's place, for a sentence that still is one: those of near vectors."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch

from regard.config import BOS, EOS, PAD, UNK
from regard.decoding.translator import Translator
from regard.looking.segments import Pair
from regard.looking.words import Word
from regard.model.layers import Embedding
from regard.text.tokenizer import SPACE, Vocabulary

COUNT = 3  # substitutes of a word


def substitutes(
    translator: Translator, both: Pair, *, given: Mapping[str, Sequence[str]] | None = None, count: int = COUNT
) -> list[list[list[int]]]:
    """For each word of the source, then for each word of the prefix but the start: the pieces of its substitutes.

    Those that are given for a word (of either side, as it is written) are taken; the others have near ones.
    Each of these is one piece that begins a word (or does not, as the word's first piece), of a vector near to the mean
    of the word's; special pieces have none.
    """
    model, tokens = translator.transformer, translator.tokenizer
    read = [BOS, *both.written[:-1]]
    near = _near(model.source_embedding, tokens.source, both.source, both.source_words, count)
    near += _near(model.target_embedding, tokens.target, read, both.read_words[1:], count)
    words = [(word, tokens.source) for word in both.source_words] + [
        (word, tokens.target) for word in both.read_words[1:]
    ]
    return [
        [vocabulary.encode(other) for other in given[word.text]] if given and word.text in given else others
        for (word, vocabulary), others in zip(words, near, strict=True)
    ]


@torch.no_grad()
def _near(
    embedding: Embedding, vocabulary: Vocabulary, ids: list[int], words: list[Word], count: int
) -> list[list[list[int]]]:
    table = torch.nn.functional.normalize(embedding.pieces.weight, dim=-1)
    names = vocabulary.pieces(range(len(vocabulary)))
    kinds = torch.tensor([_kind(number, name) for number, name in enumerate(names)], device=table.device)
    found: list[list[list[int]]] = []
    for word in words:
        own = ids[word.pieces.start : word.pieces.stop]
        near = table @ table[own].mean(dim=0)
        near[(kinds != kinds[own[0]]) | (kinds == 0)] = -2
        near[own] = -2
        best = near.topk(min(count, len(names)))
        usable = [
            number for number, value in zip(best.indices.tolist(), best.values.tolist(), strict=True) if value > -2
        ]
        found.append([[number] for number in usable] if kinds[own[0]] else [])
    return found


def _kind(number: int, name: str) -> Literal[0, 1, 2]:
    """0: special, or a byte; 1: begins a word; 2: goes on with one."""
    if number in (PAD, UNK, BOS, EOS) or (name.startswith("<") and name.endswith(">")):
        return 0
    return 1 if name.startswith(SPACE) else 2
