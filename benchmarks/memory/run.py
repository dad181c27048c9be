"""How much memory `regard translate MODEL < FILE` takes for a million lines, above the loaded model.

    python benchmarks/memory/run.py --model my-demo/model

The command runs as a process of its own and reads its lines from a pipe. The first of them lies there alone until the
model is loaded and the process takes it: its resident memory at that moment is the ground, and how far it rises above
that is measured ten times a second, beside the number of lines that it has answered. The lines are made from the demo's
sentences, one or two of them, so that few are alike; one in twenty is a line that was there before, near or far away,
one in a thousand is empty, and one in a thousand has to be cut. Linux only, since it reads /proc. Without a model, one
is trained for a minute. Writes results.json, results.md and memory.png next to this file, or into --into.
"""

# ruff: noqa: T201

import argparse
import fcntl
import os
import random
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from regard.demo.corpus import demo_corpus
from regard.experiments.figure import SERIES, panels

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from machine import describe, keep, need_proc, sentence  # noqa: E402

BAR = 100  # MiB above the loaded model
EVERY = 0.1  # seconds between two looks
KEPT = 400  # points of the curve in results.json
RECENT = 3000  # lines, of which one may come again
MIB = 2**20


class Look(NamedTuple):
    """The process at one moment."""

    seconds: float  # since it began to read
    lines: int  # that it has answered
    memory: int  # resident, in bytes


def main() -> None:
    """Measures, writes, prints."""
    asked = _parser().parse_args()
    need_proc()
    results = describe(Path(__file__)) | {"lines": asked.lines, "beam": asked.beam, "bar_mib": BAR}
    with tempfile.TemporaryDirectory() as name:
        model = Path(asked.model) if asked.model else train(Path(name))
        looks = watch(model, asked)
    results |= summary(looks)
    keep(results, table(results), asked.into)
    draw(results, asked.into / "memory.png")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Memory of translating a million lines.")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--model", metavar="DIR", help="a model that reads French (default: trained for a minute)")
    parser.add_argument("--direction", metavar="FR-EN", help="of a model that knows several (default: its first)")
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--threads", type=int, help="(default: all cores)")
    parser.add_argument("--into", type=Path, default=HERE)
    return parser


def train(folder: Path) -> Path:
    """A model that has learned from the demo's sentences for a minute."""
    corpus = demo_corpus().train
    for side, lines in zip(("fr", "en"), corpus, strict=True):
        (folder / f"corpus.{side}").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    files = [str(folder / f"corpus.{side}") for side in ("fr", "en")]
    command = [sys.executable, "-m", "regard", "train", str(folder / "model"), "--quiet", "--minutes", "1"]
    subprocess.run([*command, "--train", *files], check=True)
    return folder / "model"


def lines_of(count: int) -> Iterator[str]:
    """The lines that are translated; the same ones in every run."""
    chance, known = random.Random(1), demo_corpus().train.source
    recent: list[str] = []
    for number in range(count):
        if number % 1000 == 500:
            yield ""
        elif number % 1000 == 999:
            yield " ".join(chance.choices(known, k=40))
        elif recent and chance.random() < 0.05:
            yield chance.choice(recent)
        else:
            line = " ".join(chance.choices(known, k=chance.randint(1, 2)))
            if len(recent) < RECENT:
                recent.append(line)
            else:
                recent[number % RECENT] = line
            yield line


def watch(model: Path, asked: argparse.Namespace) -> list[Look]:
    """The process from the moment at which it begins to read to its end."""
    command = [sys.executable, "-m", "regard", "translate", str(model), "--quiet", "--beam", str(asked.beam)]
    command += ["--engine", "ctranslate2"]
    command += ["--direction", asked.direction] if asked.direction else []
    command += ["--threads", str(asked.threads)] if asked.threads else []
    subprocess.run([*command, "un"], check=True, stdout=subprocess.DEVNULL)  # makes the engine, where there is none yet
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    answered, lines = [0], lines_of(asked.lines)
    process.stdin.write(f"{next(lines)}\n".encode())
    process.stdin.flush()
    while _waiting(process) and process.poll() is None:
        time.sleep(0.001)
    began = time.monotonic()
    looks = [Look(0.0, 0, _resident(process))]
    threads = [
        threading.Thread(target=_feed, args=(process, lines), daemon=True),
        threading.Thread(target=_count, args=(process, answered), daemon=True),
    ]
    for thread in threads:
        thread.start()
    while process.poll() is None:
        time.sleep(EVERY)
        if memory := _resident(process):
            looks.append(Look(time.monotonic() - began, answered[0], memory))
            _tell(looks[-1], looks[0], asked.lines)
    for thread in threads:
        thread.join()
    if process.returncode or answered[0] != asked.lines:
        raise SystemExit(f"memory: {answered[0]:,} of {asked.lines:,} lines answered, exit code {process.returncode}")
    return looks


