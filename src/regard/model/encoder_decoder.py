"""What a model is to the rest of the code, whatever is inside: an encoder, a decoder, words in and words out."""

from typing import Any, NamedTuple

import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from regard.config import PAD, ModelConfig
from regard.model.attention import Tap
from regard.model.layers import Embedding


class Memory(NamedTuple):
    """The encoder's output: what the decoder looks at."""

    states: Float[Tensor, "batch source width"]
    mask: Bool[Tensor, "batch source"]  # True where a piece stands


class EncoderDecoder(nn.Module):
    """A model that reads a source and writes its target piece by piece; what its kinds share.

    Ids are those of a `Vocabulary`: 0 is padding; a source ends, and a target begins, with its special piece.
    With `tie`, the target's embeddings are the output layer too, and the source's where there is one vocabulary.

    A kind makes its own `encoder` and `decoder`, then calls `complete`. What a decoder keeps between two steps is its
    own affair; it has `select(rows)`.
    """

    encoder: Any
    decoder: Any

    def __init__(self, config: ModelConfig, source_vocabulary: int, target_vocabulary: int) -> None:
        super().__init__()
        self.config = config
        self.source_embedding = Embedding(config, source_vocabulary)
        self.target_embedding = Embedding(config, target_vocabulary)

    def complete(self, joint: bool) -> None:
        """The output layer; first weights for all; one matrix where there is to be one."""
        vocabulary = self.target_embedding.pieces.num_embeddings
        self.output = nn.Linear(self.config.d_model, vocabulary, bias=False)
        self.logits = Tap()
        self._initialise()
        if self.config.tie:
            self.output.weight = self.target_embedding.pieces.weight
        if self.config.tie and joint:
            self.source_embedding.pieces.weight = self.target_embedding.pieces.weight

    def forward(
        self, source: Int[Tensor, "batch source"], target: Int[Tensor, "batch target"]
    ) -> Float[Tensor, "batch target vocab"]:
        """The logits of the piece after each target piece. No position sees the target's future."""
        logits: Tensor = self.logits(self.output(self.decode(self.encode(source), target)))
        return logits

    def encode(self, source: Int[Tensor, "batch source"]) -> Memory:
        """The source, read; padding is invisible to the pieces."""
        mask = source != PAD
        return Memory(self.encoder(self.source_embedding(source), mask), mask)

    def decode(self, memory: Memory, target: Int[Tensor, "batch target"]) -> Float[Tensor, "batch target model"]:
        """What the output layer reads, for every target position: teacher forcing."""
        decoded: Tensor = self.decoder(self.target_embedding(target), memory.states, memory.mask)
        return decoded

    def start(self, memory: Memory) -> Any:
        """The decoder before its first piece."""
        return self.decoder.start(memory.states, memory.mask)

    def step(self, ids: Int[Tensor, " batch"], state: Any) -> tuple[Float[Tensor, "batch vocab"], Any]:
        """Reads one piece a sentence; the logits of the next, and the state after."""
        x, state = self.decoder.step(self.target_embedding(ids[:, None], state.length), state)
        return self.logits(F.linear(x[:, 0], self.output.weight)), state

    def _initialise(self) -> None:
        """Glorot uniform for the matrices (as the Transformer's authors do), N(0, 1/d_model) for the embeddings."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=self.config.d_model**-0.5)
                nn.init.zeros_(module.weight[PAD].detach())
