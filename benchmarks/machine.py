"""What the benchmarks share: their corpus, what a table says of machine and project, and where it is left."""

# ruff: noqa: T201

import datetime
import importlib.metadata
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MULTI30K = Path(os.environ.get("REGARD_DATA", ROOT.parent / "shared" / "data")) / "multi30k"


def need_multi30k(name: str) -> None:
    """Ends the benchmark, and says so, where the corpus has no file of that name."""
    if not (MULTI30K / name).exists():
        print(f"skipped: no multi30k/{name}; set REGARD_DATA to the folder that holds multi30k/")
        sys.exit()


def need_proc() -> None:
    """Ends the benchmark, and says so, where a process cannot be looked at."""
    if not Path("/proc/self/status").exists():
        print("skipped: this benchmark reads /proc, which this system has not")
        sys.exit()


def describe(script: Path) -> dict[str, Any]:
    """Where, when, with what, and by which command."""
    return {
        "command": command(script),
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
        "ctranslate2": _version("ctranslate2"),
    }


def sentence(told: dict[str, Any]) -> str:
    """`describe`, for a person."""
    return (
        f"{told['processor']}, {told['cores']} cores; torch {told['torch']}, CTranslate2 {told['ctranslate2']}, Python "
        f"{told['python']}; {told['date']}, commit {told['commit']}; load before: {told['load_before']:.1f}: "
        f"`{told['command']}`."
    )


def keep(results: dict[str, Any], told: str, into: Path, name: str = "results") -> None:
    """Writes NAME.json and NAME.md, which is `told`, into the folder, and prints the latter."""
    into.mkdir(parents=True, exist_ok=True)
    (into / f"{name}.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (into / f"{name}.md").write_text(told, encoding="utf-8")
    print(told)


def spread(values: list[float]) -> dict[str, float]:
    """Median, least and most."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def command(script: Path) -> str:
    """What was typed, without the folders of this machine."""
    words = [Path(word).name if "/" in word else word for word in sys.argv[1:]]
    return shlex.join(["python", str(script.resolve().relative_to(ROOT)), *words])


def commit() -> str:
    """The state of the project."""
    git = ["git", "-C", ROOT, "describe", "--always", "--dirty"]
    return subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()


def processor() -> str:
    """Its name, where the system tells it."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text(encoding="utf-8").splitlines() if known.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "is missing"
