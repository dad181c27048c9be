"""The lecture, without running it: a notebook as it should be committed, and nothing in it that there is not.

`scripts/docs` runs it from top to bottom.
"""

import ast
import importlib
import re
import sys
from pathlib import Path

import nbformat
import pytest

from regard.cli.experiment import EXPERIMENTS
from regard.config import Config, flatten

ROOT = Path(__file__).parents[1]
LECTURE = ROOT / "docs" / "lecture.ipynb"
GUESTS = {"IPython", "matplotlib", "numpy", "torch"}  # libraries that come with regard[all]
HANGUL = re.compile("[가-힣]")


@pytest.fixture(scope="module")
def book():
    """The notebook, in the format that it says it has."""
    return nbformat.read(LECTURE, as_version=nbformat.NO_CONVERT)


@pytest.fixture(scope="module")
def trees(book):
    """The code of each cell, by the cell's name."""
    return {cell.id: ast.parse(cell.source, cell.id) for cell in book.cells if cell.cell_type == "code"}


@pytest.fixture(scope="module")
def prose(book):
    """All that is said between the cells of code."""
    return "\n\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")


def imported(trees):
    """(module, name) of everything imported; the name is empty where it is the module itself."""
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, "") for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((node.module, alias.name) for alias in node.names)


def test_it_is_a_notebook_with_a_name_for_each_cell_and_python_for_its_kernel(book):
    nbformat.validate(book)
    assert (book.nbformat, book.nbformat_minor) == (4, 5)
    assert book.metadata.kernelspec.name == "python3"
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", cell.id) for cell in book.cells), "names, not random numbers"


def test_it_is_committed_without_what_a_run_leaves_in_it(book):
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert code
    assert [cell.id for cell in code if cell.outputs or cell.execution_count is not None] == []
    assert [cell.id for cell in book.cells if set(cell.metadata) - {"tags"}] == [], "nor what an editor does"


def test_every_cell_of_code_is_python_without_magic(book, trees):
    for name, tree in trees.items():
        assert tree.body, f"{name} is empty"
        compile(tree, name, "exec")


def test_it_imports_what_there_is_and_what_is_public(trees):
    for module, name in imported(trees):
        found = importlib.import_module(module)
        assert not re.search(r"(^|\.)_", f"{module}.{name}"), f"{module}.{name} is private"
        assert not name or hasattr(found, name), f"there is no {module}.{name}"


def test_it_needs_nothing_that_does_not_come_with_regard(trees):
    libraries = {module.partition(".")[0] for module, _ in imported(trees)}
    assert "regard" in libraries
    assert libraries <= {"regard", *GUESTS, *sys.stdlib_module_names}


def test_it_asks_for_settings_that_there_are(trees):
    known = flatten(Config())
    words = {node.value for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    asked = {word for word in words if isinstance(word, str) and re.fullmatch(r"(model|training)\.[a-z_]+", word)}
    assert {"model.d_k", "training.updates"} <= asked
    assert asked <= set(known)


def test_its_training_is_limited_by_updates_so_that_its_results_repeat(trees):
    pairs = [
        (key.value, value.value)
        for node in ast.walk(trees["train"])
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(value, ast.Constant)
    ]
    given = dict(pairs)
    assert given["training.minutes"] == 0
    assert given["training.updates"] > 0
    assert "training.seed" in given


def test_every_heading_is_in_english_and_in_korean(prose):
    headings = re.findall(r"^#+ (.+)$", prose, flags=re.MULTILINE)
    assert len(headings) > 13
    for heading in headings:
        english, dot, korean = heading.partition(" · ")
        assert dot, heading
        assert HANGUL.search(korean), heading
        assert not HANGUL.search(english), heading


def test_the_experiments_and_files_that_it_names_are_there(prose):
    said = re.findall(r"`regard experiment ([a-z]+)`", prose)
    [listed] = re.findall(r"`regard experiment length`((?:, `[a-z]+`)+)", prose)
    assert {*said, *re.findall("[a-z]+", listed)} == set(EXPERIMENTS)
    files = re.findall(r"`((?:src|docs|tests)/[\w/.]+)`", prose)
    assert files
    assert [file for file in files if not (ROOT / file).exists()] == []
