"""HF transformers under the stopwatch: MarianMTModel in the plain loop that people write around it.

Everything plain that makes it quicker is on: the fused attention and no mask where the causal one is enough, the fused
Adam, no key/value cache, the loss on the logits at once (the model's own has no label smoothing). It is post-norm.
"""

from typing import Any

import torch
import torch.nn.functional as F
import transformers
from stopwatch import BOS, EOS, PAD, finish, read_task, start_alike, started, updates
from torch import Tensor


def new_model(task: dict[str, Any]) -> transformers.MarianMTModel:
    """The same model but for its norm: sinusoids, one matrix for both embeddings and the output layer."""
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
    model = transformers.MarianMTModel(config)
    start_alike(model, task["vocabulary"])
    return model


def main() -> None:
    """Trains."""
    folder, task = read_task()
    model = new_model(task).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=task["learning_rate"], betas=(0.9, 0.98), eps=1e-9, fused=True)
    smoothing = task["label_smoothing"]

    def logits(source: Tensor, target: Tensor) -> Tensor:
        mask = source != PAD  # the target's padding needs none: it stands behind what looks at it
        return model(source, attention_mask=mask, decoder_input_ids=started(target), use_cache=False).logits

    for [(source, target)] in updates(folder, task):
        rows = logits(source, target).flatten(0, 1)
        F.cross_entropy(rows, target.flatten(), ignore_index=PAD, label_smoothing=smoothing).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), task["clip"])
        optimizer.step()
        optimizer.zero_grad()
    finish(folder, task, "transformers", model, logits)


if __name__ == "__main__":
    main()
