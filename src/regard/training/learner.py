"""A model that learns: weights, Adam's moments, the running average of the weights; and all of them on disk."""

import copy
import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from regard.config import BOS, PAD, TrainingConfig
from regard.model.transformer import Transformer
from regard.text.batching import Rows, pad
from regard.text.store import Encoded
from regard.training.loss import Loss, fused_loss, plain_loss
from regard.weights import load_tensors, save_tensors, set_weights, weights_of

MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam keeps of each weight


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


@dataclass
class Standing:
    """How far a training has come: all that is not a tensor."""

    update: int = 0
    epoch: int = 0
    position: int = 0  # updates of this epoch that are done
    seconds: float = 0.0  # of training, validations included, over all sessions
    stale: int = 0  # validations since the best one
    best: list[tuple[float, int]] = field(default_factory=list)  # (score, update) of the kept checkpoints, best first
    finished: bool = False


class Learner:
    """Takes one update after the other."""

    def __init__(self, model: Transformer, config: TrainingConfig, device: torch.device) -> None:
        self.model = model.to(device)
        self.config = config
        self.device = device
        self.standing = Standing()
        self.optimizer = torch.optim.Adam(
            model.parameters(), lr=config.learning_rate, betas=(0.9, 0.98), eps=1e-9, fused=device.type != "mps"
        )
        self.average = copy.deepcopy(model).requires_grad_(False) if config.ema else None
        self.bfloat16 = config.precision == "bfloat16" or (
            config.precision == "auto" and device.type == "cuda" and torch.cuda.is_bf16_supported()
        )

    @property
    def result(self) -> Transformer:
        """The model to validate and to keep: the running average, where one is kept."""
        return self.average or self.model

    def update(self, batches: Sequence[Batch], rate: float) -> float:
        """One step of Adam on the summed loss of the batches over their pieces; returns -log p a piece, in nats.

        Dropout follows from (seed, update) alone, so a training that was interrupted goes on as if it had not been.
        """
        self.standing.update += 1
        torch.manual_seed(self.config.seed * 1_000_003 + self.standing.update)
        self.model.train()
        tokens = sum(batch.tokens for batch in batches)
        log_loss = 0.0
        for batch in batches:
            loss = self.loss(self.model, batch)
            (loss.smoothed / tokens).backward()
            log_loss += loss.log_loss.item()
        if self.config.clip:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad()
        self._follow()
        return log_loss / tokens

    def loss(self, model: Transformer, batch: Batch) -> Loss:
        """The loss of a batch, at the positions that are not padding."""
        half = torch.autocast(self.device.type, torch.bfloat16) if self.bfloat16 else nullcontext()
        with half:
            decoded = model.decode(model.encode(batch.source), batch.target_in)
            real = batch.target_out != PAD
            kind = plain_loss if self.bfloat16 else fused_loss
            return kind(decoded[real], model.output.weight, batch.target_out[real], self.config.label_smoothing)

    def _follow(self) -> None:
        """average = decay * average + (1 - decay) * weights, with a smaller decay while there is little to average."""
        if self.average is None:
            return
        decay = min(self.config.ema, (1 + self.standing.update) / (10 + self.standing.update))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - decay)

    def save(self, path: Path) -> None:
        """Everything that the next update depends on, in one file."""
        save_tensors(path, dict(self._tensors()), dataclasses.asdict(self.standing))

    def load(self, path: Path) -> None:
        """Goes on from a saved file."""
        tensors, standing = load_tensors(path)
        for name, parameter in weights_of(self.model).items():
            if f"step.{name}" in tensors:  # there is none before the first update
                moments = {moment: tensors[f"{moment}.{name}"].to(self.device) for moment in MOMENTS}
                self.optimizer.state[parameter] = moments
        if self.average is not None:
            set_weights(self.average, _under("average.", tensors), path)
        set_weights(self.model, _under("weights.", tensors), path)
        standing["best"] = [tuple(kept) for kept in standing["best"]]
        self.standing = Standing(**standing)

    def _tensors(self) -> Iterator[tuple[str, Tensor]]:
        for name, parameter in weights_of(self.model).items():
            yield f"weights.{name}", parameter
            for moment, value in self.optimizer.state.get(parameter, {}).items():
                yield f"{moment}.{name}", value
        if self.average is not None:
            for name, parameter in weights_of(self.average).items():
                yield f"average.{name}", parameter


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
