"""The learning rate, by hand."""

import pytest

from regard.config import TrainingConfig
from regard.training.schedule import learning_rate


@pytest.mark.parametrize(
    ("update", "rate"), [(1, 1e-4), (50, 5e-3), (100, 1e-2), (101, 9.950372e-3), (400, 5e-3), (10_000, 1e-3)]
)
def test_the_rate_rises_in_a_straight_line_and_falls_with_the_root(update, rate):
    config = TrainingConfig(learning_rate=1e-2, warmup=100)
    for progress in (0.0, 0.7, 1.0):
        assert learning_rate(config, update, progress) == pytest.approx(rate)


@pytest.mark.parametrize("schedule", ["cosine", "inverse_sqrt"])
def test_a_run_of_so_many_minutes_is_at_its_peak_after_a_quarter_of_them(schedule):
    timed, counted = (TrainingConfig(warmup=100, schedule=schedule, minutes=minutes) for minutes in (7.0, 0.0))
    for update, progress, share in ((10, 0.01, 0.1), (10, 0.125, 0.5), (30, 0.25, 1.0), (120, 0.2, 1.0)):
        falls = learning_rate(counted, update, progress) / min(update / 100, 1)
        assert learning_rate(timed, update, progress) == pytest.approx(falls * share)


@pytest.mark.parametrize("update", [1, 17, 3999, 4000, 4001, 100_000])
def test_with_the_papers_peak_it_is_the_papers_rate(update):
    """Equation 3, for the base model: d_model^-0.5 * min(n^-0.5, n * warmup^-1.5)."""
    config = TrainingConfig(learning_rate=512**-0.5 * 4000**-0.5, warmup=4000)
    paper = 512**-0.5 * min(update**-0.5, update * 4000**-1.5)
    assert learning_rate(config, update, 0.0) == pytest.approx(paper, rel=1e-12)


@pytest.mark.parametrize(
    ("update", "progress", "rate"),
    [
        (1, 0.0, 1e-4),  # 1/100 of the peak
        (50, 0.5, 2.5e-3),  # half of the way up, half of the way down
        (100, 0.0, 1e-2),
        (200, 0.5, 5e-3),
        (300, 1 / 3, 7.5e-3),  # cos 60 degrees = 1/2
        (700, 1.0, 0.0),
        (701, 1.3, 0.0),  # a limit that was passed
    ],
)
def test_the_cosine_ends_at_zero(update, progress, rate):
    config = TrainingConfig(learning_rate=1e-2, warmup=100, schedule="cosine")
    assert learning_rate(config, update, progress) == pytest.approx(rate, abs=1e-15)
