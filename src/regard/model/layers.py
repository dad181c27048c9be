"""The pieces of Figure 1 that are not attention: embeddings, positions, feed-forward, add & norm."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from regard.config import PAD, ModelConfig
from regard.errors import InputError
from regard.model.attention import MultiHeadAttention, Tap


def positional_encoding(length: int, d_model: int) -> Float[Tensor, "length model"]:
    """PE(pos, 2i) = sin(pos / 10000^(2i/d_model)); PE(pos, 2i+1) is its cosine (section 3.5)."""
    pos = torch.arange(length).unsqueeze(1)
    frequency = 10000 ** (-torch.arange(0, d_model, 2) / d_model)
    angle = pos * frequency
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


ACTIVATIONS: dict[str, nn.Module] = {"relu": nn.ReLU(), "gelu": nn.GELU(), "swiglu": nn.SiLU()}


class Dropout(nn.Module):
    """Dropout (section 5.4) by one random byte a number: p is rounded to 1/256 on a processor, where it is 20 times
    quicker than a random float each."""

    generator: torch.Generator | None = None  # where the bytes come from; None: torch's own

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
        """x with a share p of its numbers at zero, the others scaled up to keep the sum; x itself outside training."""
        dropped = min(255, round(256 * self.p))
        if not (self.training and dropped):
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.p)
        words = torch.empty(x.numel() // 8 + 1, dtype=torch.int64).random_(-(2**63), None, generator=self.generator)
        kept = torch.empty_like(x, requires_grad=False)
        torch.ge(words.view(torch.uint8)[: x.numel()].view(x.shape), dropped, out=kept)
        return x * kept.mul_(256 / (256 - dropped))


class Embedding(nn.Module):
    """A piece's vector times sqrt(d_model) (section 3.4), plus its position's, with dropout (section 5.4).

    Positions are the paper's sinusoids, or `learned` (max_length of them), or `none`: then a stack without a
    causal mask cannot tell one order of the words from another.
    """

    def __init__(self, config: ModelConfig, vocabulary: int) -> None:
        super().__init__()
        self.pieces = nn.Embedding(vocabulary, config.d_model, padding_idx=PAD)
        self.kind = config.positions
        if self.kind == "learned":
            self.positions: Tensor = nn.Parameter(torch.randn(config.max_length, config.d_model) * config.d_model**-0.5)
        elif self.kind == "sinusoidal":
            table = positional_encoding(config.max_length, config.d_model)
            self.register_buffer("positions", table, persistent=False)
        self.dropout = Dropout(config.p_drop)
        self.output = Tap()

    def forward(self, ids: Int[Tensor, "batch position"], start: int = 0) -> Float[Tensor, "batch position model"]:
        """The vectors of these pieces, of which the first stands at position `start`."""
        x = self.pieces(ids) * math.sqrt(self.pieces.embedding_dim)
        if self.kind != "none":
            x = x + self._positions(start + ids.shape[1])[start:]
        return self.output(self.dropout(x))

    def _positions(self, length: int) -> Float[Tensor, "length model"]:
        known = self.positions.shape[0]
        if length > known and self.kind == "learned":
            raise InputError(f"{length} pieces, but only {known} positions were learned: set model.max_length higher.")
        if length > known:
            self.positions = positional_encoding(max(length, 2 * known), self.positions.shape[1]).to(self.positions)
        return self.positions[:length]


class FeedForward(nn.Module):
    """FFN(x) = max(0, x W_1 + b_1) W_2 + b_2 (equation 2).

    The activation may also be GELU, or SwiGLU, which has a second W_1 as a gate (Shazeer, 2020).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.w_1 = nn.Linear(config.d_model, config.d_ff)
        self.gate = nn.Linear(config.d_model, config.d_ff) if config.activation == "swiglu" else None
        self.w_2 = nn.Linear(config.d_ff, config.d_model)
        self.activation = ACTIVATIONS[config.activation]
        self.hidden = Tap()

    def forward(self, x: Float[Tensor, "batch position model"]) -> Float[Tensor, "batch position model"]:
        """One position after the other, all by the same weights."""
        hidden = self.activation(self.w_1(x))
        if self.gate is not None:
            hidden = hidden * self.gate(x)
        return self.w_2(self.hidden(hidden))


class Residual(nn.Module):
    """Add & Norm. The paper normalises the sum (norm="post", the default here too);
    norm="pre" normalises what goes in instead (Xiong et al., 2020)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.pre = config.norm == "pre"
        self.norm = nn.LayerNorm(config.d_model)
        self.dropout = Dropout(config.p_drop)
        self.added, self.output = Tap(), Tap()

    def forward(
        self, x: Float[Tensor, "batch position model"], sublayer: Callable[[Tensor], Tensor]
    ) -> Float[Tensor, "batch position model"]:
        """LayerNorm(x + Sublayer(x)) (section 3.1), or x + Sublayer(LayerNorm(x))."""
        if self.pre:
            return self.output(x + self.added(self.dropout(sublayer(self.norm(x)))))
        return self.output(self.norm(x + self.added(self.dropout(sublayer(x)))))


def multi_head(config: ModelConfig) -> MultiHeadAttention:
    """A multi-head attention of the configured widths."""
    return MultiHeadAttention(config.d_model, config.n_heads, config.key_width, config.value_width)
