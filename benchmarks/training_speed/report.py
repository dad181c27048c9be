"""results.md, and what it says of the machine."""

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from machine import commit, processor

NOT_RUN = {  # a peer -> why it is not among the systems
    "fairseq 0.12.2": "installs, but cannot be imported on Python 3.11 (mutable default <class "
    "'fairseq.dataclass.configs.CommonConfig'> for field common is not allowed)",
    "Marian (pymarian 1.12.42)": "installs and trains on a CPU, but takes neither the same tensors nor turns: its "
    "Trainer reads text files, batches them itself, and runs from its beginning to its end",
}


def describe() -> dict[str, Any]:
    """Where, and of which state of the project."""
    return {
        "commit": commit(),
        "machine": {"processor": _with_instructions(), "cores": os.cpu_count(), "system": platform.system()},
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
    }


def _with_instructions() -> str:
    """The processor's name, and what of its instructions matters to matrix products."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text(encoding="utf-8").splitlines() if known.exists() else []
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
    wide = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags]
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{processor()} ({', '.join(wide) or 'no AVX'}; PyTorch uses {capability})"


def table(results: dict[str, Any]) -> str:
    """results.md"""
    task, machine = results["task"], results["machine"]
    words = [
        "# Training speed",
        f"Multi30k French to English, joint vocabulary of {task['vocabulary']:,} pieces, updates of "
        f"{task['batch_tokens']:,} tokens (source + target, padding included), the same tensors for all; regard on "
        f"several cores works on as many smaller batches of the same sum side by side. Tokens are source and target "
        f"pieces without padding, the end of each sentence included. Adam, constant rate {task['learning_rate']:g}, "
        f"gradients cut at {task['clip']:g}, label smoothing {task['label_smoothing']:g}, pre-norm (MarianMTModel: "
        f"post-norm), dropout 0.1 on embeddings and on what a layer adds, no running average of the weights. Each "
        f"system has its own trainer, loss and optimizer, where there are such.",
        f"{machine['processor']}, {machine['cores']} cores; torch {results['torch']}, Python {results['python']}; "
        f"{results['date']}, commit {results['commit']}; load before: {results['load_before']:.1f}. Median and spread "
        f"of {results['rounds']} rounds, in which the systems took turns of {results['seconds']:g} s and the update "
        f"begun in them: `{results['command']}`.",
        "The loss is -log p of a target piece of the validation set, in nats, after as many updates as stated, each "
        "system from its own draw of the same distributions of weights; on more cores only regard's sums differ.",
        *(_section(size, by_cores) for size in results["tables"] for by_cores in size["by_cores"]),
    ]
    if NOT_RUN:
        words.append("Not run: " + "; ".join(f"{name}: {why}" for name, why in NOT_RUN.items()) + ".")
    return "\n\n".join(words) + "\n"


def _section(size: dict[str, Any], by_cores: dict[str, Any]) -> str:
    """The table of one model on so many cores."""
    model, cores, rows = size["model"], by_cores["cores"], by_cores["systems"]
    peers = {row["name"]: row["median"] for row in rows if not row["own"] and "median" in row}
    best = max(peers, key=peers.__getitem__, default="")
    lines = [
        f"## {size['name']} on {cores} core{'s' * (cores > 1)}: {model['layers']}+{model['layers']} layers, d_model "
        f"{model['d_model']}, d_ff {model['d_ff']}, {model['n_heads']} heads",
        "",
        f"| | products, batches | parameters | tokens/s, median (min to max) | of the quickest peer | "
        f"log-loss after {size['updates']} updates |",
        "|---|---|---|---|---|---|",
        *(_row(row, peers.get(best)) for row in rows),
    ]
    return "\n".join(lines)


def _row(row: dict[str, Any], best: float | None) -> str:
    if "error" in row:
        return f"| {row['name']} | did not run: {row['error']} | | | | |"
    loss = "-" if row["log_loss"] is None else f"{row['log_loss']:.3f}"
    share = f"{row['median'] / best:.2f} x" if best else "-"
    return (
        f"| {row['name']} {row['version']} | {row['note']} | {row['parameters'] / 1e6:.2f} M "
        f"| {row['median']:,.0f} ({row['min']:,.0f} to {row['max']:,.0f}) | {share} | {loss} |"
    )
