"""The model card: what a model directory says of itself."""

import dataclasses
import hashlib
import re
import sys
from pathlib import Path

import pytest

from regard.config import configure, read_settings
from regard.training import loop
from regard.training.card import write_card
from regard.training.loop import Ended, read_history, train


@pytest.fixture
def carded(begin):
    """A training of one update, with its card; the run, and what the card says."""

    def make(**settings):
        prepared = begin(training_updates=1, training_validate_pairs=1, **settings)
        assert isinstance(list(train(prepared.run, prepared.learner))[-1], Ended)
        write_card(prepared.run)
        return prepared.run, (prepared.run.folder / "README.md").read_text(encoding="utf-8")

    return make


def test_the_card_says_what_the_model_is_and_how_good(carded):
    run, card = carded()
    head = re.match(r"---\n(.*?)---\n", card, re.DOTALL)[1].splitlines()
    assert "library_name: regard" in head
    assert "pipeline_tag: translation" in head
    assert 'language: ["fr", "en"]' in head  # "no" without its quotes would be false in YAML
    last = read_history(run)[-1]
    assert f"| BLEU, greedy, fr-en | {last['bleu']['fr-en']:.2f} |" in card
    assert f"| -log p a piece, nats | {last['log_loss']:.4f} |" in card
    assert f"sacreBLEU: `{last['signature']}`" in card
    assert "tok:13a" in last["signature"]
    assert "97 sentence pairs" in card
    assert f"# {run.folder.name}\n" in card


@pytest.mark.parametrize(
    ("settings", "tag", "words"),
    [
        ({}, "transformer", "A Transformer that translates"),
        ({"model_architecture": "rnn"}, "rnn", "An RNN that translates"),
    ],
)
def test_the_card_says_what_kind_of_model_it_is(carded, settings, tag, words):
    _, card = carded(**settings)
    assert f"tags: [translation, {tag}]" in card
    assert f"\n{words} (fr-en), trained with regard" in card


def test_the_card_names_the_data_by_the_sum_of_its_lines(carded):
    run, card = carded()
    lines = "".join(f"{source}\t{target}\n" for source, target in zip(*run.train, strict=True))
    assert f"`{hashlib.sha256(lines.encode()).hexdigest()}`" in card


def test_the_settings_on_the_card_are_a_file_that_makes_the_same_configuration(carded, tmp_path):
    run, card = carded(model_d_k=3, training_learning_rate=1e-05)
    (tmp_path / "settings.toml").write_text(re.search("```toml\n(.*?)```", card, re.DOTALL)[1], encoding="utf-8")
    assert configure(read_settings(tmp_path / "settings.toml")) == run.config


def test_the_card_shows_the_learning_curve(carded):
    run, card = carded()
    assert "![learning curve](learning-curve.png)" in card
    assert (run.folder / "learning-curve.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_the_card_has_no_picture(carded, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    run, card = carded()
    assert "learning-curve" not in card
    assert not (run.folder / "learning-curve.png").exists()
    assert "## Settings" in card


def test_a_card_before_the_first_validation_has_no_scores(begin):
    prepared = begin(text_directions=("fr-en", "en-fr"))
    write_card(prepared.run)
    card = (prepared.run.folder / "README.md").read_text(encoding="utf-8")
    assert "## Scores\nNone yet.\n" in card
    assert "translates (fr-en, en-fr)" in card


def test_a_card_written_from_within_its_folder_names_it(begin, monkeypatch):
    prepared = begin()
    monkeypatch.chdir(prepared.run.folder)
    write_card(dataclasses.replace(prepared.run, folder=Path()))
    assert '\nregard translate model "..."\n' in Path("README.md").read_text(encoding="utf-8")


def test_a_card_without_translations_gives_the_log_loss_alone(begin, monkeypatch):
    prepared = begin(training_updates=1)
    monkeypatch.setattr(loop, "measure", lambda *_: loop.Seen(1.25, {}))
    list(train(prepared.run, prepared.learner))
    write_card(prepared.run)
    card = (prepared.run.folder / "README.md").read_text(encoding="utf-8")
    assert "| -log p a piece, nats | 1.2500 |" in card
    assert "BLEU" not in card.split("## Data")[0]
