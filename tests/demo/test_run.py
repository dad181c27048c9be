"""The first run, with a training of a second: what it leaves, and what it will not touch."""

import json
import time

import pytest
import torch

from regard.demo import run
from regard.demo.run import examine, learn, make_corpus
from regard.errors import InputError
from regard.training.loop import Ended


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A demo's folder, and its report."""
    folder = tmp_path_factory.mktemp("demo")
    quick = {"training.minutes": 0.02, "training.validate_pairs": 3, "model.d_model": 16, "model.d_ff": 16}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "SETTINGS", run.SETTINGS | quick)
        corpus = make_corpus(folder, seed=1)
        short = corpus._replace(
            test=type(corpus.test)(*(side[:7] for side in corpus.test)), contrasts=corpus.contrasts[:5]
        )
        events = list(learn(folder, 1, torch.device("cpu")))
        report = examine(folder, short, time.monotonic() - 2)
    assert isinstance(events[-1], Ended)
    return folder, report


def test_the_report_has_the_fields_that_others_rely_on(demo):
    folder, report = demo
    told = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert set(told) == {"seconds", "bleu", "pronoun_accuracy", "examples", "antecedents"}
    assert set(told["bleu"]) == {"fr-en", "en-fr"}
    assert 0 <= told["pronoun_accuracy"] <= 1
    assert 2 <= told["seconds"] == report.seconds
    assert {"direction", "source", "translation"} == set(told["examples"][0])
    assert set(told["antecedents"]) == {"questions", "heads", "methods", "counterfactual", "explained"}
    assert told["antecedents"]["questions"] == 5
    assert set(told["antecedents"]["counterfactual"]) == {"follows", "stays", "followed", "stayed"}


def test_the_model_and_the_text_files_are_left_beside_the_report(demo):
    folder, _ = demo
    assert (folder / "model" / "model.safetensors").exists()
    assert "fr-en" in (folder / "model" / "README.md").read_text(encoding="utf-8")
    french = (folder / "corpus" / "train.fr").read_text(encoding="utf-8").split("\n")
    english = (folder / "corpus" / "train.en").read_text(encoding="utf-8").split("\n")
    assert len(french) == len(english) > 10_000


def test_pictures_of_the_attention_and_of_the_antecedents_are_drawn(demo):
    folder, report = demo
    pictures = run.draw(folder, report)
    assert pictures == (folder / "attention.png", folder / "antecedents.png")
    for picture in pictures:
        assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("names", [["thesis.txt"], ["corpus/train.fr", "model/model.safetensors"]])
def test_a_folder_with_something_else_in_it_is_not_touched(tmp_path, names):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("years of work", encoding="utf-8")
    with pytest.raises(InputError, match=r"not empty, and not a demo's \(\.regard-demo is missing\)"):
        make_corpus(tmp_path, seed=1)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == names


def test_a_demo_that_was_interrupted_begins_anew_and_leaves_what_is_not_its_own(tmp_path, monkeypatch):
    def interrupted(seed):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run, "demo_corpus", interrupted)
        with pytest.raises(KeyboardInterrupt):
            make_corpus(tmp_path, seed=1)
    for name in ("model/config.json", "corpus/train.fr", "corpus/own.fr"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("of the last time", encoding="utf-8")
    corpus = make_corpus(tmp_path, seed=1)
    assert (tmp_path / "corpus" / "train.fr").read_text(encoding="utf-8").splitlines() == corpus.train.source
    assert (tmp_path / "corpus" / "own.fr").exists()
    assert not (tmp_path / "model").exists()
