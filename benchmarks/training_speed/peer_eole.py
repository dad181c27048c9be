"""Eole under the stopwatch: its configuration, model, loss, optimizer and Trainer, as its train_single.py puts them
together; only the batches are handed to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from eole.config.run import TrainConfig
from eole.inputters.inputter import build_vocab
from eole.models.model import get_model_class
from eole.trainer import build_trainer
from eole.utils.optimizers import Optimizer
from stopwatch import BOS, PAD, Pair, drop_nothing_at, finish, read_task, start_alike, updates
from torch import Tensor


def configuration(folder: Path, task: dict[str, Any]) -> TrainConfig:
    """Its configuration file."""
    size, vocabulary = task["model"], folder / "eole.vocabulary"
    special = ["<blank>", "<unk>", "<s>", "</s>"]
    pieces = special + [f"piece{id}" for id in range(len(special), task["vocabulary"])]
    vocabulary.write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    model = {
        "architecture": "transformer",
        "layers": size["layers"],
        "heads": size["n_heads"],
        "hidden_size": size["d_model"],
        "transformer_ff": size["d_ff"],
        "add_qkvbias": True,
        "add_ffnbias": True,
        "share_embeddings": True,
        "share_decoder_embeddings": True,
        "embeddings": {"word_vec_size": size["d_model"], "position_encoding_type": "SinusoidalInterleaved"},
    }
    training = {
        "optim": "adam",
        "adam_beta2": 0.98,
        "learning_rate": task["learning_rate"],
        "decay_method": "none",
        "learning_rate_decay": 1.0,
        "max_grad_norm": task["clip"],
        "label_smoothing": task["label_smoothing"],
        "normalization": "tokens",
        "dropout": [size["p_drop"]],
        "attention_dropout": [0.0],
        "param_init_method": "xavier_uniform",
        "compute_dtype": "fp32",
        "model_path": str(folder / "eole"),
    }
    return TrainConfig(
        data={},
        src_vocab=str(vocabulary),
        share_vocab=True,
        seed=task["seed"],
        report_every=100,
        model=model,
        training=training,
    )


def as_batch(pair: Pair) -> dict[str, Any]:
    """Its own batch."""
    source, target = pair
    target = torch.cat([torch.full_like(target[:, :1], BOS), target], dim=1)
    parts = {"src": source, "srclen": (source != PAD).sum(dim=1), "tgt": target}
    return parts | {"images": None, "prefix_len": None, "cid": ["train"] * len(source), "cid_line_number": []}


def main() -> None:
    """Trains."""
    folder, task = read_task()
    config = configuration(folder, task)
    vocabularies = build_vocab(config, {"src": [], "tgt": []})
    assert vocabularies["src"]["<blank>"] == PAD
    assert len(vocabularies["src"]) == task["vocabulary"]
    model = get_model_class(config.model).for_training(config.model, vocabularies, config.training, device_id=-1)
    drop_nothing_at(model, "mlp.dropout_1")
    start_alike(model, task["vocabulary"])
    optimizer = Optimizer.from_config(model, config)
    trainer = build_trainer(config, -1, model, vocabularies, optimizer)
    batches: Iterator[tuple[dict[str, Any], int]] = ((as_batch(pair), 0) for [pair] in updates(folder, task))
    trainer.train(batches, train_steps=0, valid_steps=1_000_000)

    def logits(source: Tensor, target: Tensor) -> Tensor:
        batch = as_batch((source, target))
        decoded = model(batch["src"], batch["tgt"], batch["srclen"]).dec_out
        return model.generator(decoded)

    finish(folder, task, "eole", model, logits)


if __name__ == "__main__":
    main()
