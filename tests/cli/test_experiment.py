"""regard experiment, as it is typed."""

import sys

import pytest

from regard.cli.experiment import EXPERIMENTS, OF_ANY_CORPUS
from regard.experiments import length


@pytest.fixture
def pair_files(tmp_path):
    """A file of two pairs, and one in which no pair is full."""
    (tmp_path / "some.tsv").write_text("un\tone\ndeux\ttwo\n")
    (tmp_path / "none.tsv").write_text("\tone\ndeux\t\n")
    return tmp_path


def test_an_unknown_experiment_is_refused_with_the_names_of_those_there_are(regard):
    ran = regard("experiment", "lenght")
    assert (ran.code, ran.out) == (2, "")
    assert "lenght" in ran.err
    assert all(name in ran.err for name in EXPERIMENTS)


def test_without_a_name_it_says_what_is_missing(regard):
    ran = regard("experiment")
    assert ran.code == 2
    assert "NAME" in ran.err


def test_its_help_says_what_each_experiment_tries(regard):
    shown = " ".join(regard("experiment", "--help").out.split())
    assert all(f"{name} {' '.join(what.split())}" in shown for name, what in EXPERIMENTS.items())


@pytest.mark.parametrize("parts", [["train"], ["train", "test"], ["valid", "test"]])
def test_half_a_corpus_is_refused(regard, pair_files, parts):
    options = [word for part in parts for word in (f"--{part}", pair_files / "some.tsv")]
    ran = regard("experiment", "order", pair_files / "room", *options)
    assert ran.code == 2
    assert "give all of them: --train, --valid and --test" in ran.err
    assert not (pair_files / "room").exists()


def test_a_corpus_in_which_no_pair_is_full_is_refused_by_its_name(regard, pair_files):
    some, none = pair_files / "some.tsv", pair_files / "none.tsv"
    ran = regard("experiment", "missing", pair_files / "room", "--train", some, "--valid", some, "--test", none)
    assert ran.code == 2
    assert f"--test {none}: no pair with something on both sides" in ran.err


@pytest.mark.parametrize("name", sorted(set(EXPERIMENTS) - set(OF_ANY_CORPUS)))
def test_an_experiment_with_sentences_of_its_own_takes_no_corpus(regard, pair_files, name):
    some = pair_files / "some.tsv"
    ran = regard("experiment", name, pair_files / "room", "--train", some, "--valid", some, "--test", some)
    assert ran.code == 2
    assert f"{name} tries sentences of its own" in ran.err


def test_a_run_prints_its_conclusion_and_says_what_was_written(regard, tmp_path, monkeypatch):
    for name, value in {"LENGTHS": (1, 2), "TRAINED": (3,), "TOKENS": 24, "LAYERS": 1, "WIDTH": 64}.items():
        monkeypatch.setattr(length, name, value)
    ran = regard("experiment", "length", tmp_path, "--quick")
    assert ran.code == 0
    assert ran.out.startswith("The claim holds for the steps: 1 layers one after the other for 2 words as for one")
    written = [str(tmp_path / f"length.{kind}") for kind in ("json", "png", "md")]
    assert ran.err.strip().endswith(f"Written: {', '.join(written)}")


def test_without_matplotlib_it_says_so_before_the_work_begins(regard, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    ran = regard("experiment", "length", tmp_path)
    assert ran.code == 2
    assert "regard[plots]" in ran.err
    assert list(tmp_path.iterdir()) == []
