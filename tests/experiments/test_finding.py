"""The frame of all experiments: steps within steps, tables, and the files that are written."""

import json
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from regard.errors import InputError
from regard.experiments.figure import legend, panels
from regard.experiments.finding import Finding, Step, Trial, command, markdown, need_figures, save, share


def part() -> Generator[Step, None, str]:
    yield Step(0.0, "begun")
    yield Step(0.5, "half")
    return "found"


def steps(whole: Generator[Step, None, str]) -> tuple[list[Step], str]:
    """What a generator yields, and what it returns."""
    seen: list[Step] = []
    while True:
        try:
            seen.append(next(whole))
        except StopIteration as end:
            return seen, end.value


def test_the_steps_of_the_third_of_five_parts_lie_between_two_and_three_fifths() -> None:
    assert steps(share(part(), 2, 5, "now")) == ([Step(0.4, "now: begun"), Step(0.5, "now: half")], "found")
    assert steps(share(part(), 0, 1))[0] == [Step(0.0, "begun"), Step(0.5, "half")]


def test_a_table_shows_as_many_digits_as_say_something() -> None:
    row = {
        "text": "a|b",
        "many": 1234567,
        "large": 1234.5,
        "tens": 12.345,
        "small": 0.012345,
        "none": None,
        "yes": True,
    }
    assert markdown([row]).splitlines() == [
        "| text | many | large | tens | small | none | yes |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| a\\|b | 1,234,567 | 1,234 | 12.3 | 0.0123 |  | True |",
    ]


def test_the_command_repeats_what_was_asked() -> None:
    assert command("order", Trial(folder=Path())) == "regard experiment order"
    asked = Trial(folder=Path(), quick=True, seed=7, options=["--train", "my corpus.fr", "b.en"])
    assert command("order", asked) == "regard experiment order --quick --seed 7 --train 'my corpus.fr' b.en"


def test_what_was_found_is_written_as_numbers_as_a_figure_and_as_a_page(tmp_path: Path) -> None:
    drawn = panels("Two lines", ["left", "right"])
    drawn.axes[0].plot([1, 2], [3, 5], label="a line")
    legend(drawn.axes[0])
    found = Finding(
        claim="It holds.", conclusion="It does, in 97 %.", tables={"All of it": [{"words": 2, "ms": 0.5}]},
        figure=drawn.figure,
    )  # fmt: skip
    written = save("length", found, Trial(folder=tmp_path / "new"), 61.24)
    assert [path.name for path in written] == ["length.json", "length.png", "length.md"]
    told = json.loads(written[0].read_text(encoding="utf-8"))
    assert told["tables"] == {"All of it": [{"words": 2, "ms": 0.5}]}
    assert (told["experiment"], told["conclusion"], told["seconds"]) == ("length", "It does, in 97 %.", 61.2)
    assert written[1].read_bytes().startswith(b"\x89PNG")
    page = written[2].read_text(encoding="utf-8")
    assert page.startswith("**It does, in 97 %.**\n\n![It holds.](length.png)\n\nAll of it\n\n| words | ms |\n")
    assert "| 2 | 0.5 |\n\n`regard experiment length`: 61 s on " in page


def test_a_number_that_is_none_is_not_written(tmp_path: Path) -> None:
    found = Finding(claim="", conclusion="", tables={"T": [{"ms": float("nan")}]}, figure=panels("", ["one"]).figure)
    with pytest.raises(ValueError, match="JSON"):
        save("length", found, Trial(folder=tmp_path), 1.0)


def test_without_matplotlib_an_experiment_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    need_figures()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"regard\[plots\]"):
        need_figures()
