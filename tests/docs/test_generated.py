"""What the pages take from the code."""

import argparse
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from regard.cli import VERBS
from regard.config import PRESETS, Config, configure, flatten

DOCS = Path(__file__).parents[2] / "docs"


def module(name: str) -> ModuleType:
    """A module of the folder docs."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def generated() -> Iterator[ModuleType]:
    """docs/generated.py"""
    yield module("generated")
    del sys.modules["generated"]


@pytest.fixture
def docstrings(generated: ModuleType) -> Iterator[ModuleType]:
    """docs/docstrings.py"""
    yield module("docstrings")
    del sys.modules["docstrings"]


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_of_a_verb_has_a_row(generated, verb):
    verbs = argparse.ArgumentParser().add_subparsers()
    importlib.import_module(f"regard.cli.{verb}").add(verbs)
    table = generated.options(verb)
    for action in verbs.choices[verb]._actions:
        name = action.option_strings[-1] if action.option_strings else action.metavar or action.dest.upper()
        assert f"{name}" in table
        assert not action.help or action.help.split("(")[0].split("`")[0].split("[")[0].replace("%%", "%")[:12] in table


def test_every_setting_has_a_row_with_its_default(generated):
    tables = "".join(generated.settings(part) for part in generated.PARTS)
    defaults = flatten(Config())
    assert tables.count("\n| `") == len(defaults)
    assert "| `model.d_model` | `512` |  |" in tables
    assert "| `model.d_k` | `auto` | width of a query and of a key; None: d\\_model / n\\_heads |" in tables
    assert "| `text.directions` | `none` |" in tables
    assert "| `training.schedule` | `inverse_sqrt` | one of inverse\\_sqrt, cosine |" in tables


def test_every_preset_has_a_row(generated):
    table = generated.presets("all")
    assert [line.split("`")[1] for line in table.splitlines()[2:]] == list(PRESETS)
    assert "| `base` | 6+6 | 512 | 2048 | 8 |" in table
    assert configure({}).model.d_model == 512


def test_what_a_page_asks_for_and_there_is_not_is_refused(generated):
    assert generated.fill("a\n<!-- a plain comment -->\n") == "a\n<!-- a plain comment -->\n"
    with pytest.raises(KeyError):
        generated.fill("<!-- weather: tomorrow -->\n")


def test_a_place_in_the_code_becomes_a_link_to_what_has_a_reference(generated):
    told = generated.fill("`model/attention.py:Tap.forward`, `decoding/beam.py:_grow`")
    assert told == "[`model/attention.py:` `Tap.forward`](#regard.model.attention.Tap), `decoding/beam.py:` `_grow`"


def test_a_result_is_shown_once_it_is_there(generated, tmp_path, monkeypatch):
    monkeypatch.setattr(generated, "RESULTS", tmp_path)
    assert "regard experiment length --quick" in generated.tried("length")
    (tmp_path / "length.md").write_text("**It grew.**\n\n![a claim](length.png)\n")
    assert "![a claim](experiments/results/length.png)" in generated.tried("length")


def test_every_experiment_has_a_section(generated):
    from regard.cli.experiment import EXPERIMENTS

    page = (DOCS / "experiment.md").read_text("utf-8")
    assert [name for name in EXPERIMENTS if f"## {name}\n" not in page or f"<!-- tried: {name} -->" not in page] == []


def test_signs_of_a_docstring_stand_for_themselves_and_formulas_keep_their_lines(docstrings):
    lines = ["log p / length ** alpha, see `beam_search`.", "", "    a * b", "    c", "", "W_ and |d|"]
    told = docstrings.as_markup(lines)
    assert told[0] == "log p / length \\*\\* alpha, see ``beam_search``."
    assert told[1:] == ["", "", "::", "", "    a * b", "    c", "", "W\\_ and \\|d\\|"]


def test_a_class_tells_its_fields_with_their_comments(docstrings):
    from regard.decoding.hypothesis import Hypothesis

    assert "* ``ids``: without bos; with eos if it is finished" in docstrings.told_fields(Hypothesis)
    assert docstrings.told_fields(int) == []
