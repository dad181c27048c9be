"""Sampling: a distribution is checked exactly, by putting evenly spaced numbers where chance would stand."""

import math
from collections import Counter
from typing import Any

import pytest
import torch

from regard.config import BOS, EOS, UNK, DecodingConfig
from regard.decoding.beam import beam_search
from regard.decoding.hypothesis import Hypothesis
from regard.decoding.sampling import NUCLEUS, draw, sample
from regard.errors import InputError

A, B, C = 4, 5, 6
VOCAB = 7


def shares(p: list[float], **settings: Any) -> list[float]:
    """How often each piece is drawn."""
    even = 1000
    chance = (torch.arange(even) + 0.5) / even
    drawn = draw(torch.tensor(p).log().expand(even, -1), chance, DecodingConfig(**{"temperature": 1.0} | settings))
    return (drawn.bincount(minlength=len(p)) / even).tolist()


def samples(
    model: Any, limits: list[int], prefix: list[list[int]] | None = None, state: Any = None, **settings: Any
) -> list[list[Hypothesis]]:
    """The targets drawn for each sentence."""
    seeds = settings.pop("seeds", None)
    return sample(
        model,
        model.start() if state is None else state,
        batch=len(limits),
        config=DecodingConfig(**{"temperature": 1.0} | settings),
        max_lengths=torch.tensor(limits, dtype=torch.long),
        prefix=prefix,
        seeds=seeds,
    )


def test_pieces_are_drawn_as_often_as_they_are_probable() -> None:
    assert shares([0.1, 0.5, 0.0, 0.4]) == pytest.approx([0.1, 0.5, 0.0, 0.4], abs=0.001)


def test_a_temperature_of_one_half_squares_the_odds() -> None:
    assert shares([0.25, 0.75], temperature=0.5) == pytest.approx([0.1, 0.9], abs=0.001)


def test_top_k_keeps_the_k_most_probable_wherever_they_stand() -> None:
    assert shares([0.1, 0.3, 0.0, 0.6], top_k=2) == pytest.approx([0, 1 / 3, 0, 2 / 3], abs=0.001)
    assert shares([0.25, 0.75], top_k=17) == pytest.approx([0.25, 0.75], abs=0.001)


@pytest.mark.parametrize(
    ("top_p", "kept"), [(0.4, 1), (0.5, 1), (0.51, 2), (0.75, 2), (0.76, 3), (0.875, 3), (0.99, 4)]
)
def test_the_nucleus_is_the_fewest_pieces_that_hold_top_p(top_p: float, kept: int) -> None:
    p = [0.125, 0.5, 0.125, 0.25]
    drawn = [share for share in shares(p, top_p=top_p) if share]
    assert len(drawn) == kept
    best = sorted(p, reverse=True)[:kept]
    assert sorted(drawn, reverse=True) == pytest.approx([share / sum(best) for share in best], abs=0.0011)


def test_top_p_is_measured_on_what_top_k_has_left() -> None:
    assert shares([0.1, 0.3, 0.0, 0.6], top_k=2, top_p=0.65) == [0, 0, 0, 1]  # 0.6 of 0.9 is 2 / 3
    assert shares([0.1, 0.3, 0.0, 0.6], top_p=0.65) == pytest.approx([0, 1 / 3, 0, 2 / 3], abs=0.001)


def test_a_nucleus_may_be_wider_than_where_it_is_looked_for_first() -> None:
    vocab = 5 * NUCLEUS
    falling = torch.arange(vocab, 0, -1.0)  # the first i of them hold 1 - (1 - i / vocab)^2
    narrow = torch.full((vocab,), 1e-9).index_fill(0, torch.tensor(3), 1.0)
    log_probs = torch.stack([falling / falling.sum(), narrow]).log()
    last = draw(log_probs, torch.full((2,), 1 - 2**-24), DecodingConfig(temperature=1.0, top_p=0.75))
    assert last.tolist() == [pytest.approx(vocab / 2, abs=1), 3]


@pytest.mark.parametrize("settings", [{}, {"top_k": 3}, {"top_p": 0.9999999}])
def test_what_is_forbidden_is_not_drawn_by_the_most_extreme_of_chances(settings: dict[str, Any]) -> None:
    log_probs = torch.tensor([-math.inf, math.log(0.3), -math.inf, math.log(0.7), -math.inf]).expand(2, -1)
    chance = torch.tensor([0.0, 1 - 2**-24])
    assert set(draw(log_probs, chance, DecodingConfig(temperature=1.0, **settings)).tolist()) == {1, 3}


