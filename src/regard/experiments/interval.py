"""95 % intervals: of a few seeds by Student's t, of a share by Wilson."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

T = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622)  # of 1, 2, ... degrees of freedom
Z = 1.959964  # of a normal distribution


class Interval(NamedTuple):
    """A mean, and where it lies with 95 % confidence."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return self.digits(1)

    def digits(self, count: int) -> str:
        """As `12.3 (11.0 to 13.5)`, with so many digits behind the point."""
        return f"{self.mean:.{count}f} ({self.low:.{count}f} to {self.high:.{count}f})"

    @property
    def apart(self) -> bool:
        """Whether zero lies outside: what a difference needs to be told from none."""
        return self.low > 0 or self.high < 0


def of_seeds(values: Sequence[float]) -> Interval:
    """mean +- t s / sqrt(n), of a number that was measured once with each of n seeds; n is 2 at least.

    Of a difference, give each seed's own: what a seed does to both sides then cancels out.
    """
    assert len(values) > 1, "one seed says nothing of another"
    mean = statistics.fmean(values)
    half = student(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return Interval(mean, mean - half, mean + half)


def wilson(found: float, count: int) -> Interval:
    """The 95 % interval of a share, 0 to 1, of so many sentences, all in per cent (Wilson, 1927)."""
    middle, spread = found + Z**2 / (2 * count), Z * math.sqrt(found * (1 - found) / count + Z**2 / (4 * count**2))
    low, high = ((middle + side * spread) / (1 + Z**2 / count) for side in (-1, 1))
    return Interval(100 * found, 100 * max(0.0, low), 100 * min(1.0, high))


def student(freedom: int) -> float:
    """Student's t that is passed in 2.5 % of all cases, of so many degrees of freedom, within 0.0002.

    By table; from 10 on by Cornish and Fisher's expansion (Abramowitz and Stegun, 1964, 26.7.5).
    """
    if freedom <= len(T):
        return T[freedom - 1]
    first = (Z**3 + Z) / 4
    second = (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96
    third = (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384
    return Z + first / freedom + second / freedom**2 + third / freedom**3
