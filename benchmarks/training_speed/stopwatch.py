"""The one clock that every system trains under, and the one way in which each tells what it measured.

`run.py` starts a system as a process of its own and hands it the folder of the batches and its task. The system trains
for as long as it is told to, and waits when it is not: so all of them can be at hand, and take turns.
"""

import importlib.metadata
import itertools
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

PAD, UNK, BOS, EOS = range(4)  # regard's ids, which are those of the batches
Pair = tuple[Tensor, Tensor]  # source and target pieces, the end of each sentence included, filled up with PAD

_report = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # what a system prints is no report


def read_task() -> tuple[Path, dict[str, Any]]:
    """The folder of the batches, and what to do with them; sets the threads and the seed."""
    folder, task = Path(sys.argv[1]), json.loads(sys.argv[2])
    torch.set_num_threads(task["cores"])
    torch.manual_seed(task["seed"])
    return folder, task


def updates(folder: Path, task: dict[str, Any], abreast: int = 1) -> Iterator[list[Pair]]:
    """The pairs of each update, as `abreast` batches that have `batch_tokens` together.

    Where the task is a number of updates, so many; else, after the warm-up, a line with a number of seconds on the
    standard input starts the clock, and the first update to end after them stops it. What lies between is all in the
    time, the making of the system's own batch included; loading is not.
    """
    batches = torch.load(folder / f"train-{task['batch_tokens'] // abreast}.pt")
    groups = itertools.cycle(zip(*[iter(batches)] * abreast, strict=False))
    if task["updates"]:
        yield from map(list, itertools.islice(groups, task["updates"]))
        return
    yield from map(list, itertools.islice(groups, task["warmup"]))
    tell({"ready": True})
    for line in sys.stdin:
        began, seconds, count, pieces = time.perf_counter(), 0.0, 0, 0
        while seconds < float(line):
            pairs = list(next(groups))
            yield pairs
            seconds = time.perf_counter() - began
            count, pieces = count + 1, pieces + sum(int((side != PAD).sum()) for pair in pairs for side in pair)
        tell({"updates": count, "tokens": pieces, "seconds": seconds})


def log_loss(folder: Path, logits: Callable[[Tensor, Tensor], Tensor]) -> float:
    """-log p of a target piece of the validation set, in nats; `logits` are a row a target position, the model in its
    mode of evaluation."""
    total = pieces = 0.0
    with torch.inference_mode():
        for source, target in torch.load(folder / "val.pt"):
            rows = logits(source, target).flatten(0, -2).float()
            total += F.cross_entropy(rows, target.flatten(), ignore_index=PAD, reduction="sum").item()
            pieces += int((target != PAD).sum())
    return total / pieces


def started(target: Tensor) -> Tensor:
    """What the decoder reads: the start, then the target without its last position."""
    return torch.cat([torch.full_like(target[:, :1], BOS), target[:, :-1]], dim=1)


def drop_nothing_at(model: torch.nn.Module, *endings: str) -> None:
    """Turns off the dropout of the modules whose names end so: inside the attention and the feed-forward, where the
    paper has none, and where it costs the others time."""
    for name, module in model.named_modules():
        if name.endswith(endings):
            module.p = 0.0


@torch.no_grad()
def start_alike(model: torch.nn.Module, vocabulary: int) -> None:
    """Draws the initial weights from regard's distributions, so that what was learned can be compared: N(0, 1/d_model)
    for the embeddings, Glorot's uniform one for each matrix, zeros for the biases."""
    for name, weight in model.named_parameters():
        if weight.requires_grad and weight.dim() == 2 and len(weight) == vocabulary:
            torch.nn.init.normal_(weight, std=weight.shape[1] ** -0.5)[PAD] = 0
        elif weight.requires_grad and weight.dim() == 2:
            for matrix in weight.chunk(3 if "in_proj" in name else 1):  # q, k and v, where they are one
                torch.nn.init.xavier_uniform_(matrix)
        elif name.endswith("bias"):
            weight.zero_()


def finish(
    folder: Path,
    task: dict[str, Any],
    package: str,
    model: torch.nn.Module,
    logits: Callable[[Tensor, Tensor], Tensor],
    *,
    note: str = "float32",
) -> None:
    """The last report: the versions, the size of the model, and after a number of updates its loss."""
    result = {
        "note": note,
        "version": importlib.metadata.version(package),
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
        "parameters": sum(weight.numel() for weight in model.parameters() if weight.requires_grad),
    }
    if task["updates"]:
        model.eval()
        result["log_loss"] = log_loss(folder, logits)
    tell(result)


def tell(result: dict[str, Any]) -> None:
    """A line to `run.py`."""
    print(json.dumps(result), file=_report)
