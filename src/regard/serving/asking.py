"""What a page may ask of a model, as plain values that were looked at before anything is done with them."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from regard.errors import InputError
from regard.looking.trace import KINDS, Kind

LONGEST = 4000  # characters of a text
MOST_CHANGES = 256  # of heads, in one question

WordHow = Literal["dropped", "swapped", "replaced"]
HeadHow = Literal["off", "uniform"]


@dataclass(frozen=True, kw_only=True)
class HeadAsked:
    """A head that is to be switched off or made uniform, or all heads of a layer or a kind; from 1."""

    how: HeadHow
    kind: Kind
    layer: int | None = None
    head: int | None = None


@dataclass(frozen=True, kw_only=True)
class WordAsked:
    """A source word that is to be changed; its number counts from 0, as in the trace."""

    how: WordHow
    word: int
    with_: int | None = None  # whose place it takes, if swapped; None: the next one
    by: str = ""  # what takes its place, if replaced


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A sentence to be looked at, and what is to be changed about it or about the model."""

    text: str
    direction: str | None = None
    target: str | None = None
    change: WordAsked | None = None
    heads: tuple[HeadAsked, ...] = ()

    @property
    def unchanged(self) -> "Asked":
        """The same sentence, and the model as it is."""
        return dataclasses.replace(self, change=None, heads=())


def read_asked(body: bytes) -> Asked:
    """The question in the body of a request. Raises InputError that says what is wrong with it."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise InputError("The request is no JSON.") from None
    fields = _object(given, "The request", ("text", "direction", "target", "change", "heads"))
    change, heads = fields.get("change"), fields.get("heads") or []
    if not isinstance(heads, list) or len(heads) > MOST_CHANGES:
        raise InputError(f"'heads' has to be a list of at most {MOST_CHANGES} changes.")
    return Asked(
        text=_text(fields.get("text"), "text"),
        direction=_optional(fields.get("direction"), "direction", _text),
        target=_optional(fields.get("target"), "target", _text),
        change=None if change is None else _word_asked(change),
        heads=tuple(dict.fromkeys(map(_head_asked, heads))),
    )


def _word_asked(given: Any) -> WordAsked:
    fields = _object(given, "'change'", ("how", "word", "with", "by"))
    how = _one_of(fields.get("how"), "change.how", get_args(WordHow))
    by = _text(fields.get("by"), "change.by") if how == "replaced" else ""
    if how == "replaced" and not by.strip():
        raise InputError("'change.by' is empty; to leave a word out, ask for how = dropped.")
    return WordAsked(
        how=how,
        word=_number(fields.get("word"), "change.word"),
        with_=_optional(fields.get("with"), "change.with", _number),
        by=by.strip(),
    )


def _head_asked(given: Any) -> HeadAsked:
    fields = _object(given, "Each of 'heads'", ("how", "kind", "layer", "head"))
    return HeadAsked(
        how=_one_of(fields.get("how"), "how", get_args(HeadHow)),
        kind=_one_of(fields.get("kind"), "kind", KINDS),
        layer=_optional(fields.get("layer"), "layer", _number),
        head=_optional(fields.get("head"), "head", _number),
    )


def _object(given: Any, what: str, names: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise InputError(f"{what} has to be an object with {', '.join(names)}.")
    if unknown := [name for name in given if name not in names]:
        raise InputError(f"{what} has no {unknown[0][:40]!r}; it may have {', '.join(names)}.")
    return given


def _optional(given: Any, name: str, read: Callable[[Any, str], Any]) -> Any:
    return None if given is None else read(given, name)


def _text(given: Any, name: str) -> str:
    if not isinstance(given, str):
        raise InputError(f"'{name}' has to be a text.")
    if len(given) > LONGEST:
        raise InputError(f"'{name}' has {len(given):,} characters; at most {LONGEST:,} are looked at here.")
    return given


def _number(given: Any, name: str) -> int:
    if not isinstance(given, int) or isinstance(given, bool):
        raise InputError(f"'{name}' has to be a whole number.")
    return given


def _one_of(given: Any, name: str, values: tuple[str, ...]) -> Any:
    if given not in values:
        raise InputError(f"'{name}' has to be one of {', '.join(values)}.")
    return given
