"""The decoder: Figure 1, right."""

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from regard.config import ModelConfig
from regard.model.attention import KeysValues, Tap, causal_mask
from regard.model.layers import FeedForward, Residual, multi_head


class DecoderLayer(nn.Module):
    """Each word looks at the words before it, then at the source, then is worked on by itself."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.self_attention = multi_head(config)
        self.cross_attention = multi_head(config)
        self.feed_forward = FeedForward(config)
        self.add_norm_1, self.add_norm_2, self.add_norm_3 = Residual(config), Residual(config), Residual(config)

    def forward(
        self,
        x: Float[Tensor, "batch target model"],
        memory: KeysValues,
        memory_mask: Bool[Tensor, "batch 1 1 source"],
    ) -> Float[Tensor, "batch target model"]:
        """All target words at once; the causal mask hides what comes later, padding behind a sentence included."""
        mask = causal_mask(x.shape[1], x.device)
        x = self.add_norm_1(x, lambda y: self.self_attention(y, self.self_attention.keys_values(y), mask, causal=True))
        x = self.add_norm_2(x, lambda y: self.cross_attention(y, memory, memory_mask))
        return self.add_norm_3(x, self.feed_forward)

    def step(
        self,
        x: Float[Tensor, "batch 1 model"],
        past: KeysValues | None,
        memory: KeysValues,
        memory_mask: Bool[Tensor, "sources 1 1 source"],
    ) -> tuple[Float[Tensor, "batch 1 model"], KeysValues]:
        """One more word, which finds the keys and values of the words before it in `past`; also returns past + it.

        Sentences that share a source stand together, and look at it together, as the words of one sentence would.
        """
        seen: list[KeysValues] = []

        def look_back(y: Tensor) -> Tensor:
            here = self.self_attention.keys_values(y)
            seen.append(here if past is None else past.append(here))
            looked: Tensor = self.self_attention(y, seen[0])
            return looked

        x = self.add_norm_1(x, look_back).unflatten(0, (len(memory_mask), -1)).flatten(1, 2)
        x = self.add_norm_2(x, lambda y: self.cross_attention(y, memory, memory_mask)).flatten(0, 1)[:, None]
        return self.add_norm_3(x, self.feed_forward), seen[0]


class State(NamedTuple):
    """A decoder in the middle of its sentences: what each layer keeps of the words read, and of the source."""

    past: list[KeysValues | None]  # one a layer; None before the first word
    memory: list[KeysValues]  # one a layer, of each source
    memory_mask: Bool[Tensor, "sources 1 1 source"]
    length: int  # words read
    sharing: int = 1  # sentences, one behind the other, that have a source in common

    def select(self, rows: Int[Tensor, " n"]) -> "State":
        """The state of the sentences `rows`, in that order; a row may come twice, or not at all."""
        past = [None if kept is None else kept.select(rows) for kept in self.past]
        sources, times = torch.unique_consecutive(rows // self.sharing, return_counts=True)
        sharing = int(times[0]) if len(times) else 1
        if not bool((times == sharing).all()):
            sources, sharing = rows // self.sharing, 1
        return self._of(sources)._replace(past=past, sharing=sharing)

    def alone(self) -> "State":
        """The same with a source of its own for each sentence."""
        rows = torch.arange(len(self.memory_mask), device=self.memory_mask.device).repeat_interleave(self.sharing)
        return self._of(rows)._replace(sharing=1)

    def _of(self, sources: Int[Tensor, " n"]) -> "State":
        if torch.equal(sources, torch.arange(len(self.memory_mask), device=sources.device)):
            return self
        memory = [kept.select(sources) for kept in self.memory]
        return self._replace(memory=memory, memory_mask=self.memory_mask.index_select(0, sources))


class Decoder(nn.Module):
    """N layers of one structure, each with weights of its own."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.layers = cast(
            Sequence[DecoderLayer], nn.ModuleList(DecoderLayer(config) for _ in range(config.n_decoder_layers))
        )
        self.norm = nn.LayerNorm(config.d_model) if config.norm == "pre" else nn.Identity()
        self.output = Tap()
        self._taps = [module for module in self.modules() if isinstance(module, Tap)]

    def forward(
        self,
        x: Float[Tensor, "batch target model"],
        memory: Float[Tensor, "batch source model"],
        memory_mask: Bool[Tensor, "batch source"],
    ) -> Float[Tensor, "batch target model"]:
        """Teacher forcing: every position is computed in one pass."""
        for layer in self.layers:
            x = layer(x, layer.cross_attention.keys_values(memory), memory_mask[:, None, None, :])
        decoded: Tensor = self.output(self.norm(x))
        return decoded

    def start(self, memory: Float[Tensor, "batch source model"], memory_mask: Bool[Tensor, "batch source"]) -> State:
        """The state before the first word: the source's keys and values are made here, once."""
        offered = [layer.cross_attention.keys_values(memory) for layer in self.layers]
        return State([None] * len(offered), offered, memory_mask[:, None, None, :], 0)

    def step(self, x: Float[Tensor, "batch 1 model"], state: State) -> tuple[Float[Tensor, "batch 1 model"], State]:
        """`forward` for the one next word; a test holds the two equal."""
        if state.sharing > 1 and any(tap.listeners for tap in self._taps):
            state = state.alone()  # a listener finds the axes that it knows: a row a sentence
        past: list[KeysValues | None] = []
        for layer, before, memory in zip(self.layers, state.past, state.memory, strict=True):
            x, after = layer.step(x, before, memory, state.memory_mask)
            past.append(after)
        return self.output(self.norm(x)), state._replace(past=past, length=state.length + 1)