def _feed(process: "subprocess.Popen[bytes]", lines: Iterator[str]) -> None:
    for line in lines:
        process.stdin.write(f"{line}\n".encode())
    process.stdin.close()


def _count(process: "subprocess.Popen[bytes]", answered: list[int]) -> None:
    for _ in process.stdout:
        answered[0] += 1


def _waiting(process: "subprocess.Popen[bytes]") -> int:
    """How many bytes lie in the pipe that the process reads from."""
    return struct.unpack("i", fcntl.ioctl(process.stdin, termios.FIONREAD, b"\0" * 4))[0]


def _resident(process: "subprocess.Popen[bytes]") -> int:
    """Its resident memory in bytes; 0 where it has ended."""
    try:
        pages = Path(f"/proc/{process.pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _tell(look: Look, first: Look, total: int) -> None:
    """Now and then, on stderr, how far it is."""
    if int(look.seconds) % 10 == 0 and look.seconds % 1 < EVERY:
        above = (look.memory - first.memory) / MIB
        print(f"{look.lines:,} of {total:,} lines, {above:.1f} MiB above the loaded model", file=sys.stderr)


def summary(looks: list[Look]) -> dict[str, Any]:
    """What is to be known of the curve, and the curve."""
    loaded, end = looks[0].memory, looks[-1]
    above = np.array([look.memory - loaded for look in looks]) / MIB
    lines = np.array([look.lines for look in looks])
    late = lines >= lines[-1] / 4  # after what every process needs once
    slope = float(np.polyfit(lines[late], above[late], 1)[0]) * 1e5 if len({*lines[late].tolist()}) > 1 else 0.0
    rows = np.unique(np.linspace(0, len(looks) - 1, KEPT).astype(int))
    return {
        "loaded_mib": loaded / MIB,
        "peak_above_mib": float(above.max()),
        "quarter_above_mib": float(above[late][0]),
        "end_above_mib": float(above[-1]),
        "growth_mib_per_100000_lines": slope,
        "seconds": end.seconds,
        "curve": [[round(looks[row].seconds, 2), looks[row].lines, round(float(above[row]), 2)] for row in rows],
    }


def table(results: dict[str, Any]) -> str:
    """results.md"""
    peak, bar = results["peak_above_mib"], results["bar_mib"]
    rest = results["growth_mib_per_100000_lines"]
    verdict = "within" if peak <= bar else "above"
    rows = {
        "resident memory when the model is loaded": f"{results['loaded_mib']:,.0f} MiB",
        "most above that": f"{peak:.1f} MiB, {verdict} the bar of {bar} MiB",
        "above it after a quarter of the lines": f"{results['quarter_above_mib']:.1f} MiB",
        "above it at the end": f"{results['end_above_mib']:.1f} MiB",
        "growth over the last three quarters": f"{rest:+.2f} MiB for 100,000 lines",
        "time": f"{results['seconds']:,.0f} s, {results['lines'] / results['seconds']:,.0f} lines a second",
    }
    lines = [
        f"# Memory of translating {results['lines']:,} lines",
        "",
        f"`regard translate MODEL < FILE` on the fast engine, beam {results['beam']}; resident memory, looked at every "
        f"{EVERY} s. {sentence(results)}",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows.items()),
        "",
        "![resident memory against lines](memory.png)",
    ]
    return "\n".join(lines) + "\n"


def draw(results: dict[str, Any], path: Path) -> None:
    """The curve."""
    figure, (axes,) = panels(f"Translating {results['lines']:,} lines", ["resident memory above the loaded model"])
    figure.set_size_inches(7, 3)
    lines, above = ([row[column] for row in results["curve"]] for column in (1, 2))
    axes.plot(lines, above, color=SERIES[0], linewidth=1.4)
    axes.axhline(results["bar_mib"], color=SERIES[1], linewidth=1, linestyle="--")
    axes.annotate("the bar", (0, results["bar_mib"]), (2, 3), textcoords="offset points", color=SERIES[1], fontsize=8)
    axes.set_ylim(0, 1.15 * max(results["bar_mib"], *above))
    axes.set_xlim(0)
    axes.set_xlabel("lines answered", fontsize=9)
    axes.set_ylabel("MiB", fontsize=9)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    figure.savefig(path)


if __name__ == "__main__":
    main()
