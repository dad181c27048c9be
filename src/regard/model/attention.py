"""Attention: scaled dot-product (section 3.2.1) and multi-head (section 3.2.2), and the taps that let it be watched.

The axes that signatures name, here and everywhere:

    batch   sentences                 model   d_model, the width of a position
    head    heads of one layer        key     positions looked at (in a shape); d_k (as a width)
    query   positions that look       value   d_v, the width of a value
    source  pieces of the input       target  pieces of the output
    layer   layers of one stack       vocab   pieces of the vocabulary
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

Mask = Bool[Tensor, "#batch #head #query key"]  # True: this query may look at this key

SHORT = 64  # keys up to which two products and a softmax may be quicker on a processor than the fused kernel,
MANY = 2000  # where there are more scores than these: for a few, the kernel is, which is one call


class Tap(nn.Module):
    """A named place where a value can be watched, or changed, on its way through."""

    def __init__(self) -> None:
        super().__init__()
        self.listeners: list[Callable[[Tensor], Tensor]] = []

    def forward(self, value: Tensor) -> Tensor:
        for listen in self.listeners:
            value = listen(value)
        return value


class Attended(NamedTuple):
    """Every quantity of one scaled dot-product attention."""

    scores: Float[Tensor, "batch head query key"]  # q . k
    scaled: Float[Tensor, "batch head query key"]  # q . k / sqrt(d_k)
    weights: Float[Tensor, "batch head query key"]  # softmax over the keys that may be looked at
    context: Float[Tensor, "batch head query value"]  # the weighted sum of the values


def _as_it_is(value: Tensor) -> Tensor:
    return value


def attention(
    q: Float[Tensor, "batch head query d_k"],
    k: Float[Tensor, "batch head key d_k"],
    v: Float[Tensor, "batch head key value"],
    mask: Mask | None = None,
    *,
    scores_tap: Callable[[Tensor], Tensor] = _as_it_is,
    scaled_tap: Callable[[Tensor], Tensor] = _as_it_is,
    weights_tap: Callable[[Tensor], Tensor] = _as_it_is,
) -> Attended:
    """Attention(Q, K, V) = softmax(Q K^T / sqrt(d_k)) V (equation 1), with everything on the way.

    A mask must leave each query one key at least. Raises ValueError where queries and keys differ in width.
    """
    _check_widths(q, k, v)
    scores = scores_tap(q @ k.transpose(-2, -1))
    scaled = scaled_tap(scores / math.sqrt(q.shape[-1]))
    masked = scaled if mask is None else scaled.masked_fill(~mask, -math.inf)
    weights = weights_tap(masked.softmax(dim=-1))
    return Attended(scores, scaled, weights, weights @ v)


def fused_attention(
    q: Float[Tensor, "batch head query d_k"],
    k: Float[Tensor, "batch head key d_k"],
    v: Float[Tensor, "batch head key value"],
    mask: Mask | None = None,
    *,
    causal: bool = False,
) -> Float[Tensor, "batch head query value"]:
    """The context of `attention` alone, the quickest way: from PyTorch's kernel, which never writes the weights down,
    or from two products and a softmax, where that was measured to be quicker.

    `causal` says that the mask is the causal one, which the kernel knows by itself.
    """
    _check_widths(q, k, v)
    if _by_products(q, k):
        scores, scale = q @ k.transpose(-2, -1), 1 / math.sqrt(q.shape[-1])
        scaled = scores.mul_(scale) if mask is None else torch.add(_as_bias(mask, q.dtype), scores, alpha=scale)
        return scaled.softmax(dim=-1) @ v
    return F.scaled_dot_product_attention(q, k, v, attn_mask=None if causal else mask, is_causal=causal)


def _by_products(q: Tensor, k: Tensor) -> bool:
    """On a processor, for many scores of short sentences; but not for a gradient in float32: the kernel, unlike the
    products, reads q, k and v where they are, and what it saves in copies is more than it loses."""
    if q.device.type != "cpu" or (q.requires_grad and q.dtype == torch.float32):
        return False
    return k.shape[-2] <= SHORT and q.shape[:-1].numel() * k.shape[-2] > MANY


def _as_bias(mask: Mask, dtype: torch.dtype) -> Tensor:
    """What is added to the scores to the same effect: 0 or -inf. It takes no part in the way back."""
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(~mask, -math.inf)


def causal_mask(length: int, device: torch.device | None = None) -> Bool[Tensor, "1 1 length length"]:
    """Position i may look at positions 0 to i (section 3.2.3)."""
    return torch.ones(1, 1, length, length, dtype=torch.bool, device=device).tril()


class KeysValues(NamedTuple):
    """What a sequence offers to those who look at it: a key and a value a head and position."""

    k: Float[Tensor, "batch head key d_k"]
    v: Float[Tensor, "batch head key value"]

    def append(self, later: "KeysValues") -> "KeysValues":
        """These positions, then those of `later`."""
        return KeysValues(torch.cat([self.k, later.k], dim=2), torch.cat([self.v, later.v], dim=2))

    def select(self, rows: Tensor) -> "KeysValues":
        """The sentences `rows` of the batch, in that order."""
        return KeysValues(self.k.index_select(0, rows), self.v.index_select(0, rows))


class MultiHeadAttention(nn.Module):
    """MultiHead(Q, K, V) = Concat(head_1, ..., head_h) W^O, head_i = Attention(Q W_i^Q, K W_i^K, V W_i^V).

    Queries and keys share d_k, since they meet in a dot product; a value's width d_v is free, and the output has it.
    """

    def __init__(self, d_model: int, n_heads: int, d_k: int, d_v: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.w_q = nn.Linear(d_model, n_heads * d_k)
        self.w_k = nn.Linear(d_model, n_heads * d_k)
        self.w_v = nn.Linear(d_model, n_heads * d_v)
        self.w_o = nn.Linear(n_heads * d_v, d_model)
        self.q, self.k, self.v = Tap(), Tap(), Tap()
        self.scores, self.scaled, self.weights, self.context = Tap(), Tap(), Tap(), Tap()

    def keys_values(self, m: Float[Tensor, "batch key model"]) -> KeysValues:
        """The keys and values that the positions of m offer."""
        return KeysValues(self.k(self._split(self.w_k(m))), self.v(self._split(self.w_v(m))))

    def forward(
        self, x: Float[Tensor, "batch query model"], memory: KeysValues, mask: Mask | None = None, causal: bool = False
    ) -> Float[Tensor, "batch query model"]:
        """x looks at the memory; `causal` says that the mask is the causal one."""
        q = self.q(self._split(self.w_q(x)))
        if self.scores.listeners or self.scaled.listeners or self.weights.listeners:
            taps = {"scores_tap": self.scores, "scaled_tap": self.scaled, "weights_tap": self.weights}
            context = attention(q, memory.k, memory.v, mask, **taps).context
        else:
            context = fused_attention(q, memory.k, memory.v, mask, causal=causal)
        return self.w_o(self.context(context).transpose(1, 2).flatten(2))

    def _split(self, x: Float[Tensor, "batch position width"]) -> Float[Tensor, "batch head position d"]:
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)


def _check_widths(q: Tensor, k: Tensor, v: Tensor) -> None:
    if q.shape[-1] != k.shape[-1]:
        raise ValueError(
            f"The queries have width {q.shape[-1]} and the keys {k.shape[-1]}: they meet in a dot product, "
            f"so both need the same d_k. Only the values may have a width of their own."
        )
    if k.shape[-2] != v.shape[-2]:
        raise ValueError(f"There are {k.shape[-2]} keys and {v.shape[-2]} values: each key has one value.")
