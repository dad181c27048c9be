"""What a table of results says of the machine and of the state of the project."""

import datetime
import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def describe(script: Path) -> dict[str, Any]:
    """Where, when, with what, and by which command."""
    commit = ["git", "-C", ROOT, "describe", "--always", "--dirty"]
    return {
        "command": shlex.join(["python", str(script.resolve().relative_to(ROOT)), *_arguments()]),
        "date": datetime.date.today().isoformat(),
        "commit": subprocess.run(commit, capture_output=True, text=True, check=False).stdout.strip(),
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


def processor() -> str:
    """Its name, where the system tells it."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text(encoding="utf-8").splitlines() if known.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _arguments() -> list[str]:
    """Those of the command line, without the folders of this machine."""
    return [Path(word).name if "/" in word else word for word in sys.argv[1:]]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "is missing"
