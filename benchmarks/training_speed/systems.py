"""What is measured: regard and its peers, each started as a process of its own that trains when it is told to."""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PEERS = ROOT / os.environ.get("PEERS", "benchmarks/training_speed/.peers")


@dataclass(frozen=True)
class System:
    """One row of the table."""

    name: str
    file: str
    python: Path = Path(sys.executable)
    own: bool = False  # regard itself, whose sums depend on the cores that share out an update
    task: dict[str, Any] = field(default_factory=dict)  # what differs from the task of the others
    environment: dict[str, str] = field(default_factory=dict)


GENTLE = {"GOMP_SPINCOUNT": "1000"}  # as the command `regard` sets it
SYSTEMS = (
    System("regard", "own_regard.py", own=True, environment=GENTLE),
    System("regard in float32", "own_regard.py", own=True, environment=GENTLE, task={"precision": "float32"}),
    System("torch.nn.Transformer, plain loop", "peer_torch.py"),
    System("HF MarianMTModel, plain loop", "peer_marian.py"),
    System("OpenNMT-py", "peer_opennmt.py", PEERS / "opennmt/bin/python"),
    System("Eole", "peer_eole.py", PEERS / "eole/bin/python"),
    System("JoeyNMT", "peer_joeynmt.py", PEERS / "joeynmt/bin/python"),
)
Told = dict[str, Any]  # what a system tells, or {"error": why it does not}


class Running:
    """A system at work. It is told when to train, and for how long, and tells in lines of JSON how it went."""

    def __init__(self, system: System, folder: Path, task: dict[str, Any]) -> None:
        self.name = system.name
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  # closed in __exit__
        self.process: subprocess.Popen[str] | None = None
        if not system.python.exists():
            return
        threads = str(task["cores"])
        environment = os.environ | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads} | system.environment
        if system.python != Path(sys.executable):
            environment.pop("PYTHONPATH", None)  # a peer's packages are its own
        self.process = subprocess.Popen(
            [system.python, HERE / system.file, folder, json.dumps(task | system.task)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def read(self) -> Told:
        """Waits for what it tells next."""
        if self.process is None:
            return {"error": "not installed; run benchmarks/training_speed/install_peers"}
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.errors.seek(0)
        said = self.errors.read().strip()
        return {"error": said.splitlines()[-1] if said else "ended without a word"}

    def train(self, seconds: float) -> Told:
        """It trains for so long, and ends the update that it is at."""
        if self.process:
            with suppress(BrokenPipeError):  # it says why where it is read
                print(seconds, file=self.process.stdin, flush=True)
        return self.read()

    def end(self) -> Told:
        """It has trained enough, and tells what it is."""
        self._close()
        return self.read()

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *failure: object) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self._close()
            self.process.stdout.close()
        self.errors.close()

    def _close(self) -> None:
        if self.process:
            with suppress(BrokenPipeError):
                self.process.stdin.close()
