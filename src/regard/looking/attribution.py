"""What each word of a translation owes to the words of the source, and to those written before it: every method, one
result.

    attribute(translator, "The cat sleeps.", method="alti").table()
    why(translator, source, target, "il", instead_of="elle")

None of these is an explanation by itself: `regard.looking.faithfulness` measures how far each can be trusted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from regard.decoding.translator import Translator
from regard.errors import InputError
from regard.looking.blocks import Passed, Sentences, as_sentences, passed
from regard.looking.gradients import gradient_x_input, integrated_gradients
from regard.looking.norms import norms, norms_with_residual
from regard.looking.occlusion import Group, Rule, Variant, log_probs, marginalised, occlusion, replaced, whole
from regard.looking.rollout import Sides, alti_plus, rollout
from regard.looking.segments import By, Pair, pair, pair_of, replaced_in
from regard.looking.substitutes import substitutes
from regard.looking.trace import Trace
from regard.looking.words import Word
from regard.looking.zeroing import zeroed_decoder
from regard.model.transformer import Transformer

Unit = Literal["share", "norm", "logit", "nats"]


def last_weights(found: Passed) -> Sides:
    """The weights of the last decoder layer, mean over its heads."""
    return Sides(found.cross[-1].weights.mean(dim=1), found.decoder[-1].weights.mean(dim=1))


def last_norms(found: Passed) -> Sides:
    """The norms of what the attention of the last decoder layer adds."""
    return Sides(norms(found.cross[-1]), norms(found.decoder[-1]))


def last_norms_with_residual(found: Passed) -> Sides:
    """The same behind add & norm, with the stream as a part of its own position."""
    return Sides(norms_with_residual(found.cross[-1]).keys, norms_with_residual(found.decoder[-1]).keys)


def last_zeroed(model: Transformer, batch: Sentences, found: Passed) -> Sides:
    """The value zeroing of the last decoder layer."""
    return zeroed_decoder(model, batch, found, layer=len(found.decoder) - 1)


MAPS: Mapping[str, tuple[Unit, Callable[[Transformer, Sentences, Passed], Sides]]] = {  # every row in one pass
    "weights": ("share", lambda model, batch, found: last_weights(found)),
    "norms": ("norm", lambda model, batch, found: last_norms(found)),
    "norms+residual": ("norm", lambda model, batch, found: last_norms_with_residual(found)),
    "rollout": ("share", lambda model, batch, found: rollout(found)),
    "alti": ("share", lambda model, batch, found: alti_plus(found)),
    "value-zeroing": ("share", last_zeroed),
}
GRADIENTS = {"gradient": gradient_x_input, "integrated-gradients": integrated_gradients}  # a pass for each row
RULES: Mapping[str, Rule] = {"occlusion-unk": "unk", "occlusion-drop": "drop", "occlusion-zero": "zero"}
MARGINALISED = "marginalised"
METHODS = (*MAPS, *GRADIENTS, *RULES, MARGINALISED)


@dataclass(frozen=True)
class Attribution:
    """What each written word owes to what was read. Row t: the word written, on having read the prefix up to it."""

    method: str
    unit: Unit  # share: of 1; norm: of a vector; logit, nats: what the word gains by it, or loses (below 0)
    written: list[str]
    read_source: list[str]
    read_prefix: list[str]
    source: Float[ndarray, "written source"]
    prefix: Float[ndarray, "written read"]

    def table(self) -> list[dict[str, str | float]]:
        """A record for each pair of words: written, read, side, value."""
        sides = (("source", self.read_source, self.source), ("prefix", self.read_prefix, self.prefix))
        return [
            {"written": word, "read": other, "side": side, "value": float(values[row, column])}
            for side, others, values in sides
            for row, word in enumerate(self.written)
            for column, other in enumerate(others)
        ]

    def source_share(self) -> Float[ndarray, " written"]:
        """The part of each row's absolute sum that lies on the source; the rest lies on the prefix."""
        source, prefix = (np.abs(side).sum(axis=1) for side in (self.source, self.prefix))
        return source / np.maximum(source + prefix, np.finfo(np.float64).tiny)


