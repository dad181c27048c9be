"""Two looks side by side: a translation, and the one that the model makes when a word or a head is changed."""

from typing import NamedTuple

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
