"""A copy of the model that computes gradients: beside others, and in half the bits where that is quicker."""

import copy
from contextlib import nullcontext
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from regard.config import BOS, PAD, TrainingConfig
from regard.model.encoder_decoder import EncoderDecoder
from regard.model.layers import Dropout
from regard.text.batching import Rows, pad
from regard.text.store import Encoded
from regard.training.loss import Loss, fused_loss, plain_loss


class Batch(NamedTuple):
    """Pairs side by side, filled up with padding."""

    source: Int[Tensor, "batch source"]
    target_in: Int[Tensor, "batch target"]  # what the decoder reads: the start, then the words
    target_out: Int[Tensor, "batch target"]  # what it has to write: the words, then the end

    @property
    def tokens(self) -> int:
        """Pieces to be written."""
        return int((self.target_out != PAD).sum())


def make_batch(pairs: Encoded, rows: Rows, device: torch.device) -> Batch:
    """The pairs `rows` as tensors."""
    source = torch.from_numpy(pad([pairs.source[row] for row in rows.tolist()])).to(device)
    target = torch.from_numpy(pad([pairs.target[row] for row in rows.tolist()])).to(device)
    start = torch.full_like(target[:, :1], BOS)
    return Batch(source, torch.cat([start, target[:, :-1]], dim=1), target)


class Gradient(NamedTuple):
    """What one batch says of the weights."""

    weights: Float[Tensor, " weights"]  # of the summed, smoothed loss by each weight, in the order of `Flat`
    log_loss: float  # -log p of the batch's target pieces, summed, in nats


class Replica:
    """A model with the weights of another, and gradients of its own.

    In bfloat16 on a processor, the two stacks have rounded weights of their own. The embeddings and the output layer
    stay the other's, in float32: the gradient of a frequent piece is a sum of hundreds of terms, which eight bits would
    not hold. On CUDA, PyTorch's autocast decides what is computed in which precision.
    """

    def __init__(self, model: EncoderDecoder, config: TrainingConfig) -> None:
        self.config = config
        self.device = model.output.weight.device
        half = config.precision == "bfloat16"
        self.autocast = half and self.device.type != "cpu"
        self.model = copy.deepcopy(model)
        if half and not self.autocast:
            self.model.encoder.bfloat16()
            self.model.decoder.bfloat16()
            for embedding in (self.model.source_embedding, self.model.target_embedding):
                embedding.output.listeners.append(lambda x: x.bfloat16())
        pairs = list(zip(self.model.parameters(), model.parameters(), strict=True))
        self.rounded = [(own, weight) for own, weight in pairs if own.dtype != weight.dtype]
        for own, weight in pairs:
            if own.dtype == weight.dtype:
                own.data = weight.data
        self.generator = torch.Generator()
        for module in self.model.modules():
            if isinstance(module, Dropout):
                module.generator = self.generator

    def gradient(self, batch: Batch, key: tuple[int, ...]) -> Gradient:
        """The gradient at the other's present weights; dropout is a function of the key."""
        self._seed(key)
        self.model.train()
        if self.rounded:
            with torch.no_grad():
                torch._foreach_copy_([own for own, _ in self.rounded], [weight for _, weight in self.rounded])
        with torch.autocast(self.device.type, torch.bfloat16) if self.autocast else nullcontext():
            loss = batch_loss(self.model, batch, self.config.label_smoothing, plain=self.autocast)
        weights = torch.autograd.grad(loss.smoothed, list(self.model.parameters()))
        return Gradient(torch.cat([weight.flatten() for weight in weights]).float(), loss.log_loss.item())

    def _seed(self, key: tuple[int, ...]) -> None:
        seed = int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0])
        self.generator.manual_seed(seed)
        if self.device.type != "cpu":
            torch.manual_seed(seed)


def batch_loss(model: EncoderDecoder, batch: Batch, smoothing: float, plain: bool = False) -> Loss:
    """The loss of a batch, at the positions that are not padding; `plain`: by the plain way."""
    decoded = model.decode(model.encode(batch.source), batch.target_in)
    real = batch.target_out != PAD
    kind = plain_loss if plain else fused_loss
    return kind(decoded[real], model.output.weight, batch.target_out[real], smoothing)
