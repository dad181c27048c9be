"""The table from formulas to functions: every row is true."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "paper-to-code.md"
PACKAGE = ROOT / "src" / "regard"
COVERED = [  # what the lecture tells, by its formulas
    "E[id]", "√d_model", "PE(pos, 2i)", "PE(pos, 2i+1)", "W_Q", "W_K", "W_V", "q · k", "√d_k", "64 → 8", "softmax",
    "Concat", "W_O", "LayerNorm", "W_1", "-∞", "Figure 1, left", "from the decoder", "E^T", "1 - ε", "warmup", "β_2",
    "length^α", "e_ij", "α_ij", "c_i", "s_i",
]  # fmt: skip


class Row(NamedTuple):
    """A row of the tables."""

    formula: str
    file: str
    function: str
    line: str
    english: str
    korean: str


def rows(page: str) -> list[Row]:
    """The rows of every table of a page."""
    told = []
    for line in re.findall(r"^\| (.*) \|$", page, re.MULTILINE):
        cells = line.split(" | ")
        if cells[0] not in ("formula",):
            formula, where, code, english, korean = cells
            file, _, function = where.strip("`").partition(":")
            told.append(Row(formula, file, function, code[1:-1], english, korean))
    return told


def source_of(path: Path, name: str) -> str:
    """The text of the function, with its docstring. Raises LookupError where there is none of that name."""
    text = path.read_text("utf-8")
    node: ast.AST = ast.parse(text)
    for part in name.split("."):
        inside = [
            child
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.FunctionDef | ast.ClassDef) and child.name == part
        ]
        if not inside:
            raise LookupError(f"{path.name} has no {name}")
        node = inside[-1]  # behind its overloads
    return ast.get_source_segment(text, node) or ""


ROWS = rows(PAGE.read_text("utf-8"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.function}: {row.line[:30]}")
def test_the_line_stands_in_the_function_and_the_row_is_told_in_both_languages(row: Row) -> None:
    assert row.line in source_of(PACKAGE / row.file, row.function)
    assert re.search("[a-z]", row.english)
    assert re.search("[가-힣]", row.korean)


@pytest.mark.parametrize("part", COVERED)
def test_the_table_has_what_the_lecture_tells(part: str) -> None:
    assert any(part in row.formula for row in ROWS)


def test_a_row_that_is_not_true_is_found() -> None:
    [row] = rows("| f | `model/attention.py:attention` | `q @ k` | english | 한국어 |\n")
    assert row.line in source_of(PACKAGE / row.file, row.function)
    assert "k @ q" not in source_of(PACKAGE / row.file, row.function)
    with pytest.raises(LookupError, match="has no Attention"):
        source_of(PACKAGE / row.file, "Attention")


def test_a_row_sees_only_its_own_function() -> None:
    assert "w_o" not in source_of(PACKAGE / "model" / "attention.py", "attention")
