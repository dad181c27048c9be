"""A model that learns: weights, Adam's moments, the running average of the weights; and all of them on disk."""

import copy
import dataclasses
import functools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

import torch
from torch import Tensor

from regard.config import TrainingConfig
from regard.model.encoder_decoder import EncoderDecoder
from regard.training.flat import Flat
from regard.training.replica import Batch, Gradient, Replica
from regard.weights import load_tensors, save_tensors, set_weights, weights_of

MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam keeps of the weights


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

    def __init__(self, model: EncoderDecoder, config: TrainingConfig, device: torch.device) -> None:
        self.model = model.to(device)
        self.config = config
        self.device = device
        self.standing = Standing()
        self.weights = Flat(self.model)
        self.optimizer = torch.optim.Adam(
            [self.weights.vector], lr=config.learning_rate, betas=(0.9, 0.98), eps=1e-9, fused=device.type != "mps"
        )
        self.average = copy.deepcopy(self.model).requires_grad_(False) if config.ema else None
        self.averaged = Flat(self.average) if self.average else None
        abreast = min(config.accumulate, torch.get_num_threads()) if device.type == "cpu" else 1
        self.replicas = [Replica(self.model, config) for _ in range(abreast)]

    @property
    def result(self) -> EncoderDecoder:
        """The model to validate and to keep: the running average, where one is kept."""
        return self.average or self.model

    def update(self, batches: Sequence[Batch], rate: float) -> float:
        """One step of Adam on the summed loss of the batches over their pieces; returns -log p a piece, in nats.

        Dropout follows from (seed, update, batch) alone, so a training that was interrupted goes on as if it had not
        been.
        """
        self.standing.update += 1
        tokens = sum(batch.tokens for batch in batches)
        total, log_loss = self.gradient(batches)
        self.weights.vector.grad = total.div_(tokens)
        if self.config.clip:
            torch.nn.utils.clip_grad_norm_([self.weights.vector], self.config.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad()
        self._follow()
        return log_loss / tokens

    def gradient(self, batches: Sequence[Batch]) -> Gradient:
        """The sum of the batches' gradients, which the replicas compute side by side, each on its share of the threads.

        It is added up in the order of the batches, so it does not depend on who was first.
        """
        keys = [(self.config.seed, self.standing.update, number) for number in range(len(batches))]
        if len(self.replicas) == 1:
            parts = map(self.replicas[0].gradient, batches, keys)
            return functools.reduce(_plus, parts)
        free: SimpleQueue[Replica] = SimpleQueue()
        for replica in self.replicas:
            free.put(replica)

        def compute(batch: Batch, key: tuple[int, ...]) -> Gradient:
            replica = free.get()
            try:
                return replica.gradient(batch, key)
            finally:
                free.put(replica)

        with _threads(torch.get_num_threads() // len(self.replicas)):
            return functools.reduce(_plus, self.pool.map(compute, batches, keys))

    @functools.cached_property
    def pool(self) -> ThreadPoolExecutor:
        """A thread for each replica."""
        return ThreadPoolExecutor(len(self.replicas))

    def _follow(self) -> None:
        """average = decay * average + (1 - decay) * weights, with a smaller decay while there is little to average."""
        if self.averaged is None:
            return
        decay = min(self.config.ema, (1 + self.standing.update) / (10 + self.standing.update))
        with torch.no_grad():
            self.averaged.vector.lerp_(self.weights.vector, 1 - decay)

    def save(self, path: Path) -> None:
        """Everything that the next update depends on, in one file."""
        save_tensors(path, dict(self._tensors()), dataclasses.asdict(self.standing))

    def load(self, path: Path) -> None:
        """Goes on from a saved file."""
        tensors, standing = load_tensors(path)
        if "step" in tensors:  # there is none before the first update
            state = {moment: tensors[moment].to(self.device) for moment in MOMENTS}
            self.optimizer.state[self.weights.vector] = state
        if self.average is not None:
            set_weights(self.average, _under("average.", tensors), path)
        set_weights(self.model, _under("weights.", tensors), path)
        standing["best"] = [tuple(kept) for kept in standing["best"]]
        self.standing = Standing(**standing)

    def _tensors(self) -> Iterator[tuple[str, Tensor]]:
        yield from self.optimizer.state.get(self.weights.vector, {}).items()
        yield from ((f"weights.{name}", weight) for name, weight in weights_of(self.model).items())
        if self.average is not None:
            yield from ((f"average.{name}", weight) for name, weight in weights_of(self.average).items())


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _plus(one: Gradient, other: Gradient) -> Gradient:
    return Gradient(one.weights.add_(other.weights), one.log_loss + other.log_loss)


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Each product is computed by so many threads, for as long as the block lasts."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
