"""The budgets of the house (CONTRIBUTING.md), measured over the package; the measures are tried on wrong code."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "regard"
MODULES = sorted(PACKAGE.rglob("*.py"))
PAGES = sorted(PACKAGE.rglob("*.js"))

FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "constants", "manager", "handler"}
DOORS = {  # library -> the rooms, and no others, that may import it
    "sentencepiece": ["text/tokenizer"],
    "sacrebleu": ["evaluation"],
    "safetensors": ["weights"],
    "rich": ["cli", "demo"],
    "ctranslate2": ["interop/ctranslate2"],
    "matplotlib": ["plots", "looking/plots", "experiments"],
    "fastapi": ["serving"],
    "uvicorn": ["serving"],
    "tensorboard": ["training"],
    "torch.utils.tensorboard": ["training"],
    "backports": ["text/formats"],
    "transformers": [],
    "playwright": [],
    "nbclient": [],
    "ipykernel": [],
    "sphinx": [],
    "furo": [],
    "myst_nb": [],
}


class Function(NamedTuple):
    """The measures of one function."""

    name: str
    lines: int
    parameters: int  # that are not keyword-only; self and cls do not count


def functions(source: str) -> list[Function]:
    """Every function and method, the nested ones too."""
    tree = ast.parse(source)
    methods = {child for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for child in node.body}
    return [
        Function(node.name, _lines(node), _parameters(node, node in methods))
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, method: bool) -> int:
    static = any(isinstance(name, ast.Name) and name.id == "staticmethod" for name in node.decorator_list)
    return len(node.args.posonlyargs) + len(node.args.args) - (method and not static)


def imports(source: str) -> Iterator[str]:
    """The dotted name of everything imported, wherever in the file the import stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def wrong_doors(room: str, source: str) -> list[str]:
    """The libraries that this room imports although they belong to another."""
    return [
        library
        for library, doors in DOORS.items()
        if not any(_inside(room, door, "/") for door in doors)
        and any(_inside(name, library, ".") for name in imports(source))
    ]


def _inside(name: str, whole: str, separator: str) -> bool:
    return name == whole or name.startswith(whole + separator)


def bare_ignores(source: str) -> list[int]:
    """The lines on which the type checker is silenced without saying what it said."""
    return [
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT and re.search(r"type:\s*ignore(?!\[)", token.string)
    ]


def room_of(path: Path) -> str:
    """`text/tokenizer`, for src/regard/text/tokenizer.py."""
    return path.relative_to(PACKAGE).with_suffix("").as_posix().removesuffix("/__init__")


def every_function() -> list[tuple[str, Function]]:
    """All functions of the package, each with its room."""
    return [(room_of(path), function) for path in MODULES for function in functions(path.read_text("utf-8"))]


def test_a_file_has_at_most_320_lines() -> None:
    lengths = {
        path.relative_to(PACKAGE).as_posix(): len(path.read_text("utf-8").splitlines()) for path in MODULES + PAGES
    }
    assert lengths, f"nothing to measure in {PACKAGE}"
    assert {path: length for path, length in lengths.items() if length > 320} == {}


def test_no_function_has_more_than_60_lines() -> None:
    assert [(room, name, lines) for room, (name, lines, _) in every_function() if lines > 60] == []


def test_of_a_hundred_functions_95_have_at_most_40_lines() -> None:
    long = [(room, name, lines) for room, (name, lines, _) in every_function() if lines > 40]
    assert len(long) <= 0.05 * len(every_function()), long


def test_a_function_has_at_most_5_parameters_that_need_no_name() -> None:
    assert [(room, name, count) for room, (name, _, count) in every_function() if count > 5] == []


def test_no_room_has_a_name_that_says_nothing() -> None:
    assert [room_of(path) for path in MODULES if FORBIDDEN_NAMES & set(room_of(path).split("/"))] == []


def test_each_room_is_a_package_since_the_layers_are_checked_in_packages_alone() -> None:
    assert sorted({room_of(path.parent) for path in MODULES if not (path.parent / "__init__.py").exists()}) == []


def test_each_library_is_imported_through_its_own_door() -> None:
    wrong = {room_of(path): wrong_doors(room_of(path), path.read_text("utf-8")) for path in MODULES}
    assert {room: libraries for room, libraries in wrong.items() if libraries} == {}


def test_a_silenced_type_error_is_named() -> None:
    bare = {room_of(path): bare_ignores(path.read_text("utf-8")) for path in MODULES}
    assert {room: lines for room, lines in bare.items() if lines} == {}


def test_the_ruler_counts_the_lines_of_a_function_without_its_decorators() -> None:
    source = "@once\n@twice\ndef f():\n    def g():\n        return 1\n\n    return g\n"
    assert functions(source) == [Function("f", 5, 0), Function("g", 2, 0)]


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("def f(a, b, /, c, *rest, d, **others): ...", 3),
        ("class C:\n    async def f(self, a, b): ...", 2),
        ("class C:\n    @staticmethod\n    def f(a, b): ...", 2),
        ("class C:\n    def f(self):\n        def g(a, b, c): ...", 0),
    ],
)
def test_the_ruler_counts_the_parameters_that_need_no_name(source: str, count: int) -> None:
    assert functions(source)[0].parameters == count


@pytest.mark.parametrize(
    ("room", "source", "wrong"),
    [
        ("text/formats", "import sentencepiece", ["sentencepiece"]),
        ("text/tokenizer", "import sentencepiece", []),
        ("looking/page", "def f():\n    from matplotlib.figure import Figure", ["matplotlib"]),
        ("looking/plots", "import matplotlib.pyplot as plt", []),
        ("serving/api", "from fastapi import FastAPI", []),
        ("decoding/beam", "from torch.utils import tensorboard", ["torch.utils.tensorboard"]),
        ("decoding/beam", "from regard.interop import ctranslate2", []),
        ("decoding/beam", "import richer, torch.utils.data", []),
    ],
)
def test_the_doorkeeper_knows_who_comes_through_the_wrong_door(room: str, source: str, wrong: list[str]) -> None:
    assert wrong_doors(room, source) == wrong


def test_a_type_ignore_with_its_code_passes_and_one_without_is_found() -> None:
    assert bare_ignores('a = 1  # type: ignore[misc]\nb = 2  # type: ignore\nc = "# type: ignore"\n') == [2]


def test_the_map_of_the_room_where_one_looks_names_every_part_of_it_once() -> None:
    looking = PACKAGE / "looking"
    drawn = ast.get_docstring(ast.parse((looking / "__init__.py").read_text("utf-8"))) or ""
    wings = re.findall(r"^    .*?   +(.*)$", drawn, re.MULTILINE)
    named = re.findall(r"[a-z]+(?=[,;]|$)", "\n".join(wings).replace(", for an RNN", ""), re.MULTILINE)
    there = {path.stem for path in looking.iterdir() if path.name[0] not in "_." and path.suffix in (".py", "")}
    assert sorted(named) == sorted(there)
