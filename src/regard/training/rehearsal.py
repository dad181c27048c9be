"""How long a training will take and how much memory: measured on a few of its own batches, before it begins."""

import resource
import sys
import time
from typing import NamedTuple

import torch

from regard.text.batching import token_batches
from regard.text.store import encode_pairs
from regard.training.learner import Batch, Learner, make_batch
from regard.training.loop import Run

TIMED = 3  # batches


class Ahead(NamedTuple):
    """What a training will take."""

    updates: int  # of an epoch
    seconds: float | None  # until the limits; None where there is no limit
    bytes: int  # the largest amount of memory


def rehearse(run: Run, learner: Learner) -> Ahead:
    """Computes the gradient of some batches, and throws it away; the weights stay as they are."""
    config, standing = run.config.training, learner.standing
    pairs = encode_pairs(run.tokenizer, run.train)
    lengths = pairs.source.lengths, pairs.target.lengths
    plan = token_batches(*lengths, budget=config.batch_tokens, seed=config.seed, epoch=0)
    seconds = sorted(_timed(learner, make_batch(pairs, rows, learner.device)) for rows in plan[:TIMED])
    updates = -(-len(plan) // config.accumulate)
    left = [
        (config.updates - standing.update) * bool(config.updates) * config.accumulate * seconds[0],
        (config.epochs - standing.epoch) * bool(config.epochs) * len(plan) * seconds[0],
        (60 * config.minutes - standing.seconds) * bool(config.minutes),
    ]
    limits = [time for time in left if time > 0]
    return Ahead(updates, min(limits, default=None), _memory(learner))


def _timed(learner: Learner, batch: Batch) -> float:
    began = time.monotonic()
    learner.model.train()
    learner.loss(learner.model, batch).smoothed.backward()
    learner.optimizer.zero_grad()
    if learner.device.type == "cuda":
        torch.cuda.synchronize()
    return time.monotonic() - began


def _memory(learner: Learner) -> int:
    """The peak so far, and Adam's two moments, which come with the first update."""
    moments = 8 * sum(weight.numel() for weight in learner.model.parameters())
    if learner.device.type == "cuda":
        return torch.cuda.max_memory_allocated() + moments
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit + moments
