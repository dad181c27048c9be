"""Heads steered while a model works: switched off, spread evenly, or given a pattern; each row of a batch its own way.

Arguments count layers and heads from 1; fields count from 0.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from regard.errors import InputError
from regard.looking.listening import changing
from regard.looking.trace import KINDS, Kind, Numbers
from regard.model.attention import MultiHeadAttention, Tap
from regard.model.transformer import Transformer

How = Literal["off", "uniform", "fixed"]


class HeadPlace(NamedTuple):
    """One head; layer and head count from 0."""

    kind: Kind
    layer: int
    head: int


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadChange:
    """Heads that add nothing (off), look at everything alike (uniform), or look where a pattern says (fixed)."""

    how: How
    heads: tuple[HeadPlace, ...]
    pattern: Float[Numbers, "query key"] | None = None  # its rows sum to 1; the model's own rows follow behind them


def off(model: Transformer, kind: Kind, *, layer: int | None = None, head: int | None = None) -> HeadChange:
    """A head whose context is zero; or all heads of a layer, or of a kind. b_O is still added."""
    return HeadChange(how="off", heads=heads_of(model, kind, layer, head))


def uniform(model: Transformer, kind: Kind, *, layer: int | None = None, head: int | None = None) -> HeadChange:
    """A head that looks at every key that it may look at alike; or all heads of a layer, or of a kind."""
    return HeadChange(how="uniform", heads=heads_of(model, kind, layer, head))


def fixed(
    model: Transformer, kind: Kind, pattern: Float[Numbers, "query key"], *, layer: int, head: int | None = None
) -> HeadChange:
    """A head whose weights are these, a row for each query; or all heads of a layer.

    Raises InputError where a row does not sum to 1, or where the decoder would look at what is not written yet.
    """
    if pattern.min() < 0 or np.abs(pattern.sum(axis=1) - 1).max() > 1e-5:
        raise InputError("The pattern is not made of weights: each row must be at least 0 everywhere and sum to 1.")
    if kind == "decoder" and np.triu(pattern, 1).any():
        raise InputError("The pattern looks into the future: in the decoder, row i may look at columns 0 to i.")
    return HeadChange(how="fixed", heads=heads_of(model, kind, layer, head), pattern=pattern)


def heads_of(
    model: Transformer, kind: Kind, layer: int | None = None, head: int | None = None
) -> tuple[HeadPlace, ...]:
    """All heads of a kind, or those of one layer, of one number (from 1). Raises InputError where there is none."""
    if kind not in KINDS:
        raise InputError(f"There is no attention of kind '{kind}'; it is one of {', '.join(KINDS)}.")
    layers, heads = len(model.encoder.layers if kind == "encoder" else model.decoder.layers), model.config.n_heads
    for name, number, most in (("layer", layer, layers), ("head", head, heads)):
        if number is not None and not 1 <= number <= most:
            raise InputError(f"There is no {name} {number}: {kind} attention has {name}s 1 to {most}.")
    chosen = range(layers) if layer is None else [layer - 1]
    return tuple(HeadPlace(kind, at, h) for at in chosen for h in (range(heads) if head is None else [head - 1]))


class Seats:
    """Which change each row of the batch undergoes that the model reads now."""

    def __init__(self) -> None:
        self.rows = torch.zeros(1, dtype=torch.long)  # numbers of changes; one for all, or one a row

    def of(self, value: Tensor) -> Int[Tensor, " batch"]:
        """The change of each row of this value."""
        return self.rows.to(value.device).expand(len(value))


@contextmanager
def changed(model: Transformer, *changes: HeadChange | None) -> Iterator[Seats]:
    """The model with heads changed, for as long as this lasts: by the first change, unless the seats say otherwise."""
    seats = Seats()
    places = dict.fromkeys((place.kind, place.layer) for change in changes if change for place in change.heads)
    with ExitStack() as stack:
        for kind, layer in places:
            here = _Here(kind, layer, changes, seats)
            for tap, listener in here.listeners(model):
                stack.enter_context(changing(tap, listener))
        yield seats


class _Here:
    """What the changes do to one attention block."""

    def __init__(self, kind: Kind, layer: int, changes: Sequence[HeadChange | None], seats: Seats) -> None:
        self.kind, self.layer, self.changes, self.seats = kind, layer, changes, seats
        self.read = 0  # positions that the decoder has read before those of this pass

    def listeners(self, model: Transformer) -> Iterator[tuple[Tap, Callable[[Tensor], Tensor]]]:
        """The taps of the block at which something is to be done, and what."""
        block, own = self._block(model), {change.how for change in self.changes if change and self._heads(change)}
        if "off" in own:
            yield block.context, self._off
        if "uniform" in own:
            yield block.scaled, self._uniform
        if "fixed" in own and self.kind != "encoder":
            yield model.decoder.layers[self.layer].self_attention.scaled, self._count
        if "fixed" in own:
            yield block.weights, self._fixed

    def _block(self, model: Transformer) -> MultiHeadAttention:
        if self.kind == "encoder":
            return model.encoder.layers[self.layer].self_attention
        deep = model.decoder.layers[self.layer]
        return deep.self_attention if self.kind == "decoder" else deep.cross_attention

    def _heads(self, change: HeadChange) -> list[int]:
        return [place.head for place in change.heads if (place.kind, place.layer) == (self.kind, self.layer)]

    def _chosen(self, value: Tensor, how: How) -> Bool[Tensor, "batch head 1 1"]:
        """The rows and heads to which this is done."""
        chosen = torch.zeros(len(self.changes), value.shape[1], dtype=torch.bool, device=value.device)
        for number, change in enumerate(self.changes):
            if change and change.how == how:
                chosen[number, self._heads(change)] = True
        return chosen[self.seats.of(value)][:, :, None, None]

    def _off(self, context: Tensor) -> Tensor:
        return context.masked_fill(self._chosen(context, "off"), 0)

    def _uniform(self, scaled: Tensor) -> Tensor:
        return scaled.masked_fill(self._chosen(scaled, "uniform"), 0)

    def _count(self, scaled: Tensor) -> Tensor:
        self.read = scaled.shape[3] - scaled.shape[2]
        return scaled

    def _fixed(self, weights: Tensor) -> Tensor:
        weights, seats = weights.clone(), self.seats.of(weights)
        for number, change in enumerate(self.changes):
            if change is not None and change.pattern is not None and self._heads(change):
                rows, pattern = (seats == number).nonzero()[:, 0], self._pattern(change.pattern, weights)
                for head in self._heads(change):
                    weights[rows, head, : len(pattern)] = pattern
        return weights

    def _pattern(self, pattern: Numbers, weights: Tensor) -> Float[Tensor, "rows key"]:
        """The rows of the pattern that belong to this pass."""
        rows, keys = pattern[self.read : self.read + weights.shape[2]], weights.shape[3]
        if rows.shape[1] > keys and self.kind != "decoder":
            raise InputError(f"The pattern is for {rows.shape[1]} pieces of the source, and here are {keys}.")
        here = weights.new_zeros(len(rows), keys)
        width = min(keys, rows.shape[1])
        here[:, :width] = torch.from_numpy(np.ascontiguousarray(rows[:, :width])).to(weights)
        return here
