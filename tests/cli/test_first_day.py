"""The commands of the first day, run as a person runs them, on a toy language."""

import json
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from safetensors.torch import load_file

from regard.weights import load_tensors

WORDS = {"un": "a", "le": "the", "chat": "cat", "chien": "dog", "lapin": "rabbit", "voit": "sees", "aime": "likes"}
SMALL = [
    "--set=model.d_model=16", "--set=model.d_ff=16", "--set=model.n_encoder_layers=1", "--set=model.n_decoder_layers=1",
    "--set=model.p_drop=0.2", "--set=text.tokenizer=word", "--set=training.batch_tokens=256",
    "--set=training.precision=float32", "--set=training.ema=0.9",
    "--set=training.validate_every=20", "--set=training.validate_pairs=5", "--set=training.save_every=5",
    "--set=training.average=2", "--threads=1",
]  # fmt: skip


def regard(*arguments: object, given: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    command = [sys.executable, "-m", "regard", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, input=given, check=False, timeout=120)


def same_tensors(one: Path, other: Path) -> bool:
    first, second = load_file(one), load_file(other)
    return first.keys() == second.keys() and all(bool((first[name] == second[name]).all()) for name in first)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, rng = tmp_path_factory.mktemp("corpus"), random.Random(1)
    subjects, verbs = ["un chat", "le chien", "un lapin", "le chat", "un chien", "le lapin"], ["voit", "aime"]
    lines = [f"{rng.choice(subjects)} {rng.choice(verbs)} {rng.choice(subjects)}" for _ in range(300)]
    (folder / "toy.fr").write_text("\n".join(lines) + "\n", encoding="utf-8")
    english = [" ".join(WORDS[word] for word in line.split()) for line in lines]
    (folder / "toy.en").write_text("\n".join(english) + "\n", encoding="utf-8")
    return folder


class Trained(NamedTuple):
    folder: Path
    said: str  # on stderr


def trained(corpus: Path, name: str, *settings: str) -> Trained:
    """A training that is left to itself until its end."""
    pairs = (corpus / "toy.fr", corpus / "toy.en")
    done = regard("train", corpus / name, "--train", *pairs, *SMALL, "--updates=90", *settings)
    assert done.returncode == 0, done.stderr
    return Trained(corpus / name, done.stderr)


@pytest.fixture(scope="module")
def whole(corpus: Path) -> Trained:
    return trained(corpus, "whole")


@pytest.fixture(scope="module")
def model(whole: Trained) -> Path:
    return whole.folder


def started(corpus: Path, folder: Path, *settings: str) -> subprocess.Popen[str]:
    """The same training, as soon as it has validated."""
    command = [sys.executable, "-m", "regard", "train", str(folder), "--train", str(corpus / "toy.fr")]
    command += [str(corpus / "toy.en"), *SMALL, "--updates=90", *settings]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not (folder / "training" / "history.jsonl").exists():
        time.sleep(0.01)
    return process


def test_training_says_what_it_will_do_and_leaves_a_whole_model_directory(whole):
    model, said = whole
    rows = {line[:9].strip(): line[9:] for line in said.splitlines()}
    assert re.fullmatch(r"294 to learn from, 6 to validate", rows["pairs"])
    assert re.fullmatch(r"\d+ pieces \(word\)", rows["words"])
    assert re.fullmatch(r"[\d,]+ weights: 1\+1 layers, d_model 16, 4 heads", rows["model"])
    assert re.fullmatch(r"about [\d,]+ MiB", rows["memory"])
    assert re.fullmatch(r"about \d+ s; \d+ updates an epoch, on cpu", rows["time"])
    assert re.search(r"^  training.accumulate = 1 +updates of 256 tokens, as asked for", said, re.MULTILINE)
    left = {path.name for path in model.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.model", "README.md", "learning-curve.png"} <= left
    rows = [json.loads(line) for line in (model / "training" / "history.jsonl").read_text().split("\n") if line]
    assert [row["update"] for row in rows] == [20, 40, 60, 80, 90, 90]
    assert rows[-1]["signature"].startswith("nrefs:1|")


ABREAST = ["--set=training.accumulate=2", "--set=training.precision=bfloat16", "--threads=2"]
ABREAST += ["--set=text.tokenizer=unigram", "--set=text.vocabulary=300", "--set=text.sampling=0.3"]


@pytest.mark.parametrize("settings", [(), ABREAST], ids=["plain", "two threads, bfloat16, sampled pieces"])
def test_a_training_killed_at_any_moment_ends_bit_equal_to_an_uninterrupted_one(corpus, whole, settings):
    straight = trained(corpus, "straight", *settings) if settings else whole
    killed = corpus / f"killed-{len(settings)}"
    process = started(corpus, killed, *settings)
    time.sleep(random.Random(7).random() / 5)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert load_tensors(killed / "training" / "last.safetensors")[1]["position"] > 0  # in the middle of an epoch
    resumed = regard("train", killed, "--threads=2" if settings else "--threads=1")
    assert resumed.returncode == 0, resumed.stderr
    for file in ("model.safetensors", "training/last.safetensors"):
        assert same_tensors(killed / file, straight.folder / file)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_sigterm_and_ctrl_c_save_and_leave_and_the_same_command_goes_on(corpus, model, number):
    folder = corpus / f"paused-{number.name}"
    process = started(corpus, folder)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "goes on from there" in said
    assert regard("train", folder, "--threads=1").returncode == 0
    assert same_tensors(folder / "model.safetensors", model / "model.safetensors")


def test_changed_settings_are_refused_with_the_old_and_the_new_value(model):
    refused = regard("train", model, "--set=model.p_drop=0.4")
    assert refused.returncode == 2
    assert "model.p_drop was 0.2 and is now 0.4" in refused.stderr


def test_translate_gives_a_line_for_a_line_and_keeps_empty_ones(model):
    done = regard("translate", model, "--quiet", given="le chat voit un chien\n\nun lapin aime le chat\u2028le chat")
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.split("\n")
    assert len(lines) == 4
    assert lines[1] == lines[3] == ""


def test_nbest_and_json_show_pieces_and_their_probabilities(model):
    done = regard("translate", model, "le chat", "--nbest", 3, "--json")
    rows = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert len(rows) == 3
    assert rows[0]["score"] >= rows[1]["score"] >= rows[2]["score"]
    assert len(rows[0]["pieces"]) == len(rows[0]["log_probs"])


def test_score_and_evaluate_read_pairs(corpus, model):
    pairs = [corpus / "toy.fr", corpus / "toy.en"]
    scored = regard("score", model, "--pairs", *pairs)
    assert len(scored.stdout.split()) == 300
    assert all(float(score) < 0 for score in scored.stdout.split())
    told = json.loads(regard("evaluate", model, "--test", *pairs, "--json", "--resamples=10").stdout)
    assert [score["metric"] for score in told] == ["BLEU", "chrF2", "TER"]
    assert all(score["low"] <= score["high"] and "version:" in score["signature"] for score in told)


def test_help_is_quick_shows_an_example_and_does_not_import_torch():
    code = """
import sys, regard.cli
try:
    regard.cli.main(["translate", "--help"])
except SystemExit:
    print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "example:" in done.stdout
    assert done.stdout.strip().endswith("False")


FR, EN = "toy.fr", "toy.en"
BAD = {
    "a missing file": (["train", "new", "--train", "none.fr", EN], "none.fr"),
    "a directory": (["train", "new", "--train", ".", EN], "Is a directory"),
    "no pairs": (["train", "new"], "--train"),
    "one plain file": (["train", "new", "--train", FR], "two files"),
    "three files": (["train", "new", "--train", FR, EN, EN], "two files"),
    "unequal lengths": (["train", "new", "--train", FR, "short.en"], "no partner"),
    "bad UTF-8": (["train", "new", "--train", FR, "latin.en"], "latin.en, line 2"),
    "a NUL": (["train", "new", "--train", FR, "nul.en"], "nul.en, line 1"),
    "an empty file": (["train", "new", "--train", "empty.fr", "empty.fr"], "empty"),
    "only empty lines": (["train", "new", "--train", "blank.fr", "blank.fr"], "0 pairs"),
    "files the other way round": (["train", "new", "--train", EN, FR, "--directions", "fr-en"], f"Write {FR} {EN}"),
    "validation the other way round": (["train", "new", "--train", FR, EN, "--valid", EN, FR], f"Write {FR} {EN}"),
    "too few pairs": (["train", "new", "--train", "short.en", "short.en"], "at least 10"),
    "three columns": (["train", "new", "--train", "three.tsv"], "three.tsv, line 1"),
    "no JSON": (["train", "new", "--train", "bad.jsonl"], "bad.jsonl, line 1"),
    "no such JSON key": (["train", "new", "--train", "keys.jsonl"], "source"),
    "no gzip": (["train", "new", "--train", "fake.fr.gz", EN], "fake.fr.gz"),
    "a validation file that is missing": (["train", "new", "--train", FR, EN, "--valid", "x", "y"], "x: cannot be"),
    "a misspelt setting": (["train", "new", "--train", FR, EN, "--set", "model.n_head=4"], "model.n_heads"),
    "a setting without its table": (["train", "new", "--train", FR, EN, "--set", "d_model=4"], "model.d_model"),
    "no value": (["train", "new", "--train", FR, EN, "--set", "model.d_model"], "name=value"),
    "a word for a number": (["train", "new", "--train", FR, EN, "--set", "model.d_model=big"], "whole number"),
    "a choice that is none": (["train", "new", "--train", FR, EN, "--set", "model.norm=mid"], "post, pre"),
    "a width that does not divide": (["train", "new", "--train", FR, EN, "--set", "model.n_heads=7"], "divide"),
    "an odd width": (["train", "new", "--train", FR, EN, "--set=model.d_model=7", "--set=model.n_heads=1"], "even"),
    "too much dropout": (["train", "new", "--train", FR, EN, "--set", "model.p_drop=1"], "p_drop"),
    "a tiny vocabulary": (["train", "new", "--train", FR, EN, "--set", "text.vocabulary=3"], "300"),
    "no such preset": (["train", "new", "--train", FR, EN, "--preset", "tinny"], "tiny"),
    "no such configuration": (["train", "new", "--train", FR, EN, "--config", "no.toml"], "no.toml"),
    "a broken configuration": (["train", "new", "--train", FR, EN, "--config", "bad.toml"], "bad.toml"),
    "a direction that is none": (["train", "new", "--train", FR, EN, "--directions", "french"], "fr-en"),
    "two directions, two vocabularies": (
        ["train", "new", "--train", FR, EN, "--directions", "fr-en", "en-fr", "--set", "text.joint=false"], "joint",
    ),
    "no such device": (["train", "new", "--train", FR, EN, "--device", "gpu9"], "gpu9"),
    "no threads": (["train", "new", "--train", FR, EN, "--threads", "0"], "threads"),
    "negative minutes": (["train", "new", "--train", FR, EN, "--minutes", "-1"], "minutes"),
    "no minutes": (["train", "new", "--train", FR, EN, "--minutes", "0"], "--minutes is 0"),
    "no updates": (["train", "new", "--train", FR, EN, "--updates", "0"], "--updates is 0"),
    "no epochs": (["train", "new", "--train", FR, EN, "--epochs", "0"], "--epochs is 0"),
    "a model to start from that is none": (["train", "new", "--train", FR, EN, "--from", "none"], "none"),
    "no model": (["translate", "none", "x"], "no model here"),
    "a damaged description": (["translate", "damaged", "x"], "config.json"),
    "a newer format": (["translate", "newer", "x"], "format 99"),
    "cut weights": (["translate", "cut", "x"], "model.safetensors"),
    "an unknown direction": (["translate", "whole", "x", "--direction", "de-en"], "de-en"),
    "more answers than hypotheses": (["translate", "whole", "x", "--set", "decoding.n_best=9"], "beam"),
    "a training setting in translation": (["translate", "whole", "x", "--set", "model.d_model=4"], "decoding"),
    "a test set that is missing": (["evaluate", "whole", "--test", "a", "b"], "a: cannot be read"),
    "pairs that are missing": (["score", "whole", "--pairs", "a.tsv"], "a.tsv"),
}  # fmt: skip


@pytest.fixture(scope="module")
def broken(corpus: Path, model: Path) -> Path:
    (corpus / "short.en").write_text("a cat\na dog\n", encoding="utf-8")
    (corpus / "latin.en").write_bytes(b"a cat\ncaf\xe9\n" * 150)
    (corpus / "nul.en").write_bytes(b"a\0cat\n" * 300)
    (corpus / "empty.fr").write_bytes(b"")
    (corpus / "blank.fr").write_bytes(b"\n" * 30)
    (corpus / "three.tsv").write_text("a\tb\tc\n", encoding="utf-8")
    (corpus / "bad.jsonl").write_text("{\n", encoding="utf-8")
    (corpus / "keys.jsonl").write_text('{"fr": "a", "en": "b"}\n', encoding="utf-8")
    (corpus / "fake.fr.gz").write_text("not gzip", encoding="utf-8")
    (corpus / "bad.toml").write_text("[model\n", encoding="utf-8")
    config = (model / "config.json").read_text(encoding="utf-8")
    for name, text in (
        ("damaged", config[:50]),
        ("newer", config.replace('"format": 1', '"format": 99')),
        ("cut", config),
    ):
        (corpus / name).mkdir()
        (corpus / name / "config.json").write_text(text, encoding="utf-8")
        (corpus / name / "tokenizer.model").write_bytes((model / "tokenizer.model").read_bytes())
        (corpus / name / "model.safetensors").write_bytes((model / "model.safetensors").read_bytes()[:999])
    return corpus


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_used_is_one_line_and_code_2_and_nothing_is_lost(what, broken, capsys, monkeypatch):
    from regard.cli import main

    arguments, wanted = BAD[what]
    monkeypatch.chdir(broken)
    before = sorted(Path().iterdir())
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert wanted in said
    assert said.startswith(f"regard {arguments[0]}: "), said
    assert said.count("\n") == 1
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize("said", ["CUDA out of memory. Tried to", "[enforce fail] can't allocate memory: you tried"])
def test_too_little_memory_is_one_line(said, monkeypatch, capsys):
    from regard.cli import main, score

    def run(asked):
        raise RuntimeError(said)

    monkeypatch.setattr(score, "run", run)
    assert main(["score", "model", "--pairs", "-"]) == 1
    assert "the memory is not enough" in capsys.readouterr().err


def test_a_defect_that_speaks_of_memory_is_not_taken_for_too_little_of_it(monkeypatch):
    from regard.cli import main, score

    def run(asked):
        raise RuntimeError("mat1 is not in contiguous memory")

    monkeypatch.setattr(score, "run", run)
    with pytest.raises(RuntimeError, match="contiguous"):
        main(["score", "model", "--pairs", "-"])
