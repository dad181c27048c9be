"""The one clock that every system translates under, and the one way in which each tells what it measured."""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def read_task() -> tuple[Path, dict[str, Any], list[str]]:
    """The folder of the run, the task that `run.py` wrote down there, and the lines."""
    folder = Path(sys.argv[1])
    task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    return folder, task, (folder / "source.txt").read_text(encoding="utf-8").splitlines()


def race(
    task: dict[str, Any], lines: list[str], many: Callable[[list[str], int], list[str]], one: Callable[[str, int], str]
) -> dict[str, Any]:
    """Seconds of all lines together and of each of the first alone, by beam, from text to text; what was written."""
    told: dict[str, Any] = {}
    for beam in task["beams"]:
        many(lines[:50], beam)  # warms up
        began = time.perf_counter()
        texts = many(lines, beam)
        together = time.perf_counter() - began
        one(lines[0], beam)
        alone = []
        for line in lines[: task["alone"]]:
            began = time.perf_counter()
            one(line, beam)
            alone.append(time.perf_counter() - began)
        told[str(beam)] = {"together": together, "alone": alone, "texts": texts}
    return told


def tell(folder: Path, version: str, told: dict[str, Any]) -> None:
    """Hands the result to `run.py`."""
    result = {"version": version, "memory_mib": _most_memory(), "beams": told}
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


def _most_memory() -> float:
    """The most that this process had, in MiB. Linux's getrusage may tell of the one that started it."""
    known = Path("/proc/self/status")
    rows = known.read_text(encoding="ascii").splitlines() if known.exists() else []
    own = [int(row.split()[1]) for row in rows if row.startswith("VmHWM:")]
    return (own[0] if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024
