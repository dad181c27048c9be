"""What the model says when part of what it read is taken away or replaced: the plainest question, and the dearest.

Every question is a `Variant`: other pieces to read, and which log-probabilities are asked for. They are all answered
in padded batches, each sentence as if it were alone.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from regard.config import BOS, UNK
from regard.looking.gradients import reading
from regard.model.transformer import Transformer
from regard.text.batching import pad

BATCH_PIECES = 8192  # of one batch, both sides, padding included
Rule = Literal["unk", "drop", "zero"]
Side = Literal["source", "prefix"]


class Variant(NamedTuple):
    """What is read, and the log-probabilities that are asked for: of piece `ids[n]` behind `read[at[n]]`."""

    source: list[int]  # with its end
    read: list[int]  # with its start
    at: list[int]
    ids: list[int]
    zero: tuple[list[int], list[int]] = ([], [])  # positions of source and prefix whose vectors are zero


class Group(NamedTuple):
    """Pieces that are taken away together, such as those of a word."""

    side: Side
    positions: Sequence[int]  # of the source; or of what is read, where 0 is the start


@torch.no_grad()
def log_probs(model: Transformer, variants: Sequence[Variant]) -> list[list[float]]:
    """The answers to these questions, in nats, in their order."""
    model.eval()
    answers: list[list[float]] = [[] for _ in variants]
    order = sorted(range(len(variants)), key=lambda row: len(variants[row].source) + len(variants[row].read))
    while order:
        longest = variants[order[-1]]
        size = max(1, BATCH_PIECES // (len(longest.source) + len(longest.read)))
        rows, order = order[-size:], order[:-size]
        for row, found in zip(rows, _answers(model, [variants[row] for row in rows]), strict=True):
            answers[row] = found
    return answers


def _answers(model: Transformer, variants: Sequence[Variant]) -> list[list[float]]:
    device = model.output.weight.device
    source, read = (
        torch.from_numpy(pad(side)).to(device) for side in zip(*((v.source, v.read) for v in variants), strict=True)
    )
    x, m = model.source_embedding(source), model.target_embedding(read)
    for row, variant in enumerate(variants):
        for vectors, positions in zip((x, m), variant.zero, strict=True):
            vectors[row, positions] = 0
    with reading(model, x, m):
        decoded = model.decode(model.encode(source), read)
    counts = [len(variant.at) for variant in variants]
    rows = torch.repeat_interleave(torch.arange(len(variants)), torch.tensor(counts)).to(device)
    at, ids = (
        torch.tensor([value for variant in variants for value in getattr(variant, name)], device=device)
        for name in ("at", "ids")
    )
    log_p = (decoded[rows, at] @ model.output.weight.T).log_softmax(dim=-1).gather(1, ids[:, None])[:, 0]
    return [answer.tolist() for answer in log_p.split(counts)]


def whole(source: list[int], written: list[int]) -> Variant:
    """The question with nothing taken away: log p of every piece of a translation."""
    return Variant(source, [BOS, *written[:-1]], list(range(len(written))), written)


def without(variant: Variant, group: Group, rule: Rule) -> Variant:
    """The same question with the group taken away.

    unk: its pieces are the unknown piece. drop: they are not there, and what follows moves up; a piece that was
    written on reading one of them is then written on reading what comes before. zero: their vectors (position
    included) are zero.
    """
    gone = set(group.positions)
    if group.side == "source":
        if rule == "zero":
            return variant._replace(zero=(sorted(gone), variant.zero[1]))
        return variant._replace(source=_less(variant.source, gone, rule))
    if rule == "zero":
        return variant._replace(zero=(variant.zero[0], sorted(gone)))
    at = [place - sum(1 for position in gone if position <= place) * (rule == "drop") for place in variant.at]
    return variant._replace(read=_less(variant.read, gone, rule), at=at)


def _less(ids: list[int], gone: set[int], rule: Rule) -> list[int]:
    if rule == "unk":
        return [UNK if position in gone else piece for position, piece in enumerate(ids)]
    return [piece for position, piece in enumerate(ids) if position not in gone]


def occlusion(
    model: Transformer, variant: Variant, groups: Sequence[Group], *, rule: Rule = "unk"
) -> Float[Tensor, "asked group"]:
    """log p(y_t | all) - log p(y_t | all but the group), for each piece asked for and each group (Li et al., 2016).

    Above 0: the group made the piece more probable. A group of the prefix does nothing to pieces before it.
    """
    before, *after = log_probs(model, [variant, *(without(variant, group, rule) for group in groups)])
    return (_doubles(before) - _doubles(after).reshape(len(groups), len(before))).T


def marginalised(
    model: Transformer, variant: Variant, replaced: Sequence[Sequence[Variant]]
) -> Float[Tensor, "asked group"]:
    """E |log p(y_t) - log p(y_t | the group replaced)|, over the replacements of each group (Kim et al., 2020).

    The replacements are of the group's own kind, so that the model still reads a sentence: other nouns for a noun.
    A group without any is worth 0.
    """
    flat = [other for others in replaced for other in others]
    before, *after = log_probs(model, [variant, *flat])
    changes = (_doubles(after).reshape(len(flat), len(before)) - _doubles(before)).abs()
    groups = changes.split([len(others) for others in replaced])
    return torch.stack([group.sum(dim=0) / max(1, len(group)) for group in groups], dim=1)


def replaced(variant: Variant, group: Group, ids: Sequence[int]) -> Variant:
    """The same question with the group's pieces replaced by these, in the place of the first.

    What was asked behind the group moves along; what was asked within it is asked in the same place or, where there
    are fewer pieces now, behind the last of them.
    """
    first, gone = min(group.positions), set(group.positions)
    old = variant.source if group.side == "source" else variant.read
    new = [piece for position, piece in enumerate(old) if position not in gone]
    new[first:first] = ids
    if group.side == "source":
        return variant._replace(source=new)
    last, grown = max(gone), len(ids) - len(gone)
    at = [place + grown if place >= last else min(place, max(first, last + grown)) for place in variant.at]
    return variant._replace(read=new, at=at)


def _doubles(values: list[float] | list[list[float]]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
