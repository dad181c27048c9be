"""HF transformers under the stopwatch: MarianMTModel in the plain loop that people write around it.

Everything plain that makes it quicker is on: the fused attention and no mask where the causal one is enough, the fused
Adam, no key/value cache, the loss on the logits at once (the model's own has no label smoothing).
"""

import itertools
from typing import Any

import torch
import torch.nn.functional as F
import transformers
from stopwatch import Stopwatch, parameters, read_task, tell
from torch import Tensor

PAD, BOS, EOS = 0, 2, 3  # regard's


def new_model(task: dict[str, Any]) -> transformers.MarianMTModel:
    """The same model: post-norm, sinusoids, one matrix for both embeddings and the output layer."""
    size = task["model"]
    config = transformers.MarianConfig(
        vocab_size=task["vocabulary"],
        encoder_layers=size["layers"],
        decoder_layers=size["layers"],
        d_model=size["d_model"],
        encoder_ffn_dim=size["d_ff"],
        decoder_ffn_dim=size["d_ff"],
        encoder_attention_heads=size["n_heads"],
        decoder_attention_heads=size["n_heads"],
        dropout=size["p_drop"],
        activation_function="relu",
        scale_embedding=True,
        pad_token_id=PAD,
        eos_token_id=EOS,
        forced_eos_token_id=EOS,
        decoder_start_token_id=BOS,
        attn_implementation="sdpa",
    )
    return transformers.MarianMTModel(config)


def logits(model: transformers.MarianMTModel, source: Tensor, target: Tensor) -> Tensor:
    """A row a position of the target. Its padding needs no mask: it stands behind what looks at it."""
    start = torch.full_like(target[:, :1], BOS)
    target_in = torch.cat([start, target[:, :-1]], dim=1)
    out = model(source, attention_mask=source != PAD, decoder_input_ids=target_in, use_cache=False)
    return out.logits.flatten(0, 1)


def main() -> None:
    """Trains until the time is over."""
    folder, task = read_task()
    torch.set_num_threads(1)
    torch.manual_seed(task["seed"])
    model = new_model(task).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=task["learning_rate"], betas=(0.9, 0.98), eps=1e-9, fused=True)
    smoothing = task["label_smoothing"]

    watch = Stopwatch(task)
    for source, target in itertools.cycle(torch.load(folder / "train.pt")):
        real = int((source != PAD).sum() + (target != PAD).sum())
        if not watch.goes_on(real, source.numel() + target.numel()):
            break
        scores = logits(model, source, target)
        F.cross_entropy(scores, target.flatten(), ignore_index=PAD, label_smoothing=smoothing).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), task["clip"])
        optimizer.step()
        optimizer.zero_grad()

    result = {"version": transformers.__version__, "parameters": parameters(model)} | watch.result()
    if task["updates"]:
        result["log_loss"] = log_loss(model, torch.load(folder / "val.pt"))
    tell(folder, result)


def log_loss(model: transformers.MarianMTModel, batches: list[tuple[Tensor, Tensor]]) -> float:
    """-log p of a target piece of the validation set, in nats."""
    model.eval()
    total = tokens = 0
    with torch.inference_mode():
        for source, target in batches:
            scores = logits(model, source, target)
            total += F.cross_entropy(scores, target.flatten(), ignore_index=PAD, reduction="sum").item()
            tokens += int((target != PAD).sum())
    return total / tokens


if __name__ == "__main__":
    main()
