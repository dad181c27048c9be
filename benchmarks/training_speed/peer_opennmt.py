"""OpenNMT-py under the stopwatch: its options, model, loss, optimizer and Trainer, as its train_single.py puts them
together; only the batches are handed to it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import torch
from stopwatch import BOS, PAD, Pair, drop_nothing_at, finish, read_task, start_alike, updates
from torch import Tensor

for name in ("ahocorasick", "fasttext", "rapidfuzz", "spacy"):
    sys.modules[name] = MagicMock()  # of its filters: all of them are imported, and none is used here

from onmt import opts  # noqa: E402
from onmt.inputters.inputter import build_vocab  # noqa: E402
from onmt.model_builder import build_model  # noqa: E402
from onmt.trainer import build_trainer  # noqa: E402
from onmt.utils.optimizers import Optimizer  # noqa: E402
from onmt.utils.parse import ArgumentParser  # noqa: E402


def options(folder: Path, task: dict[str, Any]) -> Any:
    """Its options, from its command line."""
    size, vocabulary = task["model"], folder / "opennmt.vocabulary"
    d_model = size["d_model"]
    special = ["<blank>", "<unk>", "<s>", "</s>"]
    pieces = (f"piece{id}\n" for id in range(len(special), task["vocabulary"]))
    vocabulary.write_text("".join(pieces), encoding="utf-8")
    words = f"""
        -data unused -src_vocab {vocabulary} -share_vocab -default_specials {" ".join(special)}
        -encoder_type transformer -decoder_type transformer -position_encoding
        -share_embeddings -share_decoder_embeddings -add_qkvbias -param_init_glorot -param_init 0
        -layers {size["layers"]} -heads {size["n_heads"]} -hidden_size {d_model} -word_vec_size {d_model}
        -transformer_ff {size["d_ff"]} -dropout {size["p_drop"]} -attention_dropout 0
        -optim adam -adam_beta2 0.98 -learning_rate {task["learning_rate"]} -decay_method none
        -learning_rate_decay 1 -max_grad_norm {task["clip"]} -label_smoothing {task["label_smoothing"]}
        -normalization tokens -report_every 100 -seed {task["seed"]}
    """
    parser = ArgumentParser()
    opts.train_opts(parser)
    read = parser.parse_args(words.split())
    ArgumentParser.update_model_opts(read)
    ArgumentParser.validate_model_opts(read)
    ArgumentParser.validate_train_opts(read)
    read.data, read.data_task = {}, read.model_task
    return read


def as_batch(pair: Pair) -> dict[str, Tensor]:
    """Its own batch: (batch, position, feature)."""
    source, target = pair
    target = torch.cat([torch.full_like(target[:, :1], BOS), target], dim=1)
    return {"src": source[:, :, None], "srclen": (source != PAD).sum(dim=1), "tgt": target[:, :, None]}


def main() -> None:
    """Trains."""
    folder, task = read_task()
    read = options(folder, task)
    vocabularies = build_vocab(read, {"src": [], "tgt": []})
    assert vocabularies["src"]["<blank>"] == PAD
    assert len(vocabularies["src"]) == task["vocabulary"]
    model = build_model(read, read, vocabularies, None, -1)
    drop_nothing_at(model, "feed_forward.dropout_1")
    start_alike(model, task["vocabulary"])
    trainer = build_trainer(read, -1, model, vocabularies, Optimizer.from_opt(model, read))
    batches: Iterator[tuple[dict[str, Tensor], int]] = ((as_batch(pair), 0) for [pair] in updates(folder, task))
    trainer.train(batches, train_steps=0, valid_steps=1_000_000)

    def logits(source: Tensor, target: Tensor) -> Tensor:
        batch = as_batch((source, target))
        decoded, _ = model(batch["src"], batch["tgt"], batch["srclen"])
        return model.generator(decoded)

    finish(folder, task, "OpenNMT-py", model, logits)


if __name__ == "__main__":
    main()
