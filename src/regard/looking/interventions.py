"""Interventions: heads switched off, spread evenly or given a pattern; source words dropped, swapped or replaced.

The answer to one is an `Effect`: what the model then writes, and by how much log p of what it wrote before changes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from regard.config import BOS, DecodingConfig
from regard.decoding.beam import beam_search
from regard.decoding.pytorch import BATCH_TOKENS, longest_targets
from regard.errors import InputError
from regard.looking.steering import HeadChange, Seats, changed
from regard.looking.trace import Trace
from regard.looking.words import Word, find_word
from regard.model.decoder import State
from regard.model.transformer import Transformer
from regard.text.batching import pad
from regard.text.tokenizer import SPACE


@dataclass(frozen=True, kw_only=True)
class TextChange:
    """Another source: words dropped, swapped or replaced."""

    how: Literal["dropped", "swapped", "replaced"]
    words: tuple[int, ...]  # of trace.source_words, from 0
    by: str  # what stands there now; nothing if dropped
    text: str  # the whole source


Change = HeadChange | TextChange


class Effect(NamedTuple):
    """What a change does: to the translation, and to log p of each piece and word that was written before it."""

    change: Change | None  # None: nothing was changed
    translation: str  # anew
    pieces: list[str]  # of it
    same: bool  # it is the translation without the change
    delta: list[float]  # log p with the change - log p without it, of each piece of trace.writes, forced; in nats
    word_delta: list[float]  # the same of each of trace.target_words: the sum over its pieces

    def record(self) -> dict[str, Any]:
        """It as JSON values; layers, heads and words count from 0."""
        return {**self._asdict(), "change": described(self.change)}


def described(change: Change | None) -> dict[str, Any]:
    """A change as JSON values."""
    if change is None:
        return {"what": "nothing"}
    if isinstance(change, TextChange):
        return {"what": "text", "how": change.how, "words": list(change.words), "by": change.by, "text": change.text}
    return {"what": "heads", "how": change.how, "heads": [list(place) for place in change.heads]}


def effects(trace: Trace, changes: Sequence[Change | None], **settings: Any) -> Iterator[Effect]:
    """What each change does, one after the other, in their order; computed in batches, many changes in one pass.

    Settings are those of `DecodingConfig`, such as beam_size=1; by default, those that the trace was made with.
    Raises InputError where the trace was loaded from a file and knows no model. While the next effect is computed, the
    model's heads are changed, so nobody else may use it then: where threads share a model, hold a lock around each step
    (between two steps nothing is left on it).
    """
    translator = trace.living()
    config = translator.decoding(**trace.decoding | {"temperature": 0.0, "n_best": 1} | settings)
    before = trace.target_ids
    if trace.forced or settings:
        before = _answers(trace, [None], config)[0].ids
    longest = max((len(_source(trace, change)) for change in changes), default=1)
    size = max(1, BATCH_TOKENS // (config.beam_size * max(longest, len(trace.writes))))
    for start in range(0, len(changes), size):
        some = changes[start : start + size]
        for change, answer in zip(some, _answers(trace, some, config), strict=True):
            yield _effect(trace, change, answer, before)


class _Answer(NamedTuple):
    """What the model makes of a changed sentence."""

    log_probs: list[float]  # of the pieces that were written before
    ids: list[int]  # written anew


def _effect(trace: Trace, change: Change | None, answer: _Answer, before: list[int]) -> Effect:
    words = trace.living().tokenizer.target
    delta = [new - old for new, old in zip(answer.log_probs, trace.log_probs, strict=True)]
    return Effect(
        change=change,
        translation=words.decode(answer.ids),
        pieces=words.pieces(answer.ids),
        same=answer.ids == before,
        delta=delta,
        word_delta=[sum(delta[word.slice]) for word in trace.target_words],
    )


def _source(trace: Trace, change: Change | None) -> list[int]:
    if isinstance(change, TextChange):
        return trace.living().tokenizer.encode_source(change.text, trace.model.direction)
    return trace.source_ids


@torch.inference_mode()
def _answers(trace: Trace, changes: Sequence[Change | None], config: DecodingConfig) -> list[_Answer]:
    """A row for each change: what was written before, forced; and a search for what is written now."""
    model = trace.living().transformer.eval()
    device = model.output.weight.device
    sources = [_source(trace, change) for change in changes]
    source = torch.from_numpy(pad(sources)).to(device)
    with changed(model, *(change if isinstance(change, HeadChange) else None for change in changes)) as seats:
        seats.rows = torch.arange(len(changes), device=device)
        memory = model.encode(source)
        read = torch.tensor([BOS, *trace.target_ids[:-1]], device=device).expand(len(changes), -1)
        logits = model.logits(model.output(model.decode(memory, read)))
        written = torch.tensor(trace.target_ids, device=device).expand(len(changes), -1)
        log_probs = logits.float().log_softmax(dim=-1).gather(2, written[:, :, None])[:, :, 0]
        lengths = torch.tensor([len(ids) for ids in sources], device=device)
        state = _Seated(model.start(memory), seats.rows)
        limits = longest_targets(lengths, config)
        found = beam_search(_Steered(model, seats), state, batch=len(changes), config=config, max_lengths=limits)
    return [_Answer(row, best[0].ids) for row, best in zip(log_probs.tolist(), found, strict=True)]


class _Seated(NamedTuple):
    """A decoder in the middle of its sentences, and the change that each row undergoes."""

    state: State
    rows: Int[Tensor, " row"]

    def select(self, rows: Int[Tensor, " n"]) -> "_Seated":
        """The state of these rows."""
        return _Seated(self.state.select(rows), self.rows[rows])


class _Steered:
    """A model whose rows are changed each in its own way, wherever the search puts them."""

    def __init__(self, model: Transformer, seats: Seats) -> None:
        self.model, self.seats = model, seats

    def step(self, ids: Int[Tensor, " row"], state: _Seated) -> tuple[Float[Tensor, "row vocab"], _Seated]:
        """Reads one piece a row."""
        self.seats.rows = state.rows
        logits, after = self.model.step(ids, state.state)
        return logits, _Seated(after, state.rows)


def dropped(trace: Trace, word: str | Word) -> TextChange:
    """The source without a word."""
    place, surfaces = _place(trace, word), surfaces_of(trace)
    return _text_change("dropped", (place,), surfaces | {place: Surface("", "")}, "")


def replaced(trace: Trace, word: str | Word, by: str) -> TextChange:
    """The source with another word, or other words, in a word's place."""
    place, surfaces = _place(trace, word), surfaces_of(trace)
    return _text_change("replaced", (place,), surfaces | {place: Surface(surfaces[place].space, by)}, by)


