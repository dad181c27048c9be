"""How long a training will take and how much memory: measured on a few of its own batches, before it begins."""

import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import torch

from regard.text.batching import Rows, token_batches
from regard.text.store import Encoded, encode_pairs
from regard.training.learner import Learner
from regard.training.loop import Run
from regard.training.replica import make_batch

if sys.platform != "win32":
    import resource

TIMED = 3  # updates


class Ahead(NamedTuple):
    """What a training will take."""

    updates: int  # of an epoch
    seconds: float | None  # until the limits; None where there is no limit
    bytes: int | None  # the largest amount of memory; None where the system does not tell


def rehearse(run: Run, learner: Learner) -> Ahead:
    """Computes the gradients of some updates, and throws them away; the weights stay as they are."""
    config, standing = run.config.training, learner.standing
    pairs = encode_pairs(run.tokenizer, run.train)
    lengths = pairs.source.lengths, pairs.target.lengths
    plan = token_batches(*lengths, budget=config.batch_tokens, seed=config.seed, epoch=0)
    updates = -(-len(plan) // config.accumulate)
    starts = range(0, len(plan), config.accumulate)[:TIMED]
    seconds = min(_timed(learner, pairs, plan[start : start + config.accumulate]) for start in starts)
    left = [
        (config.updates - standing.update) * bool(config.updates) * seconds,
        (config.epochs - standing.epoch) * bool(config.epochs) * updates * seconds,
        (60 * config.minutes - standing.seconds) * bool(config.minutes),
    ]
    limits = [time for time in left if time > 0]
    return Ahead(updates, min(limits, default=None), _memory(learner))


def _timed(learner: Learner, pairs: Encoded, plan: Sequence[Rows]) -> float:
    began = time.monotonic()
    learner.gradient([make_batch(pairs, rows, learner.device) for rows in plan])
    if learner.device.type == "cuda":
        torch.cuda.synchronize()
    return time.monotonic() - began


def _memory(learner: Learner) -> int | None:
    """The peak so far, and Adam's two moments, which come with the first update."""
    moments = 8 * sum(weight.numel() for weight in learner.model.parameters())
    if learner.device.type == "cuda":
        return torch.cuda.max_memory_allocated() + moments
    if sys.platform == "win32":
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit + moments
