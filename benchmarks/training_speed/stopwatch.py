"""The one clock that every system trains under, and the one way in which each tells what it measured."""

import importlib.metadata
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any


class Stopwatch:
    """Counts the pieces between the end of the warm-up and the end of the time.

    The clock is read where an update begins, and an update counts once the next one begins: all that lies between is
    in the time, the making of the batch included.
    """

    def __init__(self, task: dict[str, Any]) -> None:
        self.warmup, self.seconds, self.most = task["warmup"], task["seconds"], task["updates"]
        self.begun = self.real = self.padded = 0
        self.started = self.now = 0.0

    def goes_on(self, real: int, padded: int) -> bool:
        """An update begins, on so many source and target pieces, without and with padding; False: there is no time left
        for it, or it is one too many."""
        self.now = time.perf_counter()
        if self.begun == self.warmup:
            self.started = self.now
        if self.most and self.begun == self.most:
            return False
        if not self.most and self.begun > self.warmup and self.now - self.started >= self.seconds:
            return False
        if self.begun >= self.warmup:
            self.real, self.padded = self.real + real, self.padded + padded
        self.begun += 1
        return True

    def result(self) -> dict[str, Any]:
        """The figures of this round."""
        seconds = self.now - self.started
        return {
            "tokens_per_second": self.real / seconds,
            "updates": self.begun - self.warmup,
            "seconds": seconds,
            "tokens": self.real,
            "padded_tokens": self.padded,
        }


def read_task() -> tuple[Path, dict[str, Any]]:
    """The folder of the run, which is the only argument, and what `run.py` wrote down there for everyone."""
    folder = Path(sys.argv[1])
    return folder, json.loads((folder / "task.json").read_text(encoding="utf-8"))


def parameters(model: Any) -> int:
    """How many numbers of a model are trained: the same everywhere, if the models are."""
    return sum(weights.numel() for weights in model.parameters() if weights.requires_grad)


def tell(folder: Path, result: dict[str, Any]) -> None:
    """Hands the result to `run.py`, with what it ran on."""
    result = {"python": platform.python_version(), "torch": importlib.metadata.version("torch")} | result
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
