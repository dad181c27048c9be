"""How much of each key arrives: the norms of what attention adds, not the weights alone (Kobayashi et al., 2020, 2021),
and ALTI's distances (Ferrando et al., 2022).

A block's output is a sum over keys, MHA(x)_i = sum_j T_i(j) + b_O with T_i(j) = sum_h a^h_ij f^h(m_j) and
f^h(m) = (m W_V^h + b_V^h) W_O^h; these functions say how large each part of that sum is.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from regard.looking.blocks import Block


class Parts(NamedTuple):
    """What a block writes, as the sum of vectors that it is: all but the biases."""

    keys: Float[Tensor, "batch query key model"]
    residual: Float[Tensor, "batch query model"]  # the stream that passes the block by
    output: Float[Tensor, "batch query model"]  # their sum, and the biases


class Sizes(NamedTuple):
    """A number for each part. In self-attention the stream belongs to the query's own position: residual is 0 there."""

    keys: Float[Tensor, "batch query key"]
    residual: Float[Tensor, "batch query"]

    def shares(self) -> "Sizes":
        """The same, with rows that sum to 1. A row of nothing goes to the stream: nothing came through the block."""
        total = self.keys.sum(dim=-1) + self.residual
        some = total > 0
        total = torch.where(some, total, 1)
        return Sizes(self.keys / total[..., None], torch.where(some, self.residual / total, 1))


def parts(block: Block) -> Parts:
    """T_i(j) for every query i and key j, and the residual stream: the output before any norm."""
    transformed = torch.einsum("bhkv,hvm->bhkm", block.v, block.w_o)
    keys = torch.einsum("bhqk,bhkm->bqkm", block.weights, transformed)
    return Parts(keys, block.x_in, block.x_in + keys.sum(dim=2) + block.b_o)


def normed_parts(block: Block) -> Parts:
    """The parts behind add & norm: u = sum of parts; LN(u) = sum of gamma * (part - mean(part)) / std(u), and biases.

    So the norm, whose std is that of the whole, is linear in its parts (Kobayashi et al., 2021). In a
    pre-norm model no norm follows the sum, and the parts stay as they are.
    """
    keys, residual, whole = parts(block)
    if block.norm is None:
        return Parts(keys, residual, whole)
    scale = block.norm.weight.detach() / (whole.var(dim=-1, correction=0, keepdim=True) + block.norm.eps).sqrt()

    def centred(vectors: Tensor) -> Tensor:
        return vectors - vectors.mean(dim=-1, keepdim=True)

    return Parts(centred(keys) * scale[:, :, None], centred(residual) * scale, block.norm(whole).detach())


def norms(block: Block) -> Float[Tensor, "batch query key"]:
    """|| sum_h a^h_ij f^h(m_j) ||_2 (Kobayashi et al., 2020)."""
    return parts(block).keys.norm(dim=-1)


def norms_with_residual(block: Block) -> Sizes:
    """|| LN part of T_i(j) + [i = j] x_i ||_2 (Kobayashi et al., 2021).

    In cross-attention the stream is no key, so it is a part of its own.
    """
    found = own_stream(block, normed_parts(block))
    return Sizes(found.keys.norm(dim=-1), found.residual.norm(dim=-1))


def alti(block: Block) -> Sizes:
    """c_ij ∝ max(0, ||y_i||_1 - ||y_i - T_i(j)||_1), rows of sum 1 (Ferrando et al., 2022a).

    T_i(j) is the part of key j in the output y_i, behind add & norm; in cross-attention the stream is one more part
    (2022b).
    """
    found = own_stream(block, normed_parts(block))
    whole = found.output.abs().sum(dim=-1)
    keys = whole[..., None] - (found.output[:, :, None] - found.keys).abs().sum(dim=-1)
    residual = whole - (found.output - found.residual).abs().sum(dim=-1)
    if block.kind != "cross":
        residual = torch.zeros_like(whole)
    return Sizes(keys.clamp(min=0), residual.clamp(min=0)).shares()


def own_stream(block: Block, found: Parts) -> Parts:
    """In self-attention the residual stream is added to the query's own key."""
    if block.kind == "cross":
        return found
    own = torch.eye(found.keys.shape[1], dtype=found.keys.dtype, device=found.keys.device)
    keys = found.keys + own[None, :, :, None] * found.residual[:, :, None]
    return Parts(keys, torch.zeros_like(found.residual), found.output)
