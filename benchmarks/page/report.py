"""Where and how it was measured, and results.md."""

import datetime
import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from machine import command, commit, processor  # noqa: E402


def describe() -> dict[str, Any]:
    """Where, when and how."""
    return {
        "command": command(HERE / "run.py"),
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "machine": {
            "processor": f"{processor()} ({torch.backends.cpu.get_cpu_capability()})",
            "cores": os.cpu_count(),
            "load": round(os.getloadavg()[0], 1),
        },
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
    }


def table(results: dict[str, Any]) -> str:
    """results.md"""
    machine, usual, wide = results["machine"], results["usual"], results["wide"]
    lines = [
        "# The page: its size, its speed, its exactness",
        "",
        f"{machine['processor']}, {machine['cores']} cores, load {machine['load']} when it began; Chromium "
        f"{results['browser']}, headless, drawn by the processor; torch {results['torch']}, Python "
        f"{results['python']}; {results['date']}, commit {results['commit']}: `{results['command']}`.",
        "",
        "| what | measured | bar |",
        "|---|---|---|",
        f"| the page alone, without data | {results['alone_kb']:.0f} KB | 150 KB |",
        f"| {_look(usual)}: file, with what heads and words are worth | {usual['file_mb']:.2f} MB | 8 MB |",
        f"| the same: first lane painted | {usual['opens_ms']:.0f} ms | 1000 ms |",
        f"| the same: all of the page | {usual['whole_ms']:.0f} ms | |",
        f"| {_look(wide)}: file | {wide['file_mb']:.2f} MB | |",
        f"| the same, hovering over {wide['heads']} heads of the finder: time between frames, median | "
        f"{wide['frame_median']:.1f} ms | 16.7 ms |",
        f"| 95 %, 99 %, the longest of {wide['frame_count']} | {wide['frame_p95']:.1f}, {wide['frame_p99']:.1f}, "
        f"{wide['frame_longest']:.1f} ms | |",
        f"| frames that came late (after 25 ms) | {100 * wide['frame_late']:.1f} % | |",
        f"| with nothing moving, median | {wide['frame_idle']:.1f} ms | |",
        "",
        "Words are counted between spaces. Times of opening are medians; each opening is a new browser context.",
        "",
        "The largest difference over all layers, heads and rows. Page: the page's own modules, in float64, from the q, "
        "k and v that travel; twin: NumPy in float64 from the model's q, k and v; model: its own float32. In brackets: "
        "in parts of the number, where that is above 1. Bar: 1e-5. Up to 30 pieces a side q, k and v travel as "
        "float32; above, where they would be large, as float16, which the check line says.",
        "",
        "| sentences | numbers | page / twin | page / model | twin / model |",
        "|---|---|---|---|---|",
        *(line for case in results["exactness"] for line in _exact(case)),
    ]
    return "\n".join(lines) + "\n"


def _look(shown: dict[str, Any]) -> str:
    words, pieces = shown["words"], shown["pieces"]
    return f"{shown['model']}; {words} + {words} words, {pieces[0]} + {pieces[1]} pieces"


def _exact(case: dict[str, Any]) -> list[str]:
    largest = case["largest"]
    lines = []
    for name in ("weights", "context", "added"):
        cells = []
        for pair in ("page/twin", "page/model", "twin/model"):
            off = largest.get(f"{name}, {pair}")
            cells.append("-" if off is None else f"{off:.1e} ({largest[f'{name}, {pair}, relative']:.1e})")
        first = (
            f"{case['sentences']}: {case['case']}; {case['weights_compared']:,} weights" if name == "weights" else ""
        )
        lines.append(f"| {first} | {_named(name)} | {' | '.join(cells)} |")
    return lines


def _named(name: str) -> str:
    return {"weights": "weights", "context": "z", "added": "what the block adds"}[name]
