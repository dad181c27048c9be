"""Value zeroing: how far a layer's output turns when the value of one position is taken away (Mohebbi et al., 2023)."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from regard.config import PAD
from regard.looking.blocks import Passed, Sentences
from regard.looking.listening import changing
from regard.looking.rollout import Sides
from regard.model.attention import Tap
from regard.model.decoder import DecoderLayer
from regard.model.transformer import Transformer


def turned(
    layer: Callable[[Tensor], Tensor], x: Float[Tensor, "batch query model"], tap: Tap, keys: int
) -> Float[Tensor, "batch query key"]:
    """1 - cos(x~_i, x~_i with v_j = 0), where x~ is the layer's output: all keys in one batch.

    The layer must compute the same for a sentence wherever it stands in a batch, and repeat itself `keys` times.
    """
    batch, length, _ = x.shape
    whole = layer(x)
    kept = 1 - torch.eye(keys, dtype=x.dtype, device=x.device)
    every = kept.repeat(batch, 1)[:, None, :, None]  # (batch key) 1 key 1: sentence b with key j at zero
    with changing(tap, lambda v: v * every):
        without = layer(x.repeat_interleave(keys, dim=0))
    without = without.unflatten(0, (batch, keys)).transpose(1, 2)
    return (1 - torch.cosine_similarity(whole[:, :, None], without, dim=-1)).clamp(min=0).reshape(batch, length, keys)


@torch.no_grad()
def zeroed_encoder(
    model: Transformer, batch: Sentences, found: Passed, *, layer: int
) -> Float[Tensor, "batch source source"]:
    """Value zeroing of one encoder layer (from 0), with rows that sum to 1."""
    mask, deep = batch.source != PAD, model.encoder.layers[layer]
    sizes = turned(_Encode(deep, mask), found.encoder[layer].x_in, deep.self_attention.v, mask.shape[1])
    return sizes / _total(sizes)


@torch.no_grad()
def zeroed_decoder(model: Transformer, batch: Sentences, found: Passed, *, layer: int) -> Sides:
    """Value zeroing of one decoder layer (from 0): each value of its self-attention and of its cross-attention in turn.

    A row is shared out among both, and sums to 1. As published, each layer is looked at by itself: its rows say little
    of what passes it by, so rolling them out would lose that.
    """
    mask, deep, x = batch.source != PAD, model.decoder.layers[layer], found.decoder[layer].x_in
    decode = _Decode(deep, model.encode(batch.source).states, mask)
    prefix = turned(decode, x, deep.self_attention.v, x.shape[1])
    source = turned(decode, x, deep.cross_attention.v, mask.shape[1])
    total = _total(torch.cat([prefix, source], dim=-1))
    return Sides(source / total, prefix / total)


def _total(sizes: Tensor) -> Tensor:
    return sizes.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(sizes.dtype).tiny)


class _Encode:
    """An encoder layer on sentences that each come several times in a row."""

    def __init__(self, layer: Callable[[Tensor, Tensor], Tensor], mask: Bool[Tensor, "batch source"]) -> None:
        self.layer, self.mask = layer, mask

    def __call__(self, x: Tensor) -> Tensor:
        times = len(x) // len(self.mask)
        return self.layer(x, self.mask.repeat_interleave(times, dim=0)[:, None, None, :])


class _Decode:
    """A decoder layer on sentences that each come several times in a row."""

    def __init__(self, layer: DecoderLayer, memory: Tensor, mask: Bool[Tensor, "batch source"]) -> None:
        self.layer, self.memory, self.mask = layer, memory, mask

    def __call__(self, x: Tensor) -> Tensor:
        times = len(x) // len(self.mask)
        memory = self.memory.repeat_interleave(times, dim=0)
        mask = self.mask.repeat_interleave(times, dim=0)[:, None, None, :]
        output: Tensor = self.layer(x, self.layer.cross_attention.keys_values(memory), mask)
        return output
