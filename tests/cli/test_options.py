"""What every verb understands."""

import os

import pytest

from regard.cli import VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example_and_the_options_that_all_share(regard, verb):
    ran = regard(verb, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert f"\nexample:\n  regard {verb} " in ran.out
    for option in ("--quiet", "--seed N", "--threads N", "--device DEVICE"):
        assert f"\n  {option} " in ran.out


@pytest.mark.parametrize("verb", ["distill", "translate", "look", "evaluate"])
def test_a_beam_that_is_not_asked_for_is_the_models_own(regard, verb):
    assert "1 = greedy (default: the model's)" in " ".join(regard(verb, "--help").out.split())


@pytest.mark.parametrize(
    "command",
    [
        ("demo", ""), ("train", ""), ("train", "new", "--from", ""), ("distill", "", "new"), ("distill", "old", ""),
        ("translate", "", "x"), ("look", "", "x"), ("score", "", "--pairs", "x"), ("evaluate", "", "--test", "x"),
        ("experiment", "order", ""), ("look", "model", "x", "--against-model", ""),
    ],
)  # fmt: skip
def test_a_folder_without_a_name_is_not_the_one_that_one_is_in(regard, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    ran = regard(*command)
    assert (ran.code, ran.out) == (2, "")
    assert "the name is empty" in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("given", "asked"), [(None, "3"), ("2", "2")])
def test_mkls_own_number_of_threads_does_not_outrank_what_the_engine_is_told(regard, monkeypatch, given, asked):
    monkeypatch.setenv("OMP_NUM_THREADS", given or "")
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    if given is None:
        monkeypatch.delenv("OMP_NUM_THREADS")
    assert regard("translate", "--help").code == 0
    assert (os.environ.get("OMP_NUM_THREADS"), "MKL_NUM_THREADS" in os.environ) == (asked, False)
