"""What is found wrong with a translation: each rule by hand."""

import pytest

from regard.decoding.sentences import Translation
from regard.text.formats import Pairs
from regard.text.tokenizer import Tokenizer
from regard.training.faults import Judge, in_a_row, usual_ratio


@pytest.fixture
def judge(files) -> Judge:
    """Of words, a target usually as long as its source."""
    from regard.config import TextConfig
    from regard.text.formats import read_pairs

    words = Tokenizer.train(read_pairs(files["numbers"]), TextConfig(tokenizer="word", vocabulary=300), 1)
    return Judge(words, 1.0)


def answer(text: str, pieces: list[str] | None = None, parts: int = 1) -> Translation:
    given = [*(f"▁{word}" for word in text.split()), "</s>"] if pieces is None else pieces
    return Translation(text, given, [], 0.0, [], parts)


def test_there_are_as_many_characters_as_both_sides_have_together():
    assert usual_ratio(Pairs(["ab", "c"], ["abc", "def"])) == 2  # 6 for 3


@pytest.mark.parametrize(
    ("pieces", "times"),
    [
        ([], 1),
        (["▁a"], 1),
        (["▁a", "▁b"], 1),
        (["▁a", "▁a"], 2),
        (["▁a", "▁b", "▁a", "▁b", "▁a", "▁b"], 3),
        (["▁x", "▁a", "▁b", "▁c", "▁a", "▁b", "▁c", "▁d"], 2),
        (["▁a", "▁b", "▁a", "▁c", "▁a"], 1),
        ([".", ".", ".", "."], 1),  # no letter
        (["0", "0", "0", "▁a", "▁a"], 2),
        ([*"abcdefgh"] * 2, 2),  # eight pieces
        ([*"abcdefghi"] * 2, 1),  # nine are not looked for
    ],
)
def test_what_stands_in_a_row_is_counted(pieces, times):
    assert in_a_row(pieces) == times


def test_a_good_translation_has_no_fault(judge):
    assert judge.fault("un deux trois", answer("one two three")) == ""


def test_an_empty_one_is_found(judge):
    assert judge.fault("un", answer(" ", ["▁", "</s>"])) == "empty"


def test_one_that_ran_out_of_room_is_found(judge):
    assert judge.fault("un", answer("one", ["▁one"])) == "without an end"


def test_one_that_was_made_in_parts_is_found(judge):
    assert judge.fault("un", answer("one", parts=2)) == "of a line that had to be cut"


def test_twice_the_usual_length_and_twenty_characters_are_allowed_and_no_more(judge):
    source = 10 * "x"
    assert judge.fault(source, answer(40 * "y")) == ""
    assert judge.fault(source, answer(41 * "y")) == "too long"


def test_half_the_usual_length_less_twenty_characters_is_allowed_and_no_less(judge):
    source = 50 * "x"
    assert judge.fault(source, answer(5 * "y")) == ""
    assert judge.fault(source, answer(4 * "y")) == "too short"


def test_the_usual_length_follows_the_languages(judge):
    assert judge._replace(ratio=0.25).fault(40 * "x", answer(41 * "y")) == "too long"  # usual: 10


def test_what_is_said_three_times_is_a_fault_unless_the_source_says_it_as_often(judge):
    assert judge.fault("un deux un", answer("one one two")) == ""
    assert judge.fault("un deux un", answer("one one one")) == "repeating themselves"
    assert judge.fault("un un deux", answer("one one one")) == "repeating themselves"
    assert judge.fault("un un un", answer("one one one")) == ""
