"""The encoder: Figure 1, left."""

from collections.abc import Sequence
from typing import cast

from jaxtyping import Bool, Float
from torch import Tensor, nn

from regard.config import ModelConfig
from regard.model.attention import Tap
from regard.model.layers import FeedForward, Residual, multi_head


class EncoderLayer(nn.Module):
    """Each word looks at all words, then is worked on by itself."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.self_attention = multi_head(config)
        self.feed_forward = FeedForward(config)
        self.add_norm_1, self.add_norm_2 = Residual(config), Residual(config)

    def forward(
        self, x: Float[Tensor, "batch source model"], mask: Bool[Tensor, "batch 1 1 source"]
    ) -> Float[Tensor, "batch source model"]:
        """mask: True where a piece stands, False where padding does."""
        x = self.add_norm_1(x, lambda y: self.self_attention(y, self.self_attention.keys_values(y), mask))
        return self.add_norm_2(x, self.feed_forward)


class Encoder(nn.Module):
    """N layers of one structure, each with weights of its own."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.layers = cast(
            Sequence[EncoderLayer], nn.ModuleList(EncoderLayer(config) for _ in range(config.n_encoder_layers))
        )
        self.norm = nn.LayerNorm(config.d_model) if config.norm == "pre" else nn.Identity()
        self.output = Tap()

    def forward(
        self, x: Float[Tensor, "batch source model"], mask: Bool[Tensor, "batch source"]
    ) -> Float[Tensor, "batch source model"]:
        """All words at once, whatever their number."""
        for layer in self.layers:
            x = layer(x, mask[:, None, None, :])
        memory: Tensor = self.output(self.norm(x))
        return memory
