"""What a page is told: looks at sentences, as they are or with words or heads changed. One thread, one question."""

from collections import OrderedDict
from contextlib import ExitStack
from typing import Any

from regard.decoding.translator import Translator
from regard.errors import InputError
from regard.looking.export import FORMAT, look_data
from regard.looking.interventions import Effect, TextChange, dropped, effects, replaced, surfaces_of, swapped
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
        return {"format": FORMAT, "looks": [look_data(self.trace(asked))]}

    def change(self, asked: Asked) -> dict[str, Any]:
        """`look`: what the page draws, with the changes; `effect`: what they do to the words that were there before."""
        trace = self.trace(asked)
        change = text_change(trace, asked.source)
        with ExitStack() as stack:
            for how in dict.fromkeys(head.how for head in asked.heads):
                one = self._head_change([head for head in asked.heads if head.how == how])
                stack.enter_context(changed(self.translator.transformer, one))
            text = asked.text if change is None else change.text
            after = self.translator.look(text, asked.target, direction=asked.direction)
            effect = next(effects(trace, [change]))
        return {"look": look_data(after), "effect": effect_data(trace, effect, after)}

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


def effect_data(trace: Trace, effect: Effect, after: Trace) -> dict[str, Any]:
    """What changed, for the words that were written without the change."""
    return {
        "change": effect.record()["change"],
        "translation": after.translation,
        "same": after.target_ids == trace.target_ids,
        "delta": [round(value, 4) for value in effect.word_delta],
    }


def _word(trace: Trace, number: int) -> Word:
    if not 0 <= number < len(trace.source_words):
        raise InputError(f"There is no word {number}: the source has words 0 to {len(trace.source_words) - 1}.")
    return trace.source_words[number]
