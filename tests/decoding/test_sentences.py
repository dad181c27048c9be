"""What lines meet on their way through a search."""

import torch

from regard.config import DecodingConfig
from regard.decoding.pytorch import longest_targets
from regard.decoding.sentences import longest_target


def test_a_target_may_have_ten_pieces_more_than_its_ratio_and_no_more_than_the_limit():
    config = DecodingConfig(max_ratio=1.5, max_length=23)
    assert [longest_target(length, config) for length in (1, 2, 7, 8, 9, 100)] == [11, 13, 20, 22, 23, 23]


def test_the_limits_of_a_batch_are_those_of_its_sentences():
    assert longest_targets(torch.tensor([7, 1, 100]), DecodingConfig(max_ratio=1.5, max_length=23)).tolist() == [
        20,
        11,
        23,
    ]
