"""Two looks side by side: a translation, and the one made when a word, a head or the whole model is another."""

from typing import NamedTuple

from regard.decoding.translator import Translator
from regard.errors import InputError
from regard.looking.interventions import Change, TextChange, described, effects
from regard.looking.steering import HeadChange, changed
from regard.looking.trace import Trace


class Compared(NamedTuple):
    """The second look, what makes it differ, and by how much that moves log p of each word of the first translation."""

    trace: Trace
    change: dict[str, object]  # as JSON values; layers, heads and words count from 0
    delta: list[float]  # in nats; the words of the first translation forced


def compared(trace: Trace, change: Change) -> Compared:
    """A look under a change. Raises InputError where the trace was loaded from a file and knows no model."""
    translator, direction = trace.living(), trace.model.direction
    effect = next(iter(effects(trace, [change])))
    settings = trace.decoding | {"temperature": 0.0, "n_best": 1}
    if isinstance(change, HeadChange):
        with changed(translator.transformer, change):
            second = translator.look(trace.text, direction=direction, **settings)
    else:
        second = translator.look(change.text, direction=direction, **settings)
    return Compared(second, described(change), effect.word_delta)


def with_sentence(trace: Trace, text: str) -> Compared:
    """A look at another sentence, beside this one."""
    found = compared(trace, TextChange(how="replaced", words=(), by=text, text=text))
    return found._replace(change={"what": "text", "words": [], "text": text})


def with_model(trace: Trace, other: Translator) -> Compared:
    """A look at the same sentence by another model, such as an earlier checkpoint.

    Raises InputError where it has other directions, or cuts the translation into other words.
    """
    direction = trace.model.direction
    second = other.look(trace.text, direction=direction, **trace.decoding | {"temperature": 0.0, "n_best": 1})
    forced = other.look(trace.text, trace.translation, direction=direction)
    if [word.text for word in forced.target_words] != [word.text for word in trace.target_words]:
        raise InputError(
            f"'{other.name}' cuts '{trace.translation}' into other words than '{trace.model.name}': there is no word "
            f"whose log p could be compared. Take two models with one vocabulary, such as two checkpoints."
        )
    delta = [
        sum(forced.log_probs[there.slice]) - sum(trace.log_probs[here.slice])
        for here, there in zip(trace.target_words, forced.target_words, strict=True)
    ]
    return Compared(second, {"what": "model", "how": "model", "by": other.name}, delta)