class Why(NamedTuple):
    """Why a word was written and not another: what each word read did for the difference."""

    word: str
    instead_of: str
    log_odds: float  # log p(word) - log p(instead_of), at the first piece in which they differ
    attribution: Attribution  # one row; above 0: speaks for the word


def attribute(
    translator: Translator,
    source: str,
    target: str | None = None,
    *,
    method: str = "alti",
    direction: str | None = None,
    by: By = "words",
    given: Mapping[str, Sequence[str]] | None = None,
) -> Attribution:
    """What each word of the translation (or of the target, forced) owes to what was read, by one of METHODS.

    Pieces are merged into words: a word that is read has the sum of its pieces; of a word that is written, shares and
    norms have the mean of its pieces' rows, logits and log-probabilities the sum. The occlusions take whole words away;
    `marginalised` puts others in their place: those that are `given` for a word, such as {"dog": ["cat", "cow"]}, or
    words of near vectors. Raises InputError where there is no such method.
    """
    check_method(method)
    if target is None:
        target = translator.translate(source, direction=direction).text
    return attributed(translator, pair(translator, source, target, direction=direction, by=by), method, given=given)


def attribute_trace(trace: Trace, *, method: str = "alti", by: By = "words") -> Attribution:
    """The same for a translation that was traced. Raises InputError where the trace knows no model."""
    check_method(method)
    return attributed(trace.living(), pair_of(trace, by), method)


def attributed(
    translator: Translator, both: Pair, method: str, *, given: Mapping[str, Sequence[str]] | None = None
) -> Attribution:
    """The attribution of a pair by one of METHODS."""
    model = translator.transformer
    if method in (*RULES, MARGINALISED):
        asked = whole(both.source, both.written)
        if method == MARGINALISED:
            return _by_written_word(both, method, _by_replacement(translator, both, asked, given))
        return _by_written_word(both, method, _by_occlusion(translator, both, method, asked))
    batch = as_sentences(model, [both.source], [both.written])
    if method in MAPS:
        unit, made = MAPS[method]
        return _merged(both, method, unit, made(model, batch, passed(model, batch)))
    rows = torch.arange(len(both.written), device=batch.written.device)
    found = GRADIENTS[method](model, batch.select(torch.zeros_like(rows)), rows)
    return _merged(both, method, "logit", Sides(*(side.transpose(0, 1) for side in found)))


def why(
    translator: Translator,
    source: str,
    target: str,
    word: str,
    *,
    instead_of: str,
    method: str = "occlusion-unk",
    direction: str | None = None,
) -> Why:
    """Why the target has this word (its first occurrence) and not the other one, by an occlusion or a gradient.

    The two are compared at the first piece y, y' in which the targets differ: an occlusion says how much
    log p(y) - log p(y') falls without each word read; a gradient, what each does for logit y - logit y'.
    Raises InputError where the target does not have the word, or the method cannot tell.
    """
    check_method(method)
    if method in MAPS or method == MARGINALISED:
        able = ", ".join((*GRADIENTS, *RULES))
        raise InputError(f"'{method}' cannot tell why one word and not another; these can: {able}.")
    both = pair(translator, source, target, direction=direction)
    place, other = _difference(translator, both, target, (word, instead_of))
    asked = whole(both.source, both.written)._replace(at=[place, place], ids=[both.written[place], other])
    (yes, no), model = log_probs(translator.transformer, [asked])[0], translator.transformer
    named = next(part.text for part in both.written_words if place in part.pieces)
    row = [Word(named, range(1))]
    if method in RULES:
        found = _by_occlusion(translator, both, method, asked)
        sides = Sides(*(side[:1] - side[1:] for side in found))
        return Why(word, instead_of, yes - no, _result(both, method, "nats", sides, row))
    batch = as_sentences(model, [both.source], [both.written])
    at, instead = (torch.tensor([value], device=batch.read.device) for value in (place, other))
    by_pieces = GRADIENTS[method](model, batch, at, instead)
    return Why(word, instead_of, yes - no, _merged(both, method, "logit", by_pieces, row))


