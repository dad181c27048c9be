"""`regard distill`, as it is typed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from regard.text.formats import read_pairs

SOURCE = Path(__file__).parents[2] / "src"
QUICK = ["--set=model.n_encoder_layers=2", "--set=model.d_model=32", "--set=model.d_ff=32", "--set=model.p_drop=0.2"]
QUICK += ["--set=training.batch_tokens=256", "--set=training.precision=float32", "--set=training.accumulate=1"]
QUICK += ["--set=training.ema=0.9", "--set=training.save_every=7", "--set=training.validate_every=20"]


@pytest.fixture
def pairs(toy):
    return [toy.folder / "toy.fr", toy.folder / "toy.en"]


def test_a_student_is_taught_and_translates(regard, two_way, pairs, tmp_path):
    new = tmp_path / "student"
    done = regard("distill", two_way, new, "--train", *pairs, *QUICK, "--updates", 3, "--beam", 2, "--engine", "torch")
    assert done.code == 0, done.err
    assert "The teacher translates" in done.err
    settings = json.loads((new / "config.json").read_text(encoding="utf-8"))["settings"]
    assert settings["text.directions"] == ["fr-en"]
    assert (settings["model.n_encoder_layers"], settings["model.n_decoder_layers"]) == (2, 1)
    assert (new / "tokenizer.model").read_bytes() == (two_way / "tokenizer.model").read_bytes()
    learned = read_pairs([new / "distilled" / "train.jsonl"])
    assert len(learned.source) > 500  # of 300 pairs; this teacher makes few mistakes
    assert "of what the model `two-way` made of its sources" in (new / "README.md").read_text(encoding="utf-8")
    assert regard("translate", new, "ba be", "--quiet").code == 0
    again = regard("distill", two_way, new)
    assert again.code == 0
    assert "The teacher translates" not in again.err
    assert "this training is over" in again.err.lower()


def start(*arguments: object) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "regard", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)


def wait_for(process: "subprocess.Popen[str]", path: Path) -> None:
    while process.poll() is None and not path.exists():
        time.sleep(0.01)


def test_a_student_killed_in_training_ends_bit_equal_to_one_that_was_not(regard, one_way, pairs, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    options = ["--train", *pairs, *QUICK, "--updates", 41, "--threads", 1, "--engine", "torch", "--beam", 1]
    assert regard("distill", one_way, whole, *options, "--quiet").code == 0
    process = start("distill", one_way, killed, *options)
    wait_for(process, killed / "training" / "history.jsonl")
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert regard("distill", one_way, killed, "--quiet", "--threads", 1).code == 0
    assert (killed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def test_a_teacher_that_is_told_to_stop_keeps_what_it_has_translated(regard, one_way, pairs, tmp_path, monkeypatch):
    from regard.cli import train

    monkeypatch.setattr(train.Stop, "asked", lambda self: True)
    new = tmp_path / "student"
    options = ["--train", *pairs, *QUICK, "--updates", 2, "--engine", "torch", "--beam", 1]
    stopped = regard("distill", one_way, new, *options)
    assert stopped.code == 0
    assert "Paused after 1 of" in stopped.err
    assert not (new / "training").exists()
    monkeypatch.undo()
    again = regard("distill", one_way, new)
    assert again.code == 0, again.err
    assert "1 of them done before" in again.err
    assert (new / "model.safetensors").exists()


BAD = {
    "no teacher": (["none", "new", "--train", "toy.fr", "toy.en"], "no model here"),
    "no pairs": (["one-way", "new"], "--train"),
    "a missing file": (["one-way", "new", "--train", "none.fr", "toy.en"], "none.fr"),
    "too few pairs": (["one-way", "new", "--train", "few.tsv"], "1 pair; at least 10"),
    "an unknown direction": (["two-way", "new", "--train", "toy.fr", "toy.en", "--direction", "de-en"], "de-en"),
    "a misspelt setting": (["one-way", "new", "--train", "toy.fr", "toy.en", "--set", "model.n_head=4"], "n_heads"),
    "a width that does not divide": (
        ["one-way", "new", "--train", "toy.fr", "toy.en", "--set", "model.n_heads=7"], "divide",
    ),
    "no beam": (["one-way", "new", "--train", "toy.fr", "toy.en", "--beam", "0"], "beam_size"),
    "the teacher as its own student": (["one-way", "one-way", "--train", "toy.fr", "toy.en"], "without a teacher"),
    "a file as the place": (["one-way", "toy.fr", "--train", "toy.fr", "toy.en"], "is a file"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_used_is_one_line_and_code_2_and_leaves_nothing(
    what, regard, toy, one_way, two_way, monkeypatch
):
    arguments, wanted = BAD[what]
    monkeypatch.chdir(toy.folder)
    (toy.folder / "few.tsv").write_text("ba\tnab\n", encoding="utf-8")
    refused = regard("distill", *arguments, "--engine", "torch")
    assert refused.code == 2
    assert refused.err.startswith("regard distill: ")
    assert wanted in refused.err
    assert refused.err.count("\n") == 1
    assert not Path("new").exists()
