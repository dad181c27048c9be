"""From the mixing of each layer to that of the whole model: rollout (Abnar and Zuidema, 2020) and ALTI+ (Ferrando et
al., 2022b)."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from regard.looking.blocks import Block, Passed
from regard.looking.norms import alti


class Sides(NamedTuple):
    """What each written piece owes to the pieces of the source, and to those of its own prefix."""

    source: Float[Tensor, "batch written source"]
    prefix: Float[Tensor, "batch written read"]


def roll_encoder(layers: Sequence[Float[Tensor, "batch query key"]]) -> Float[Tensor, "batch query key"]:
    """R_l = A_l R_{l-1}, R_0 = I: how much of each source piece is in each position of the memory."""
    rolled = layers[0]
    for layer in layers[1:]:
        rolled = layer @ rolled
    return rolled


def roll(encoder: Float[Tensor, "batch source source"], decoder: Sequence[Sides]) -> Sides:
    """U_l = S_l U_{l-1} + C_l E and T_l = S_l T_{l-1}, with U_0 = 0, T_0 = I and E the encoder's roll-out.

    Each decoder layer is [C_l | S_l]: what its positions take from the memory, and from the positions below. Where
    the rows of each sum to 1, so do those of [U | T].
    """
    first = decoder[0]
    source, prefix = first.source @ encoder, first.prefix
    for layer in decoder[1:]:
        source = layer.prefix @ source + layer.source @ encoder
        prefix = layer.prefix @ prefix
    return Sides(source, prefix)


def rollout(found: Passed) -> Sides:
    """Attention rollout: A_l = ½ mean_h a_l + ½ I, in each encoder layer and in the decoder's self-attention; cross-
    attention and the stream have half each: S_l = ½ A_l, C_l = ½ mean_h of the cross-attention.

    The encoder's part is Abnar and Zuidema's (2020, section 3); the decoder's is its natural continuation.
    """
    encoder = roll_encoder([_half(block) for block in found.encoder])
    layers = [
        Sides(0.5 * cross.weights.mean(dim=1), 0.5 * _half(own))
        for own, cross in zip(found.decoder, found.cross, strict=True)
    ]
    return roll(encoder, layers)


def alti_plus(found: Passed) -> Sides:
    """ALTI+: every layer's contributions by `alti`, rolled out (Ferrando et al., 2022b).

    Cross-attention has the stream as one more column, with share r_i: S_l = diag(r) A_l. Rows of both sides together
    sum to 1, so that the sum of one is the share of the source, or of the prefix.
    """
    encoder = roll_encoder([alti(block).keys for block in found.encoder])
    layers = []
    for own, cross in zip(found.decoder, found.cross, strict=True):
        looked = alti(cross)
        layers.append(Sides(looked.keys, looked.residual[..., None] * alti(own).keys))
    return roll(encoder, layers)


def _half(block: Block) -> Float[Tensor, "batch query key"]:
    weights = block.weights.mean(dim=1)
    return 0.5 * weights + 0.5 * torch.eye(weights.shape[1], dtype=weights.dtype, device=weights.device)
