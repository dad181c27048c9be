"""Look and matter: what every head and every source word of one translation is worth, found by taking it away.

A head is worth what changes when it is switched off; a word, what changes when it is left out, or replaced by another
of its kind: of log p of each word that was written, and of what the model writes when it translates anew.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch

from regard.looking.interventions import Change, Effect, TextChange, dropped, effects, replaced, surfaces_of
from regard.looking.steering import HeadChange, HeadPlace, off
from regard.looking.trace import KINDS, Trace
from regard.looking.words import Word
from regard.text.tokenizer import SPACE

OTHERS = 4  # that replace each word
FEWEST = 3  # letters of another word, unless the word itself has fewer


class Progress(NamedTuple):
    """How far the work is, and what was found last."""

    done: int
    total: int
    effect: Effect


class Worth(NamedTuple):
    """All that was found."""

    stacks: list[Effect]  # all attention of a kind off: encoder, decoder, cross
    heads: list[Effect]  # each head off, in the order of the trace
    left_out: list[Effect]  # each source word
    replaced: list[Effect]  # each source word by some others

    def head(self, place: HeadPlace) -> Effect:
        """What one head is worth."""
        return next(e for e in self.heads if isinstance(e.change, HeadChange) and e.change.heads == (place,))

    def mean_change(self, word: int) -> list[float]:
        """E |change of log p| of each target word where this source word (from 0) is replaced (Kim et al., 2020)."""
        rows = [e.word_delta for e in self.replaced if isinstance(e.change, TextChange) and e.change.words == (word,)]
        return [sum(map(abs, column)) / len(column) for column in zip(*rows, strict=True)]

    def record(self) -> dict[str, list[dict[str, Any]]]:
        """It as JSON values."""
        return {name: [effect.record() for effect in found] for name, found in self._asdict().items()}


def worth(trace: Trace, others: Mapping[str, Sequence[str]] | None = None, **settings: Any) -> Worth:
    """What every head and every source word is worth; arguments as those of `weighing`."""
    found = [progress.effect for progress in weighing(trace, others, **settings)]
    return sorted_out(found)


def weighing(
    trace: Trace, others: Mapping[str, Sequence[str]] | None = None, *, count: int = OTHERS, **settings: Any
) -> Iterator[Progress]:
    """The same, one effect after the other as they are found, in few batches; it may be left off at any time.

    others: what is to stand in the place of a source word, by its text; for the words that are not in it, `count`
    words whose vectors are nearest are taken. Settings are those of `DecodingConfig`, such as beam_size=1.
    """
    changes = every_change(trace, others, count)
    for done, effect in enumerate(effects(trace, changes, **settings), start=1):
        yield Progress(done, len(changes), effect)


def every_change(trace: Trace, others: Mapping[str, Sequence[str]] | None = None, count: int = OTHERS) -> list[Change]:
    """All that is tried, in this order: stacks off, heads off, words left out, words replaced."""
    model = trace.living().transformer
    words = [trace.source_words[number] for number, surface in surfaces_of(trace).items() if surface.text]
    stacks = [off(model, kind) for kind in KINDS]
    heads = [
        off(model, block.kind, layer=block.layer + 1, head=head + 1)
        for block in trace.attentions
        for head in range(len(block.q))
    ]
    left_out = [dropped(trace, word) for word in words if len(words) > 1]
    found = similar(trace, words, count)
    chosen = [(word, (others or {}).get(word.text, near)) for word, near in zip(words, found, strict=True)]
    return [*stacks, *heads, *left_out, *(replaced(trace, word, by) for word, listed in chosen for by in listed)]


def sorted_out(found: Sequence[Effect]) -> Worth:
    """The effects by what was done."""
    heads = [effect for effect in found if isinstance(effect.change, HeadChange)]
    texts = [effect for effect in found if isinstance(effect.change, TextChange)]
    return Worth(
        stacks=[effect for effect in heads if _count(effect) > 1],
        heads=[effect for effect in heads if _count(effect) == 1],
        left_out=[effect for effect in texts if isinstance(effect.change, TextChange) and not effect.change.by],
        replaced=[effect for effect in texts if isinstance(effect.change, TextChange) and effect.change.by],
    )


@torch.no_grad()
def similar(trace: Trace, words: Sequence[Word], count: int = OTHERS) -> list[list[str]]:
    """For each of these source words, words of one piece and of its shape whose vectors are nearest (cosine).

    A word's vector is the mean of its pieces'. A vocabulary does not say what is a word: in a joint one some are of the
    other language, in a small one some are the beginnings of words. Where it matters, name the others yourself.
    """
    translator = trace.living()
    vocabulary = translator.tokenizer.source
    table = torch.nn.functional.normalize(translator.transformer.source_embedding.pieces.weight.float(), dim=-1)
    names = vocabulary.pieces(range(len(vocabulary)))
    shapes = [_shape(name.removeprefix(SPACE)) if name.startswith(SPACE) else None for name in names]
    found = []
    for word in words:
        own = _shape(word.text)
        alike = [number for number, shape in enumerate(shapes) if own and shape == own]
        near = table[alike] @ table[trace.source_ids[word.slice]].mean(dim=0)
        order = [names[alike[place]].removeprefix(SPACE) for place in near.argsort(descending=True).tolist()]
        long = [text for text in order if len(text) >= min(FEWEST, len(word.text))]
        found.append([text for text in long if text.casefold() != word.text.casefold()][:count])
    return found


def _shape(text: str) -> str | None:
    """How a word is written: in small letters, with one capital, in capitals; in what script; None: it is no word."""
    if not text.isalpha():
        return None
    script = unicodedata.name(text[0], "").partition(" ")[0]
    return f"{script} {'upper' if text.isupper() and len(text) > 1 else 'title' if text[0].isupper() else 'lower'}"


def _count(effect: Effect) -> int:
    return len(effect.change.heads) if isinstance(effect.change, HeadChange) else 0
