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
class SentenceAsked:
    """Another sentence, in the place of the whole source."""

    text: str


Change = HeadAsked | WordAsked | SentenceAsked


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A sentence to be looked at, and what is to be changed about it or about the model."""

    text: str
    direction: str | None = None
    target: str | None = None  # forced on the model; None: what it finds itself
    changes: tuple[Change, ...] = ()

    @property
    def heads(self) -> list[HeadAsked]:
        """The changes of heads."""
        return [change for change in self.changes if isinstance(change, HeadAsked)]

    @property
    def source(self) -> WordAsked | SentenceAsked | None:
        """The change of the source."""
        return next((change for change in self.changes if not isinstance(change, HeadAsked)), None)

    @property
    def unchanged(self) -> "Asked":
        """The same sentence, and the model as it is."""
        return dataclasses.replace(self, changes=())


def read_asked(body: bytes) -> Asked:
    """The question in the body of a request. Raises InputError that says what is wrong with it.

    text, direction (null: the model's first), target with forced (false: it is what the model found itself), and
    change: one, or a list of several.
    """
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise InputError("The request is no JSON.") from None
    fields = _object(given, "The request", ("text", "direction", "target", "forced", "change"))
    target = _optional(fields.get("target"), "target", _text)
    return Asked(
        text=_text(fields.get("text"), "text"),
        direction=_optional(fields.get("direction"), "direction", _text),
        target=None if fields.get("forced") is False else target,
        changes=_changes(fields.get("change")),
    )


def _changes(given: Any) -> tuple[Change, ...]:
    listed = given if isinstance(given, list) else [] if given is None else [given]
    if len(listed) > MOST_CHANGES:
        raise InputError(f"There are {len(listed)} changes; at most {MOST_CHANGES} are made at once.")
    changes = tuple(dict.fromkeys(map(_change, listed)))
    if sum(not isinstance(change, HeadAsked) for change in changes) > 1:
        raise InputError("The sentence can be changed once; change the new one next.")
    return changes


def _change(given: Any) -> Change:
    what = _one_of(given.get("what") if isinstance(given, dict) else None, "change.what", tuple(_READ))
    return _READ[what](given)


def _sentence_asked(given: Any) -> SentenceAsked:
    fields = _object(given, "This change", ("what", "text"))
    return SentenceAsked(text=_text(fields.get("text"), "change.text"))


def _word_asked(given: Any) -> WordAsked:
    fields = _object(given, "This change", ("what", "how", "word", "with", "by"))
    how = _one_of(fields.get("how"), "change.how", get_args(WordHow))
    by = _text(fields.get("by"), "change.by") if how == "replaced" else ""
    if how == "replaced" and not by.strip():
        raise InputError("There is no word to put in the place of the other; to leave it out, ask for that.")
    return WordAsked(
        how=how,
        word=_number(fields.get("word"), "change.word"),
        with_=_optional(fields.get("with"), "change.with", _number),
        by=by.strip(),
    )


def _head_asked(given: Any) -> HeadAsked:
    fields = _object(given, "This change", ("what", "how", "kind", "layer", "head"))
    return HeadAsked(
        how=_one_of(fields.get("how"), "change.how", get_args(HeadHow)),
        kind=_one_of(fields.get("kind"), "change.kind", KINDS),
        layer=_optional(fields.get("layer"), "change.layer", _number),
        head=_optional(fields.get("head"), "change.head", _number),
    )


_READ: Mapping[str, Callable[[Any], Change]] = {"sentence": _sentence_asked, "text": _word_asked, "heads": _head_asked}


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
