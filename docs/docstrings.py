"""Docstrings of the package, which are plain text, as the markup that Sphinx reads.

A word in `backticks` is code, an indented block keeps its lines, and nothing else means anything. A dataclass or a
named tuple also tells its fields, each with the comment on its line.
"""

import dataclasses
import inspect
import re
import sys
from typing import Any

from generated import fields

SIGNS = re.compile(r"([\\*|]|_(?=\W|$)|`)")


def as_markup(lines: list[str]) -> list[str]:
    """The lines, so that each sign stands for itself."""
    told: list[str] = []
    inside = False
    for line in lines:
        indented = line.startswith("    ")
        if indented and not inside:
            told += ["", "::", ""]
        if line.strip():
            inside = indented
        told.append(line if inside else _plain(line))
    return told


def _plain(line: str) -> str:
    parts = re.split(r"`([^`]+)`", line)
    return "".join(SIGNS.sub(r"\\\1", part) if place % 2 == 0 else f"``{part}``" for place, part in enumerate(parts))


def told_fields(holder: type) -> list[str]:
    """A list of the fields of a class; nothing where it has none that say more than their name."""
    own = dataclasses.is_dataclass(holder) or hasattr(holder, "_fields")
    if not own or not holder.__module__.startswith("regard"):
        return []
    found = fields(inspect.getsource(sys.modules[holder.__module__]), holder.__name__)
    return ["", *(f"* ``{one.name}``: {_plain(one.comment)}" for one in found if one.comment), ""]


def setup(app: Any) -> dict[str, bool]:
    """Sphinx asks for it."""

    def process(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
        lines[:] = as_markup(lines)
        if what == "class":
            lines += told_fields(thing)

    def skip(app: Any, what: str, name: str, thing: Any, skipped: bool, options: Any) -> bool | None:
        """The fields are told with their class; what comes from elsewhere is told there."""
        return True if "Alias for field" in str(getattr(thing, "__doc__", "")) else None

    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True}