def test_a_sentence_has_the_same_samples_alone_and_in_a_batch(random_table: Any) -> None:
    limits, prefix, seeds = [7, 3, 11, 5], [[A, B, C], [], [UNK], []], [19, 23, 29, 31]
    table = random_table(len(limits), VOCAB, spread=1.0)
    together = samples(table, limits, prefix, seeds=seeds, n_best=3)
    for row in range(len(limits)):
        arguments: dict[str, Any] = {"state": table.start(row), "seeds": [seeds[row]], "n_best": 3}
        assert samples(table, [limits[row]], [prefix[row]], **arguments) == [
            [one._replace(score=pytest.approx(one.score), log_probs=pytest.approx(one.log_probs)) for one in drawn]
            for drawn in together[row : row + 1]
        ]
    assert len({tuple(one.ids) for one in together[2]}) > 1


def test_without_seeds_a_row_adds_its_number_to_that_of_the_settings(random_table: Any) -> None:
    table = random_table(3, VOCAB)
    assert samples(table, [7, 7, 7], seed=11) == samples(table, [7, 7, 7], seeds=[11, 12, 13])
    assert samples(table, [7, 7, 7], seed=11) != samples(table, [7, 7, 7], seed=17)


def test_seeds_side_by_side_are_independent(chain: Any) -> None:
    table = chain({BOS: {A: 0.5, B: 0.3, C: 0.2}, A: {EOS: 1.0}, B: {EOS: 1.0}, C: {EOS: 1.0}})
    drawn = samples(table, [2] * 2000, state=table.start(*[0] * 2000))
    counts = Counter(one.ids[0] for (one,) in drawn)
    for piece, p in ((A, 0.5), (B, 0.3), (C, 0.2)):
        assert counts[piece] / 2000 == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 2000))


def test_the_log_probabilities_are_the_models_own_whatever_is_kept_of_them(chain: Any) -> None:
    table = chain({BOS: {A: 0.5, UNK: 0.2}, A: {EOS: 0.25, A: 0.2}})
    (only,) = samples(table, [5], temperature=0.3, top_k=1, length_penalty=2.0)[0]
    assert only.ids == [A, EOS]
    assert only.log_probs == pytest.approx([math.log(0.5), math.log(0.25)])
    assert only.score == pytest.approx(math.log(0.125) / 4)
    assert only.finished


@pytest.mark.parametrize("settings", [{"temperature": 1e-4}, {"top_k": 1}, {"top_p": 1e-6}])
def test_where_only_the_best_piece_is_left_sampling_is_greedy(random_table: Any, settings: dict[str, float]) -> None:
    limits = [7, 3, 11, 5, 13]
    table = random_table(len(limits), VOCAB)
    config = DecodingConfig(beam_size=1, no_repeat_ngram=2)
    greedy = beam_search(table, table.start(), batch=5, config=config, max_lengths=torch.tensor(limits))
    drawn = samples(table, limits, no_repeat_ngram=2, **settings)
    for (one,), (other,) in zip(drawn, greedy, strict=True):
        assert (one.ids, one.finished) == (other.ids, other.finished)
        assert one.score == pytest.approx(other.score, rel=1e-5)


def test_samples_keep_to_prefix_limit_and_pieces_that_may_be_produced(random_table: Any) -> None:
    table = random_table(3, VOCAB, spread=1.0)
    prefix = [[UNK, A], [], [B, EOS, C]]
    drawn = samples(table, [5, 3, 7], prefix, n_best=101)
    assert all(one.ids[:2] == [UNK, A] and min(one.ids[2:]) >= EOS for one in drawn[0])
    assert all(min(one.ids) >= EOS and len(one.ids) <= 3 for one in drawn[1])
    assert {(tuple(one.ids), one.finished) for one in drawn[2]} == {((B, EOS), True)}
    for row in drawn:
        assert all(one.finished == (one.ids[-1] == EOS) and EOS not in one.ids[:-1] for one in row)
    assert {one.finished for one in drawn[1]} == {True, False}


def test_rows_that_have_ended_are_no_longer_read(random_table: Any) -> None:
    table = random_table(3, VOCAB)
    drawn = samples(table, [7, 1, 7], n_best=5)
    lengths = [len(one.ids) for row in drawn for one in row]
    assert table.rows == [sum(length > step for length in lengths) for step in range(max(lengths))]


def test_no_sentences_have_no_samples(random_table: Any) -> None:
    table = random_table(1, VOCAB)
    assert samples(table, [], state=table.start().select(torch.tensor([], dtype=torch.long))) == []


def test_a_temperature_of_0_is_refused_with_what_to_do_instead(random_table: Any) -> None:
    with pytest.raises(InputError, match="search with a beam"):
        samples(random_table(1, VOCAB), [5], temperature=0.0)


def test_a_model_that_is_not_a_number_is_named_with_the_sentence(random_table: Any) -> None:
    table = random_table(3, VOCAB)
    table.logits[1] = math.nan
    with pytest.raises(ValueError, match="Sentence 1 of the batch has no target"):
        samples(table, [5, 5, 5], n_best=2)
