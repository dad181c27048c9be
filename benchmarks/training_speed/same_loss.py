"""Whether regard, which is quicker, learns the same: its loss beside that of a plain loop around torch.nn.Transformer.

    python benchmarks/training_speed/same_loss.py

Both begin with the same weights and read the same batches of Multi30k, French to English; nothing is dropped out, so
that chance has no part in it. regard in float32, in bfloat16, and as it trains on two cores: each batch as two halves,
side by side. A few seeds, each with weights and an order of the batches of its own. No time is measured. Writes
same_loss.json and same_loss.md next to this file, or into --into.
"""

# ruff: noqa: T201

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from own_regard import as_batch, configuration
from peer_torch import Translator, optimizer_of, train_on
from run import TASK, UPDATES, prepare, sizes_of
from stopwatch import Pair, log_loss, started, updates
from torch import nn

from regard.model.attention import MultiHeadAttention
from regard.model.transformer import Transformer
from regard.training.learner import Batch, Learner

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from machine import describe, keep, need_multi30k, sentence  # noqa: E402


class Way(NamedTuple):
    """A way in which regard trains."""

    precision: str
    abreast: int  # parts of a batch that are worked on side by side


BAR = 1.0  # % that the losses may differ by
WAYS = {
    "regard in float32": Way("float32", 1),
    "regard in bfloat16": Way("bfloat16", 1),
    "regard in bfloat16, two halves abreast": Way("bfloat16", 2),
}
PLAIN = "torch.nn.Transformer, plain loop"
CPU = torch.device("cpu")
Row = dict[str, Any]


def main() -> None:
    """Trains, compares, writes."""
    asked = _parser().parse_args()
    need_multi30k("train.fr.gz")
    torch.set_num_threads(1)
    results = describe(Path(__file__)) | {"bar_percent": BAR, "sizes": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        common = TASK | prepare(folder, [1]) | {"cores": 1}
        for size, updates in UPDATES.items():
            task = common | {"updates": asked.updates or updates} | sizes_of(size, p_drop=0.0)
            rows = [row for seed in range(1, 1 + asked.seeds) for row in compared(folder, task, seed)]
            results["sizes"].append({"preset": size, "updates": task["updates"], "rows": rows})
    keep(results, table(results), asked.into, "same_loss")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="The loss of regard beside that of a plain loop.")
    parser.add_argument("--updates", type=int, help="of each model (default: more for a small one)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--into", type=Path, default=HERE)
    return parser


def compared(folder: Path, task: dict[str, Any], seed: int) -> Iterator[Row]:
    """The loss of each system that begins with the weights of this seed, and by how much it differs."""
    task = task | {"seed": seed}
    ours = Transformer(configuration(task).model, task["vocabulary"], task["vocabulary"])
    theirs = Translator(task)
    with torch.no_grad():
        carry(ours, theirs)
    optimizer = optimizer_of(theirs, task)
    for [pair] in shuffled(folder, task, seed):
        train_on(theirs, optimizer, pair, task)
    theirs.eval()
    plain = log_loss(folder, theirs)
    yield {"seed": seed, "name": PLAIN, "log_loss": plain, "differs_percent": 0.0}
    for name, way in WAYS.items():
        config = configuration(task | {"precision": way.precision})
        model = Transformer(config.model, task["vocabulary"], task["vocabulary"])
        model.load_state_dict(ours.state_dict())
        learner = Learner(model, dataclasses.replace(config.training, accumulate=way.abreast), CPU)
        for [pair] in shuffled(folder, task, seed):
            learner.update(parted(as_batch(pair), way.abreast), task["learning_rate"])
        model.eval()
        found = log_loss(folder, lambda source, target, model=model: model(source, started(target)))
        yield {"seed": seed, "name": name, "log_loss": found, "differs_percent": 100 * (found / plain - 1)}
        print(f"seed {seed}, {name}: {found:.4f}; {PLAIN}: {plain:.4f}")


def parted(batch: Batch, parts: int) -> list[Batch]:
    """As many batches, of as many pairs each, or nearly."""
    sides = zip(*(side.tensor_split(parts) for side in batch), strict=True)
    return [Batch(*part) for part in sides]


def shuffled(folder: Path, task: dict[str, Any], seed: int) -> Iterator[list[Pair]]:
    """The batches of the updates, in the order of this seed."""
    batches = list(updates(folder, task))
    order = torch.randperm(len(batches), generator=torch.Generator().manual_seed(seed))
    return (batches[number] for number in order.tolist())


def carry(ours: Transformer, theirs: Translator) -> None:
    """Our weights, into theirs; norms and biases are at their ones and zeros in both."""
    theirs.pieces.weight.copy_(ours.output.weight)
    stacks = theirs.transformer.encoder, theirs.transformer.decoder
    for mine, other in zip((ours.encoder, ours.decoder), stacks, strict=True):
        for own, layer in zip(mine.layers, other.layers, strict=True):
            _attention(own.self_attention, layer.self_attn)
            if hasattr(own, "cross_attention"):
                _attention(own.cross_attention, layer.multihead_attn)
            layer.linear1.weight.copy_(own.feed_forward.w_1.weight)
            layer.linear2.weight.copy_(own.feed_forward.w_2.weight)


def _attention(ours: MultiHeadAttention, theirs: nn.MultiheadAttention) -> None:
    theirs.in_proj_weight.copy_(torch.cat([ours.w_q.weight, ours.w_k.weight, ours.w_v.weight]))
    theirs.out_proj.weight.copy_(ours.w_o.weight)


def table(results: Row) -> str:
    """same_loss.md"""
    most = max(abs(row["differs_percent"]) for size in results["sizes"] for row in size["rows"])
    lines = [
        "# The same loss after the same updates",
        "",
        f"Multi30k French to English, updates of {TASK['batch_tokens']:,} tokens, the same initial weights and the "
        f"same batches, no dropout: -log p of a target piece of the validation set, in nats. The losses differ by "
        f"{most:.2f} % at most; the bar is {BAR:g} %. {sentence(results)}",
        "",
        f"| preset | updates | seed | {PLAIN} | {' | '.join(f'{name} | differs by' for name in WAYS)} |",
        f"|---|---|---|---|{'---|---|' * len(WAYS)}",
    ]
    for size in results["sizes"]:
        for seed in dict.fromkeys(row["seed"] for row in size["rows"]):
            own = {row["name"]: row for row in size["rows"] if row["seed"] == seed}
            cells = [f"{own[name]['log_loss']:.4f} | {own[name]['differs_percent']:+.2f} %" for name in WAYS]
            begin = f"{size['preset']} | {size['updates']} | {seed} | {own[PLAIN]['log_loss']:.4f}"
            lines.append(f"| {begin} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
