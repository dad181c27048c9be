"""What lines meet on their way through a search."""

import pytest
import torch

from regard.config import DecodingConfig
from regard.decoding.directory import load_config
from regard.decoding.pytorch import longest_targets
from regard.decoding.sentences import Translation, joined, longest_target, parts
from regard.errors import InputError


def test_a_target_may_have_ten_pieces_more_than_its_ratio_and_no_more_than_the_limit():
    config = DecodingConfig(max_ratio=1.5, max_length=23)
    assert [longest_target(length, config) for length in (1, 2, 7, 8, 9, 100)] == [11, 13, 20, 22, 23, 23]


def test_the_limits_of_a_batch_are_those_of_its_sentences():
    assert longest_targets(torch.tensor([7, 1, 100]), DecodingConfig(max_ratio=1.5, max_length=23)).tolist() == [
        20,
        11,
        23,
    ]


def test_numbers_too_large_to_compute_with_are_cut_off_or_refused():
    assert longest_target(7, DecodingConfig(max_ratio=1e308, max_length=23)) == 23
    with pytest.raises(InputError, match=r"length_penalty is 1000.0; not in \[-10, 10\]"):
        DecodingConfig(length_penalty=1000.0)


@pytest.mark.parametrize(
    ("line", "most", "expected"),
    [
        (" It  ran. ", 10, [" It  ran. "]),
        (" It  ran. ", 9, ["It", "ran."]),
        ("It  ran. A dog!  Why? No.", 15, ["It  ran. A dog!", "Why? No."]),
        ("It ran, a dog did", 9, ["It ran,", "a dog did"]),
        ("你好。我来了！他呢？", 5, ["你好。", "我来了！", "他呢？"]),
        ("“你好。”他说。", 5, ["“你好。”", "他说。"]),
        ("我来，他也来了", 4, ["我来，", "他也来了"]),
        ("abcdefg", 3, ["abc", "de", "fg"]),
    ],
)
def test_a_long_line_is_cut_at_sentence_ends_then_at_spaces_and_commas_then_anywhere(line, most, expected):
    assert parts(line, lambda part: len(part) <= most) == expected


def answer(text, *log_probs, others=()):
    return Translation(text, [*text], list(log_probs), sum(log_probs) / len(log_probs), list(others))


def test_parts_are_joined_best_to_best_and_scored_as_one():
    first = answer("A dog.", -1.0, -2.0, others=[answer("Dogs.", -5.0), answer("Dog.", -6.0)])
    whole = joined([first, answer("It ran.", -3.0, others=[answer("Ran.", -4.0)])], 1.0)
    assert (whole.text, whole.log_probs, whole.score, whole.parts) == ("A dog. It ran.", [-1, -2, -3], -2, 2)
    assert [(one.text, one.score) for one in whole.others] == [("Dogs. Ran.", -4.5)]
    assert joined([first], 1.0) is first


def test_parts_in_a_writing_without_spaces_are_joined_without():
    assert joined([answer("你好。", -1.0), answer("我来了", -1.0), answer("OK.", -1.0)], 1.0).text == "你好。我来了OK."
    assert joined([answer("안녕.", -1.0), answer("왔다", -1.0), answer("A", -1.0)], 1.0).text == "안녕. 왔다 A"


def test_a_description_that_cannot_be_read_is_not_one_that_is_missing(tmp_path):
    with pytest.raises(InputError, match="no model here"):
        load_config(tmp_path)
    (tmp_path / "config.json").mkdir()
    with pytest.raises(InputError, match=r"config\.json: cannot be read: Is a directory"):
        load_config(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file: a file, but a model is a folder"):
        load_config(tmp_path / "file")


@pytest.mark.parametrize("written", ["", "{}", "[1]", 10**5 * "["])
def test_a_description_that_is_none_is_told(tmp_path, written):
    (tmp_path / "config.json").write_text(written)
    with pytest.raises(InputError, match=r"config\.json: not the config\.json of a regard model, or damaged"):
        load_config(tmp_path)
