"""What the pages take from the code when they are made, so that it cannot go stale.

A comment in a page, `<!-- KIND: WHAT -->` on a line of its own, is replaced by Markdown:

    options: train       every option of the verb, as its parser has it
    settings: model      every setting of that part of the configuration, with its comment
    presets: all         the sizes that have a name
    tried: length        what the experiment tries, and what came of it, where that is in the repository
    room: looking        the reference of all modules of a room

And `model/attention.py:attention` becomes a link to the reference of it.
"""

import argparse
import ast
import importlib
import io
import re
import tokenize
from pathlib import Path
from typing import Any, NamedTuple

import regard

DOCS = Path(__file__).parent
RESULTS = DOCS / "experiments" / "results"
ROOMS = Path(regard.__file__).parent
PARTS = {"model": "ModelConfig", "text": "TextConfig", "training": "TrainingConfig", "decoding": "DecodingConfig"}
PLACE = re.compile(r"`([\w/]+)\.py:([\w.]+)`")
MARK = re.compile(r"^<!-- (\w+): (\w+) -->$", re.MULTILINE)


def fill(page: str) -> str:
    """The page with its comments replaced. Raises KeyError where one asks for what there is not."""
    makers = {"options": options, "settings": settings, "presets": presets, "tried": tried, "room": room}
    page = PLACE.sub(_link, page)
    return MARK.sub(lambda found: makers[found[1]](found[2]), page)


def _link(place: re.Match[str]) -> str:
    """A link to the function, or to the class that it belongs to; what is private has no reference."""
    name = place[2].split(".")[0]
    shown = f"`{place[1]}.py:` `{place[2]}`"  # a narrow column breaks between the two
    return shown if name.startswith("_") else f"[{shown}](#regard.{place[1].replace('/', '.')}.{name})"


def options(verb: str) -> str:
    """The options of a verb, a table for each group."""
    verbs = argparse.ArgumentParser(prog="regard").add_subparsers()
    importlib.import_module(f"regard.cli.{verb}").add(verbs)
    parser: argparse.ArgumentParser = verbs.choices[verb]
    told = []
    for group in parser._action_groups:  # argparse has no public way to ask
        rows = [_option(action) for action in group._group_actions]
        if rows:
            title = {"positional arguments": "arguments"}.get(group.title or "", group.title or "")
            told.append(f"**{title[0].upper()}{title[1:]}**\n\n{_table(('', ''), rows)}")
    return "\n".join(told)


def _option(action: argparse.Action) -> tuple[str, str]:
    """How an option is written, and what it does."""
    value = action.metavar or (f"{{{','.join(map(str, action.choices))}}}" if action.choices else action.dest.upper())
    value = str(value) + {"+": " ...", "*": " ...", None: ""}.get(action.nargs, "")  # type: ignore[arg-type]
    if not action.option_strings:
        return f"`{value}`", _cell(action.help)
    takes = "" if action.nargs == 0 else f" [{value}]" if action.nargs == "?" else f" {value}"
    return f"`{', '.join(action.option_strings)}{takes}`", _cell(action.help)


def settings(part: str) -> str:
    """The settings of a part: name, default and meaning."""
    rows = [
        (f"`{part}.{field.name}`", f"`{_default(field)}`", _cell(_meaning(field)))
        for field in fields((ROOMS / "config.py").read_text("utf-8"), PARTS[part])
    ]
    return _table(("setting", "default", "meaning"), rows)


class Field(NamedTuple):
    """A field of a dataclass or a named tuple, as its line in the source has it."""

    name: str
    type: str
    default: str
    comment: str


def fields(source: str, name: str) -> list[Field]:
    """The fields of the class of that name."""
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    holder = next(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef) and node.name == name)
    return [
        Field(
            ast.unparse(node.target),
            ast.unparse(node.annotation),
            ast.unparse(node.value) if node.value else "",
            comments.get(node.end_lineno or 0, ""),
        )
        for node in holder.body
        if isinstance(node, ast.AnnAssign)
    ]


def _default(field: Field) -> str:
    """As it is written on a command line."""
    from regard.config import shown

    return shown(ast.literal_eval(field.default))


def _meaning(field: Field) -> str:
    """The comment, and the values that may be chosen."""
    choices = re.fullmatch(r"Literal\[(.*)\]", field.type)
    listed = "one of " + ", ".join(ast.literal_eval(f"[{choices[1]}]")) if choices else ""
    return "; ".join(filter(None, (listed, field.comment)))


def presets(which: str) -> str:
    """Each preset, with its settings; an empty cell: the default, or what the recipe chooses."""
    from regard.config import PRESETS

    names = list(dict.fromkeys(key for sizes in PRESETS.values() for key in sizes))
    rows = [(f"`{name}`", *(_size(sizes.get(key)) for key in names)) for name, sizes in PRESETS.items()]
    return _table(("preset", *names), rows)


def _size(value: Any) -> str:
    """A preset's number; layers as encoder+decoder."""
    return "+".join(map(str, value)) if isinstance(value, tuple) else str(value or "")


def tried(name: str) -> str:
    """What an experiment tries, the command, and its committed result."""
    from regard.cli.experiment import EXPERIMENTS

    told = [
        f"*{EXPERIMENTS[name][0].upper()}{EXPERIMENTS[name][1:]}.*",
        f"```sh\nregard experiment {name} --quick\n```",
    ]
    result = RESULTS / f"{name}.md"
    if result.exists():
        own = re.sub(r"!\[(.*?)\]\((?!\w+:)", r"![\1](experiments/results/", result.read_text("utf-8"))
        told.append(own)
    return "\n\n".join(told)


def room(name: str) -> str:
    """A section for each module of a room, or for the one that it is."""
    place = ROOMS / name
    if not place.is_dir():
        return _module(f"regard.{name}")
    inside = sorted(path for path in place.rglob("*.py") if not path.stem.startswith("_"))
    modules = [path.relative_to(ROOMS).with_suffix("").as_posix().replace("/", ".") for path in inside]
    packages = [path.parent.relative_to(ROOMS).as_posix().replace("/", ".") for path in place.rglob("*/__init__.py")]
    named = {f"regard.{module}" for module in (*modules, *packages)} - {f"regard.{name}"}
    return "\n".join(_module(module) for module in sorted(named))


def _module(name: str) -> str:
    return f"## {name}\n\n```{{eval-rst}}\n.. automodule:: {name}\n```\n"


def _cell(text: Any) -> str:
    """Plain text as the cell of a table."""
    return re.sub(r"([\\`*_|<>\[\]])", r"\\\1", str(text or "").replace("%%", "%"))


def _table(names: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [names, ("---",) * len(names), *(tuple(cell.replace("`|", "`\\|") for cell in row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def setup(app: Any) -> dict[str, bool]:
    """Sphinx asks for it."""

    def read(app: Any, name: str, content: list[str]) -> None:
        content[0] = fill(content[0])

    app.connect("source-read", read)
    return {"parallel_read_safe": True}
