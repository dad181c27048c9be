"""torch.nn.Transformer under the stopwatch, in the plain loop that people write around it.

Everything plain that makes it quicker is on: the fused attention and the fused Adam, dropout only where the paper has
it, no mask for the target's padding, which stands behind everything that looks at it.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from stopwatch import PAD, Pair, drop_nothing_at, finish, read_task, start_alike, started, updates
from torch import Tensor, nn


class Translator(nn.Module):
    """Embeddings and sinusoids, nn.Transformer, and the embeddings again as the output layer."""

    def __init__(self, task: dict[str, Any]) -> None:
        super().__init__()
        size = task["model"]
        d_model, layers = size["d_model"], size["layers"]
        self.pieces = nn.Embedding(task["vocabulary"], d_model, padding_idx=PAD)
        angle = torch.arange(1024)[:, None] * 10000 ** (-torch.arange(0, d_model, 2) / d_model)
        self.register_buffer("positions", torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1))
        self.dropout = nn.Dropout(size["p_drop"])
        self.transformer = nn.Transformer(
            d_model, size["n_heads"], layers, layers, size["d_ff"], size["p_drop"], batch_first=True, norm_first=True
        )
        drop_nothing_at(self.transformer, ".dropout")  # inside the feed-forward
        for module in self.transformer.modules():
            if isinstance(module, nn.MultiheadAttention):
                module.dropout = 0.0
        start_alike(self, task["vocabulary"])

    def embed(self, ids: Tensor) -> Tensor:
        """(batch, position, model)"""
        scale = math.sqrt(self.pieces.embedding_dim)
        return self.dropout(self.pieces(ids) * scale + self.positions[: ids.shape[1]])

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Logits (batch, target, vocabulary)."""
        target_in, padding = started(target), source == PAD
        future = nn.Transformer.generate_square_subsequent_mask(target.shape[1], dtype=torch.bool)
        decoded = self.transformer(
            self.embed(source),
            self.embed(target_in),
            tgt_mask=future,
            src_key_padding_mask=padding,
            memory_key_padding_mask=padding,
            tgt_is_causal=True,
        )
        return F.linear(decoded, self.pieces.weight)


def optimizer_of(model: Translator, task: dict[str, Any]) -> torch.optim.Adam:
    """The paper's Adam, at a constant rate."""
    return torch.optim.Adam(model.parameters(), lr=task["learning_rate"], betas=(0.9, 0.98), eps=1e-9, fused=True)


def train_on(model: Translator, optimizer: torch.optim.Adam, pair: Pair, task: dict[str, Any]) -> None:
    """One update."""
    source, target = pair
    logits = model(source, target).flatten(0, 1)
    smoothing = task["label_smoothing"]
    F.cross_entropy(logits, target.flatten(), ignore_index=PAD, label_smoothing=smoothing).backward()
    nn.utils.clip_grad_norm_(model.parameters(), task["clip"])
    optimizer.step()
    optimizer.zero_grad()


def main() -> None:
    """Trains."""
    folder, task = read_task()
    model = Translator(task).train()
    optimizer = optimizer_of(model, task)
    for [pair] in updates(folder, task):
        train_on(model, optimizer, pair, task)
    finish(folder, task, "torch", model, model)


if __name__ == "__main__":
    main()