def swapped(trace: Trace, word: str | Word, other: str | Word | None = None) -> TextChange:
    """The source with two words in each other's place: a word and `other`, which is the next one unless it is named."""
    surfaces, first = surfaces_of(trace), _place(trace, word)
    second = first + 1 if other is None else _place(trace, other)
    if second not in surfaces:
        raise InputError(f"'{surfaces[first].text}' has no word behind it to be swapped with.")
    a, b = surfaces[first], surfaces[second]
    changed = surfaces | {first: Surface(a.space, b.text), second: Surface(b.space, a.text)}
    return _text_change("swapped", (first, second), changed, b.text)


class Surface(NamedTuple):
    """A word as it stands in the line."""

    space: str  # before it
    text: str


def surfaces_of(trace: Trace) -> dict[int, Surface]:
    """The words of the source that are not special, by their number; one after the other, they are the line."""
    vocabulary, surfaces, line = trace.living().tokenizer.source, dict[int, Surface](), ""
    for number, word in enumerate(trace.source_words):
        whole = vocabulary.decode(trace.source_ids[: word.pieces.stop])
        here = whole[len(line) :]
        if here or word.text == SPACE:
            text = here.lstrip(" ")
            surfaces[number] = Surface(here[: len(here) - len(text)], text)
        line = whole
    return surfaces


def _place(trace: Trace, word: str | Word) -> int:
    """The number of a source word that is not special."""
    if isinstance(word, str):
        word = find_word({"source": trace.source_words}, word).word
    place = trace.source_words.index(word) if word in trace.source_words else -1
    if place not in surfaces_of(trace):
        raise InputError(f"'{word.text}' is no word of the source that could be changed.")
    return place


def _text_change(
    how: Literal["dropped", "swapped", "replaced"], words: tuple[int, ...], surfaces: dict[int, Surface], by: str
) -> TextChange:
    text = "".join(surface.space + surface.text for surface in surfaces.values()).strip()
    if not text:
        raise InputError("Without this word, nothing would be left of the source.")
    return TextChange(how=how, words=words, by=by, text=text)
