"""Intervals, by hand."""

import pytest

from regard.experiments.interval import Interval, of_seeds, student


def test_an_interval_is_told_with_its_ends() -> None:
    assert str(Interval(12.345, 11.0, 13.5)) == "12.3 (11.0 to 13.5)"
    assert Interval(0.5, 0.25, 0.75).digits(2) == "0.50 (0.25 to 0.75)"


def test_two_seeds_lie_six_times_their_distance_on_both_sides() -> None:
    # mean 3, s = sqrt(2), so t s / sqrt(2) is t itself: 12.7
    assert of_seeds([2.0, 4.0]) == pytest.approx((3, 3 - 12.7062, 3 + 12.7062))


def test_three_seeds_are_much_more_than_two() -> None:
    # s = 1: 4.3027 / sqrt(3)
    assert of_seeds([4.0, 5.0, 6.0]) == pytest.approx((5, 5 - 2.4841, 5 + 2.4841), abs=1e-4)


def test_seeds_that_agree_leave_no_doubt() -> None:
    assert of_seeds([7.0, 7.0, 7.0]) == (7, 7, 7)


def test_a_difference_is_told_from_none_where_zero_lies_outside() -> None:
    assert Interval(2.0, 1.0, 3.0).apart
    assert Interval(-2.0, -3.0, -1.0).apart
    assert not Interval(1.0, -1.0, 3.0).apart


@pytest.mark.parametrize(("freedom", "t"), [(1, 12.7062), (9, 2.2622), (10, 2.2281), (12, 2.1788), (30, 2.0423)])
def test_students_t_is_that_of_the_books(freedom: int, t: float) -> None:
    assert student(freedom) == pytest.approx(t, abs=2e-4)


def test_students_t_becomes_the_normal_distributions() -> None:
    assert student(10**6) == pytest.approx(1.96, abs=1e-3)
