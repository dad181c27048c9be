"""That training works: a tiny model learns to copy and to reverse, from files to translations of unseen lines."""

import random

import pytest
import torch

from regard.decoding.directory import load
from regard.training.loop import Updated, train
from regard.training.prepare import Wanted, prepare

WORDS = ["ba", "da", "fa", "ga", "la", "ma", "na"]
SETTINGS = {
    "model.n_encoder_layers": 1,
    "model.n_decoder_layers": 2,
    "model.d_model": 32,
    "model.d_ff": 64,
    "model.n_heads": 2,
    "model.p_drop": 0.0,
    "text.tokenizer": "word",
    "text.vocabulary": 300,
    "training.batch_tokens": 1024,
    "training.accumulate": 1,
    "training.precision": "float32",  # not what this machine measures now
    "training.learning_rate": 1e-2,
    "training.label_smoothing": 0.0,
    "training.warmup": 50,
    "training.ema": 0.9,
    "training.updates": 300,
    "training.validate_every": 300,
    "training.validate_pairs": 0,
}


def lines(count, seed):
    """Different lines of two to six words."""
    numbers, seen = random.Random(seed), {}
    while len(seen) < count:
        seen[" ".join(numbers.choices(WORDS, k=numbers.randint(2, 6)))] = True
    return list(seen)


def reverse(line):
    return " ".join(reversed(line.split()))


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("task", [str, reverse])
def test_a_small_model_learns_to_copy_and_to_reverse_lines_that_it_has_not_seen(tmp_path, task, norm):
    every = lines(1100, seed=1)
    corpus = tmp_path / "corpus.tsv"
    corpus.write_text("".join(f"{line}\t{task(line)}\n" for line in every[:1000]), encoding="utf-8")
    settings = SETTINGS | {"model.norm": norm}
    wanted = Wanted(
        folder=tmp_path / "model", train=[str(corpus)], valid=[], given=settings, device=torch.device("cpu")
    )
    prepared = prepare(wanted)
    losses = [event.log_loss for event in train(prepared.run, prepared.learner) if isinstance(event, Updated)]
    translator, unseen = load(tmp_path / "model"), every[1000:]
    answers = translator.translate(unseen, beam_size=1)
    right = [answer.text == task(line) for line, answer in zip(unseen, answers, strict=True)]
    assert losses[-1] < 0.1
    assert sum(right) >= 95
