"""Rank correlation can be done by hand; effects are those of replacing a word and asking again."""

import numpy as np
import pytest

from regard.looking.attribution import METHODS
from regard.looking.faithfulness import effects, faithful, faithfulness, faithfulness_of, spearman
from regard.looking.segments import pair
from regard.looking.substitutes import substitutes


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([1, 2, 3, 4], [10, 20, 30, 1000], 1),
        ([1, 2, 3, 4], [4, 3, 2, 1], -1),
        ([1, 2, 3, 4, 5], [2, 1, 3, 5, 4], 1 - 6 * 4 / (5 * 24)),  # 1 - 6 sum d^2 / (n (n^2 - 1))
        ([1, 1, 2], [1, 2, 3], 1.5 / np.sqrt(1.5 * 2)),  # ranks ½ ½ 2 against 0 1 2
    ],
)
def test_spearman_is_pearson_of_the_ranks(first, second, expected):
    assert spearman(np.array(first, dtype=float), np.array(second, dtype=float)) == pytest.approx(expected)


def test_where_all_are_equal_nothing_is_ranked():
    assert spearman(np.ones(5), np.arange(5.0)) is None


SOURCE, TARGET = "ba de bo du", "nab ned nob nud"


@pytest.fixture(scope="module")
def both(learned):
    return pair(learned, SOURCE, TARGET, direction="fr-en")


@pytest.fixture(scope="module")
def measured(learned, both):
    return effects(learned, both, direction="fr-en")


def test_the_tag_and_the_ends_are_left_out(measured):
    assert measured.rows == [0, 1, 2, 3]
    assert measured.columns == [1, 2, 3, 4]


def test_a_word_is_gone_when_the_one_it_translates_is_replaced_and_hardly_otherwise(measured):
    assert measured.anew.diagonal().min() >= 2 / 3
    assert measured.anew.argmax(axis=1).tolist() == [0, 1, 2, 3]
    assert measured.forced.argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_the_effects_are_those_of_asking_again_for_each_substitute(learned, both, measured):
    near = substitutes(learned, both)[2]  # of "de"
    lines = [" ".join(["ba", learned.tokenizer.source.decode(ids), "bo", "du"]) for ids in near]
    answers = [answer.text.split() for answer in learned.translate(lines, direction="fr-en")]
    expected = [sum(word not in answer for answer in answers) / 3 for word in TARGET.split()]
    assert measured.anew[:, 1].tolist() == pytest.approx(expected)
    scored = [
        [abs(a - b) for a, b in zip(*(one.log_probs for one in pairs), strict=True)][:4]
        for pairs in (learned.score([SOURCE, line], [TARGET] * 2, direction="fr-en") for line in lines)
    ]
    np.testing.assert_allclose(measured.forced[:, 1], np.mean(scored, axis=0), atol=1e-4)


def test_every_method_is_measured_and_the_measure_itself_is_not_measured_by_itself(learned):
    found = faithfulness(learned, [SOURCE, " ", "do di"], [TARGET, "", "nod nid"], direction="fr-en")
    assert [one.method for one in found] == list(METHODS)
    assert all(one.sentences == 2 for one in found)
    assert [one.forced is None for one in found] == [one.method == "marginalised" for one in found]
    assert all(-1 <= value <= 1 for one in found for value in one[1:3] if value is not None)
    by_name = {one.method: one for one in found}
    assert by_name["occlusion-unk"].forced > 0.3
    assert by_name["marginalised"].anew > 0.3


def test_the_mean_is_over_written_words(learned, both, measured):
    one = faithful(learned, both, measured, "occlusion-drop")
    assert faithfulness(learned, [SOURCE], [TARGET], direction="fr-en", methods=["occlusion-drop"])[0] == one


def test_a_trace_has_the_faithfulness_of_its_sentence(learned, both, measured):
    trace = learned.look(SOURCE, TARGET, direction="fr-en")
    expected = faithful(learned, both, measured, "occlusion-unk")
    assert faithfulness_of(trace, methods=["occlusion-unk"]) == [expected]
