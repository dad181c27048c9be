"""What a search answers with, whatever engine searched."""

from typing import NamedTuple


class Hypothesis(NamedTuple):
    """A target that a search has found."""

    ids: list[int]  # without bos; with eos if it is finished
    log_probs: list[float]  # the model's own, one a piece
    score: float  # their sum / length_penalty
    finished: bool  # it ends with eos; if not, it was cut off at its sentence's max_length