def why_trace(trace: Trace, word: str, *, instead_of: str, method: str = "occlusion-unk") -> Why:
    """The same for a translation that was traced. Raises InputError where the trace knows no model."""
    direction = trace.model.direction
    asked = trace.living(), trace.text, trace.translation, word
    return why(*asked, instead_of=instead_of, method=method, direction=direction)


def check_method(method: str) -> None:
    """Raises InputError where there is no such method."""
    if method not in METHODS:
        raise InputError(f"There is no attribution method '{method}'; there are {', '.join(METHODS)}.")


def _by_written_word(both: Pair, method: str, found: Sides) -> Attribution:
    """What each word read is worth to log p of each word written: the sum over the pieces written."""
    sides = [
        torch.stack([side[word.pieces.start : word.pieces.stop].sum(dim=0) for word in both.written_words])[None]
        for side in found
    ]
    return _result(both, method, "nats", Sides(*sides), both.written_words)


def _difference(translator: Translator, both: Pair, target: str, words: tuple[str, str]) -> tuple[int, int]:
    """The first place where the target with the other word differs from the target, and the piece that it has there."""
    word, instead_of = words
    other = translator.tokenizer.encode_target(replaced_in(target, word, instead_of))
    for place, (a, b) in enumerate(zip(both.written, other, strict=False)):
        if a != b:
            return place, b
    raise InputError(f"'{word}' instead of '{instead_of}': the same word twice. Name another one.")


def _by_occlusion(translator: Translator, both: Pair, method: str, asked: Variant) -> Sides:
    """(asked, word) for the words of both sides; the start of the prefix is never taken away."""
    return _on_sides(both, occlusion(translator.transformer, asked, _groups(both), rule=RULES[method]))


def _by_replacement(
    translator: Translator, both: Pair, asked: Variant, given: Mapping[str, Sequence[str]] | None
) -> Sides:
    """The same with other words in their place."""
    others = zip(_groups(both), substitutes(translator, both, given=given), strict=True)
    variants = [[replaced(asked, group, ids) for ids in each] for group, each in others]
    return _on_sides(both, marginalised(translator.transformer, asked, variants))


def _groups(both: Pair) -> list[Group]:
    sources = [Group("source", word.pieces) for word in both.source_words]
    return sources + [Group("prefix", word.pieces) for word in both.read_words[1:]]


def _on_sides(both: Pair, values: Float[Tensor, "asked group"]) -> Sides:
    source, prefix = values.tensor_split([len(both.source_words)], dim=1)
    return Sides(source, torch.cat([torch.zeros_like(source[:, :1]), prefix], dim=1))


def _merged(both: Pair, method: str, unit: Unit, found: Sides, rows: Sequence[Word] | None = None) -> Attribution:
    """The attribution of words, from that of pieces (batch of 1, written, read)."""
    rows = both.written_words if rows is None else rows
    columns = [
        torch.stack([side[0][:, word.pieces.start : word.pieces.stop].sum(dim=1) for word in words], dim=1)
        for side, words in zip(found, (both.source_words, both.read_words), strict=True)
    ]
    merge = torch.mean if unit in ("share", "norm") else torch.sum
    merged = [
        torch.stack([merge(side[word.pieces.start : word.pieces.stop], dim=0) for word in rows]) for side in columns
    ]
    return _result(both, method, unit, Sides(merged[0][None], merged[1][None]), rows)


def _result(both: Pair, method: str, unit: Unit, found: Sides, rows: Sequence[Word]) -> Attribution:
    source, prefix = (side.detach().double().cpu().numpy().reshape(len(rows), -1) for side in found)
    written, read_source, read_prefix = (
        [word.text for word in words] for words in (rows, both.source_words, both.read_words)
    )
    return Attribution(method, unit, written, read_source, read_prefix, source, prefix)
