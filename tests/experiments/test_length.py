"""What a sentence's length costs: the counting by hand, both conclusions, and one short run."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from regard.config import ModelConfig
from regard.experiments import length
from regard.experiments.length import alternating, kept_bytes, sequential_steps
from regard.model.recurrent import Recurrent
from regard.model.transformer import Transformer

SHAPE: dict[str, Any] = dict(n_encoder_layers=3, n_decoder_layers=1, d_model=14, d_ff=11, n_heads=2, p_drop=0.0)
ONE_AFTER_THE_OTHER, AT_ONCE = (
    Recurrent(ModelConfig(**SHAPE, architecture="rnn"), 23, 23),
    Transformer(ModelConfig(**SHAPE), 23, 23),
)


def test_three_layers_of_an_rnn_wait_three_times_a_word_and_those_of_a_transformer_three_times() -> None:
    assert [sequential_steps(ONE_AFTER_THE_OTHER, words) for words in (1, 7, 19)] == [3, 21, 57]
    assert [sequential_steps(AT_ONCE, words) for words in (1, 7, 19)] == [3, 3, 3]


def test_what_is_kept_for_the_gradient_grows_with_the_words_and_weights_are_not_counted() -> None:
    states = 3 * 63 * 14 * 4  # of three layers, for 63 words more: 14 floats of 4 bytes each, at least
    for model in (ONE_AFTER_THE_OTHER, AT_ONCE):
        few, many = (kept_bytes(model, torch.full((1, words), 5)) for words in (7, 70))
        assert many - few >= states
        assert few < 4 * sum(weight.numel() for weight in model.parameters())


def test_both_are_timed_in_turns_after_a_round_that_warms_up(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    clock = iter([0.0, 100.0, 200.0, 201.0, 201.0, 205.0, 205.0, 208.0, 208.0, 214.0])
    monkeypatch.setattr(length, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    times = alternating({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, 2)
    assert called == ["a", "b"] * 3
    assert times == {"a": [1, 3], "b": [4, 6]}


def _conclusion(rnn: float) -> str:
    ratio = length.RATIO
    encoding = [
        {
            "words": words,
            ratio: rnn * words / 2,
            f"{ratio}, middle 80 %": "3.0 to 5.0",
            "RNN, steps in sequence": 4 * words,
        }
        for words in (1, 16, length.LENGTHS[-1])
    ]
    training = [
        {"words": words, ratio: float(words), f"{ratio}, middle 80 %": f"{words - 1}.5 to 9.0"} for words in (3, 2)
    ]
    return length._conclude(encoding, training)


def test_the_conclusion_names_the_lengths_at_which_the_transformer_is_slower() -> None:
    assert _conclusion(1.0) == (
        "The claim holds for the steps: 4 layers one after the other for 1024 words as for one; the RNN waits 4,096 "
        "times. In time, the Transformer encodes 1024 words 512.0 (3.0 to 5.0) times as fast as the RNN, and 1024 "
        "words 512.0 (3.0 to 5.0) times. Of the lengths tried it is the slower one at 1. It learns 2.0 (1.5 to 9.0) "
        "times as many tokens a second from sentences of 2 words, 3.0 (2.5 to 9.0) times from those of 3. (In "
        "brackets: the middle 80 % of the rounds.)"
    )
    assert "slower" not in _conclusion(5.0)


def test_the_middle_of_eleven_rounds_leaves_out_the_first_and_the_last() -> None:
    assert length.middle([1.0, 100.0, *map(float, range(2, 11))]) == (6, 2, 10)


def test_a_short_run_has_a_row_for_each_length(
    monkeypatch: pytest.MonkeyPatch, experiment: Callable[..., Any], tmp_path: Path
) -> None:
    for name, value in {"LENGTHS": (1, 3), "TRAINED": (5,), "TOKENS": 40, "LAYERS": 1, "WIDTH": 8}.items():
        monkeypatch.setattr(length, name, value)
    found = experiment("length", tmp_path, "--quick", "--seed", "7")
    encoding, training = found.told["tables"].values()
    assert [row["words"] for row in encoding] == [1, 3]
    assert [row["RNN, steps in sequence"] for row in encoding] == [1, 3]
    assert [row["words"] for row in training] == [5]
    assert found.told["command"] == "regard experiment length --quick --seed 7"
    assert found.out.strip() == found.told["conclusion"]
