"""The learning rate at each update."""

import math

from regard.config import TrainingConfig


def learning_rate(config: TrainingConfig, update: int, progress: float) -> float:
    """The rate of an update, counted from 1: up in a straight line for `warmup` updates, then down.

    inverse_sqrt: peak * min(update / warmup, sqrt(warmup / update)), equation 3 of the paper, with a free peak.
    cosine: peak * min(update / warmup, 1) * (1 + cos(pi * progress)) / 2 (Loshchilov & Hutter, 2017);
    progress in [0, 1] is the share of the whole run that is done. A run of so many minutes, of which nobody knows how
    many updates it will have, is at its peak after a quarter of them at the latest.
    """
    rising = min(update / config.warmup, 1.0)
    if config.minutes:
        rising = min(max(rising, 4 * progress), 1.0)
    if config.schedule == "cosine":
        return config.learning_rate * rising * (1 + math.cos(math.pi * min(progress, 1.0))) / 2
    return config.learning_rate * min(rising, math.sqrt(config.warmup / update))
