"""Every block of code on the pages and in the README is run, read, or exempted by its name."""

import argparse
import ast
import io
import re
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from regard.cli import VERBS, main
from regard.cli import _parser as parser
from regard.config import configure, read_settings

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]
COMMANDS = {"": "sh", "sh": "sh", "console": "console"}  # the README's blocks have no name
EXEMPT = {
    "text",  # what came out once: a listing of files, or numbers of another model
    "{toctree}",  # Sphinx's: its links are checked when the pages are built
}
FILES = ("--html", "--svg", "--png", "--json", "--npz", "--csv", "--word")  # with these, `look` ends by itself


class Block(NamedTuple):
    """A fenced block."""

    page: str
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


class Command(NamedTuple):
    """A line of a shell: one command, its input and output."""

    words: list[str]
    reads: str
    writes: str


def blocks(page: str, text: str) -> Iterator[Block]:
    """The fenced blocks of a page, in their order."""
    for found in re.finditer(r"^(```+|~~~+|:::+)(.*)\n((?:.*\n)*?)\1$", text, re.MULTILINE):
        yield Block(page, text.count("\n", 0, found.start()) + 1, found[2].strip(), found[3])


def commands(text: str) -> Iterator[Command]:
    """The commands of a block, without their comments."""
    for line in text.replace("\\\n", " ").splitlines():
        words, ends = shlex.split(line, comments=True), {"<": "", ">": ""}
        for sign in ends:
            if sign in words:
                place = words.index(sign)
                ends[sign] = words[place + 1]
                del words[place : place + 2]
        if words:
            yield Command(words, ends["<"], ends[">"])


def answers(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a console, and what each is answered."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, answer = part.partition("\n")
        yield command, answer


def literal(line: str) -> Any:
    """The value that a comment at the end of a line tells; ... where it tells none."""
    try:
        return ast.literal_eval(line.rpartition("  # ")[2]) if "  # " in line else ...
    except (ValueError, SyntaxError):
        return ...


def execute(text: str, names: dict[str, Any]) -> None:
    """Runs Python; where a comment behind an expression is a value, that has to be the expression's."""
    for node in ast.parse(text).body:
        if not isinstance(node, ast.Expr):
            exec(compile(ast.Module([node], []), "page", "exec"), names)
            continue
        value = eval(compile(ast.Expression(node.value), "page", "eval"), names)
        wanted = literal(text.splitlines()[(node.end_lineno or 0) - 1])
        assert wanted is ... or value == wanted, f"{ast.unparse(node)} is {value!r}, and not {wanted!r}"


def run(command: Command) -> str:
    """What the command prints, on both streams."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    given, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(Path(command.reads or "/dev/null").read_bytes()))
    try:
        with redirect_stdout(out), redirect_stderr(out):
            main(command.words[1:])
    finally:
        sys.stdin = given
    out.flush()
    return out.buffer.getvalue().decode()


def ends_soon(words: list[str]) -> bool:
    """Whether a command is quick and asks for nothing that is not there."""
    if words[1] == "look":
        return any(word in FILES for word in words)
    return words[1] in ("translate", "score", "evaluate")


EVERY = [block for page in PAGES for block in blocks(page.relative_to(ROOT).as_posix(), page.read_text("utf-8"))]
SHELLS = [block for block in EVERY if COMMANDS.get(block.kind) == "sh"]
CONSOLES = [block for block in EVERY if COMMANDS.get(block.kind) == "console"]


def test_every_block_is_run_or_read_or_exempted_by_its_name() -> None:
    known = {*COMMANDS, "python", "toml", *EXEMPT}
    assert [f"{block}: {block.kind}" for block in EVERY if block.kind not in known] == []


def test_a_block_is_found_with_its_kind_and_its_line() -> None:
    found = list(blocks("page", "a\n\n```sh\nb\n```\n```text\n\n```\n````md\n```sh\n```\n````\n"))
    assert [(block.line, block.kind) for block in found] == [(3, "sh"), (6, "text"), (9, "md")]
    assert found[0].text == "b\n"


@pytest.mark.parametrize("page", sorted({block.page for block in EVERY if block.kind == "python"}))
def test_python_runs_and_gives_the_values_that_its_comments_tell(page: str, folder: Path) -> None:
    names: dict[str, Any] = {}
    for block in EVERY:
        if (block.page, block.kind) == (page, "python"):
            execute(block.text, names)


def test_a_wrong_value_in_a_comment_is_found() -> None:
    execute("a = 1\na + 1  # 2\na + 1  # two\n", {})
    with pytest.raises(AssertionError, match="a \\+ 1 is 2, and not 3"):
        execute("a = 1\na + 1  # 3\n", {})


@pytest.mark.parametrize("block", SHELLS, ids=str)
def test_a_command_is_one_that_there_is(block: Block) -> None:
    for command in commands(block.text):
        CHECKS[command.words[0]](command.words[1:])


def understood(words: list[str]) -> None:
    """The real parser takes the words, and a setting among them exists."""
    asked, rest = parser().parse_known_args(words)
    assert not [word for word in rest if word.startswith("-")]
    given = [setting.partition("=") for setting in getattr(asked, "set", [])]
    configure({"model.architecture": "rnn"} if "my-rnn" in words else {name: value for name, _, value in given})


def made(words: list[str]) -> None:
    """A target of the Makefile."""
    assert re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def script(words: list[str]) -> None:
    """A file of the repository."""
    assert (ROOT / words[0]).is_file()


CHECKS: dict[str, Callable[[list[str]], None]] = {"regard": understood, "make": made, "python": script}


@pytest.mark.parametrize("words", [["look"], ["translate", "--beams", "2"], ["fly", "my-model"]])
def test_a_command_that_there_is_not_is_found(words: list[str]) -> None:
    with pytest.raises((SystemExit, AssertionError, argparse.ArgumentError)):
        understood(words)


@pytest.mark.parametrize("block", [b for b in SHELLS if any(ends_soon(c.words) for c in commands(b.text))], ids=str)
def test_a_quick_command_does_what_it_says(block: Block, folder: Path) -> None:
    for command in commands(block.text):
        if command.words[0] == "regard" and ends_soon(command.words):
            out = run(command)
            assert out or "--quiet" in command.words
            assert not re.search(r"^regard \w+: ", out, re.MULTILINE), out


@pytest.mark.parametrize("block", CONSOLES, ids=str)
def test_a_console_says_what_stands_on_the_page(block: Block, folder: Path) -> None:
    for line, answer in answers(block.text):
        [command] = commands(line)
        pattern = re.escape(answer).replace(re.escape("..."), ".*")
        out = run(command)
        assert re.fullmatch(pattern, out, re.DOTALL), f"{line}\n{out}"


@pytest.mark.parametrize("block", [block for block in EVERY if block.kind == "toml"], ids=str)
def test_a_file_of_settings_can_be_read(block: Block, tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(block.text, encoding="utf-8")
    assert len(configure(read_settings(tmp_path / "settings.toml")).model.__dict__) > 10
    assert tomllib.loads(block.text)


def test_every_verb_has_a_page_of_its_name() -> None:
    assert [verb for verb in VERBS if not (ROOT / "docs" / f"{verb}.md").exists()] == []
    assert [verb for verb in VERBS if f"<!-- options: {verb} -->" not in (ROOT / f"docs/{verb}.md").read_text()] == []
