"""A value of any width: the arithmetic by hand, and the whole experiment once."""

from fractions import Fraction

import jaxtyping
import pytest

from regard.experiments import values
from regard.experiments.finding import Trial
from regard.experiments.length import Middle
from regard.experiments.lesson import SMALL
from regard.experiments.values import Cost, Extent, Learned, gains, refusal

SIX = [
    Learned(4, 1, 50.0), Learned(16, 1, 60.0), Learned(64, 1, 61.0), Learned(4, 2, 70.0), Learned(16, 2, 80.0),
    Learned(64, 2, 83.0),
]  # fmt: skip


@pytest.fixture
def unchecked():
    """Nobody checks the axes, as it is outside these tests."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def timing(seconds: float) -> Middle:
    return Middle(seconds, seconds / 2, seconds * 2)


def rows() -> list[dict]:
    costs = {
        4: Cost(1000, timing(1), timing(1)), 8: Cost(1100, timing(1), timing(1)), 16: Cost(1200, timing(1), timing(1)),
        64: Cost(3000, timing(2), timing(4)),
    }  # fmt: skip
    return values._rows(SIX, costs, 16)


def test_queries_that_are_wider_than_the_keys_are_refused_and_told_why(unchecked) -> None:
    assert refusal(3).startswith("The queries have width 4 and the keys 3: they meet in a dot product")


def test_a_gain_is_each_seeds_own_and_there_is_none_of_the_width_that_is_compared_with() -> None:
    found = gains(SIX, 16)
    assert list(found) == [4, 64]
    assert found[4] == (-10, -10, -10)
    assert found[64] == pytest.approx((2, 2 - 12.7062, 2 + 12.7062))


def test_a_row_says_what_was_measured_and_nothing_of_a_width_that_was_not_trained() -> None:
    narrow, untrained, same, wide = rows()
    assert (narrow["d_v / d_k"], narrow["BLEU"], narrow["more than d_v = d_k"]) == ("1/4", 60, -10)
    assert (narrow["told from none"], wide["told from none"]) == (True, False)
    assert (untrained["BLEU"], untrained["more than d_v = d_k"], untrained["told from none"]) == (None, None, None)
    assert (same["BLEU"], same["more than d_v = d_k"]) == (70, None)
    words = values.SENTENCES * values.WORDS
    assert (narrow["training, words/s"], wide["training, words/s"]) == (2 * words, words)
    assert (narrow["encoding, words/s"], wide["encoding, words/s"]) == (words, words / 4)
    assert narrow["encoding, its middle 80 %"] == "150 to 598"  # 299 words in 2 s and in half a second


def test_the_conclusion_compares_each_width_with_that_of_the_keys() -> None:
    said = values._conclude(rows(), "So they say.", 16, values.QUICK)
    assert said.startswith(
        "The claim holds: values of width 4 to 64 work with keys of width 16; queries of width 17 are"
    )
    assert 'refused: "So they say." After' in said
    assert "10.0 less at d_v = 4 (-10.0 to -10.0)" in said
    assert "2.0 more at d_v = 64 (-10.7 to 14.7, not to be told from none)" in said
    assert "3.00 times as many weights, 0.50 times as many words a second in training, and 0.25 times in" in said


def test_the_conclusion_says_so_where_queries_of_another_width_are_taken() -> None:
    assert values._conclude(rows(), "", 16, values.QUICK).startswith("The claim holds for the values alone")


def test_a_wider_value_adds_its_columns_of_w_v_and_its_rows_of_w_o_in_every_attention(tmp_path) -> None:
    costs = values._costs([4, 9], 2, Trial(folder=tmp_path))
    heads, d_model, attentions = 4, 64, 2 + 2 * 2
    added = heads * (9 - 4) * (d_model + 1 + d_model)  # a bias for each column of w_v
    assert costs[9].weights - costs[4].weights == attentions * added
    assert all(cost.training.median > 0 < cost.encoding.median for cost in costs.values())


def test_the_experiment_writes_what_it_found(experiment, tmp_path, toy_corpus, monkeypatch, unchecked) -> None:
    widths = (Fraction(1, 8), Fraction(1))
    monkeypatch.setattr(values, "WIDTHS", widths)
    monkeypatch.setattr(values, "QUICK", Extent(learned=widths, seeds=2, updates=2, rounds=2))
    monkeypatch.setitem(SMALL, "decoding.max_length", 3)
    found = experiment("values", tmp_path, "--quick", *toy_corpus)
    assert found.told["conclusion"] == found.out.strip()
    assert "they meet in a dot product" in found.told["conclusion"]
    assert [row["d_v"] for row in found.told["tables"]["One model a width, d_k = 16"]] == [2, 16]
    assert [(row["d_v"], row["seed"]) for row in found.told["tables"]["Each model, BLEU of the test sentences"]] == [
        (2, 1),
        (16, 1),
        (2, 2),
        (16, 2),
    ]
    assert (found.folder / "values.png").read_bytes().startswith(b"\x89PNG")
