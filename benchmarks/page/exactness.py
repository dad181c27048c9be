"""The page's numbers beside those of an independent twin, and of the model."""

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from regard.looking.export import page_data
from regard.looking.trace import Attention, Trace

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests" / "looking"))

from twin import recomputed  # noqa: E402

NAMES = ("weights", "context", "added")


def differences(traces: Iterable[Trace]) -> dict[str, Any]:
    """The largest differences over all blocks, heads and rows; in parts of the number, where that is above 1, too."""
    node = shutil.which("node")
    if node is None:
        raise SystemExit("The page's modules are run in node, and it is not here. Install Node.js.")
    told: dict[str, Any] = {"sentences": 0, "weights_compared": 0, "largest": {}}
    command = [node, "--max-old-space-size=4096", str(HERE / "retrace.mjs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        for trace in traces:
            process.stdin.write(page_data([trace], largest=10**9).replace("\n", " ") + "\n")
            process.stdin.flush()
            for block, own in zip(trace.attentions, json.loads(process.stdout.readline()), strict=True):
                _compare(trace, block, own, told["largest"])
                told["weights_compared"] += block.weights.size
            told["sentences"] += 1
        process.stdin.close()
    assert process.returncode == 0
    return told


def _compare(trace: Trace, block: Attention, own: dict[str, Any], largest: dict[str, float]) -> None:
    twin = recomputed(block, post_norm=trace.model.norm == "post", epsilon=trace.model.norm_epsilon)
    for name in NAMES:
        model = getattr(block, name).astype(np.float64)
        numbers = {"twin": twin[name], "model": model}
        if own[name]:
            numbers["page"] = np.frombuffer(base64.b64decode(own[name])).reshape(model.shape)
        scale = np.maximum(1, np.abs(model))
        for first, second in (("page", "twin"), ("page", "model"), ("twin", "model")):
            if first not in numbers:
                continue
            off = np.abs(numbers[first] - numbers[second])
            for key, value in (
                (f"{name}, {first}/{second}", off),
                (f"{name}, {first}/{second}, relative", off / scale),
            ):
                largest[key] = max(largest.get(key, 0.0), float(value.max()))
