"""What a page is told: looks at sentences, as they are or with words or heads changed. One thread, one question."""

from collections import OrderedDict
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from regard.decoding.translator import Translator
from regard.errors import InputError
from regard.looking.export import FORMAT, Shown, alti_data, look_data, page_data
from regard.looking.interventions import TextChange, described, dropped, effects, replaced, surfaces_of, swapped
from regard.looking.steering import HeadChange, changed, off, uniform
from regard.looking.trace import Trace
from regard.looking.words import Word
from regard.serving.asking import Asked, HeadAsked, SentenceAsked, WordAsked

REMEMBERED = 8  # traces of unchanged sentences that were looked at last


class Answerer:
    """A translator that is asked by a page; it remembers the last few traces."""

    def __init__(self, translator: Translator) -> None:
        self.translator = translator
        self._traces: OrderedDict[Asked, Trace] = OrderedDict()

    def trace(self, asked: Asked) -> Trace:
        """The sentence as it is, and the model as it is."""
        asked = asked.unchanged
        if asked not in self._traces:
            self._check_target(asked)
            self._traces[asked] = self.translator.look(asked.text, asked.target, direction=asked.direction)
        self._traces.move_to_end(asked)
        if len(self._traces) > REMEMBERED:
            self._traces.popitem(last=False)
        return self._traces[asked]

    def looks(self, asked: Asked) -> dict[str, Any]:
        """What the page opens: the sentence as it is."""
        return {"format": FORMAT, "looks": [look_data(self._shown(asked))]}

    def page_data(self, asked: Asked, facts: Mapping[str, Any]) -> str:
        """What the page begins with, as JSON. It asks for its first sentence itself, but for a forced translation."""
        return page_data([self._shown(asked)] if asked.text and asked.target else [], live=facts)

    def change(self, asked: Asked) -> dict[str, Any]:
        """`look`: what the page draws, with the changes; `effect`: what they do to the words that were there before."""
        trace = self.trace(asked)
        change = text_change(trace, asked.source)
        changes = [
            self._head_change([head for head in asked.heads if head.how == how])
            for how in dict.fromkeys(head.how for head in asked.heads)
        ]
        with ExitStack() as stack:
            for one in changes:
                stack.enter_context(changed(self.translator.transformer, one))
            text = asked.text if change is None else change.text
            after = self.translator.look(text, asked.target, direction=asked.direction)
            delta = next(effects(trace, [change])).word_delta
        told = described(change if change or not changes else changes[0])
        effect = {"change": told, "translation": after.translation, "same": after.target_ids == trace.target_ids}
        return {
            "look": look_data(Shown(after, change=told, delta=delta)),
            "effect": effect | {"delta": [round(value, 4) for value in delta]},
        }

    def _shown(self, asked: Asked) -> Shown:
        trace = self.trace(asked)
        return Shown(trace, attribution=alti_data(trace))

    def _head_change(self, heads: list[HeadAsked]) -> HeadChange:
        """All that is done in the same way, as one change."""
        make = off if heads[0].how == "off" else uniform
        found = [make(self.translator.transformer, one.kind, layer=one.layer, head=one.head) for one in heads]
        return HeadChange(how=heads[0].how, heads=tuple(dict.fromkeys(place for one in found for place in one.heads)))

    def _check_target(self, asked: Asked) -> None:
        most = self.translator.config.text.max_length
        count = len(self.translator.tokenizer.target.encode(asked.target or ""))
        if count > most:
            raise InputError(f"The translation has {count} pieces, and this model writes {most} at most. Shorten it.")


def text_change(trace: Trace, asked: WordAsked | SentenceAsked | None) -> TextChange | None:
    """The sentence that is asked for. Raises InputError where a word is not there, or cannot be changed."""
    if asked is None:
        return None
    if isinstance(asked, SentenceAsked):
        every = tuple(surfaces_of(trace))
        return TextChange(how="replaced", words=every, by=asked.text, text=asked.text)
    word = _word(trace, asked.word)
    if asked.how == "dropped":
        return dropped(trace, word)
    if asked.how == "replaced":
        return replaced(trace, word, asked.by)
    return swapped(trace, word, None if asked.with_ is None else _word(trace, asked.with_))


def _word(trace: Trace, number: int) -> Word:
    if not 0 <= number < len(trace.source_words):
        raise InputError(f"There is no word {number}: the source has words 0 to {len(trace.source_words) - 1}.")
    return trace.source_words[number]
