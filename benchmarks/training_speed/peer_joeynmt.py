"""JoeyNMT under the stopwatch: its model, loss, TrainManager and loop; only the batches are handed to it."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from joeynmt.batch import Batch
from joeynmt.config import parse_test_args, parse_train_args
from joeynmt.model import Model, build_model
from joeynmt.training import TrainManager
from joeynmt.vocabulary import Vocabulary
from stopwatch import BOS, EOS, PAD, UNK, Pair, drop_nothing_at, finish, read_task, start_alike, updates
from torch import Tensor

CPU = torch.device("cpu")


def new_model(task: dict[str, Any]) -> Model:
    """The model of its configuration file, over the same pieces."""
    size = task["model"]
    names = ("unk", "pad", "bos", "eos")  # in the order of its own ids
    special = {f"{name}_token": f"<{name}>" for name in names} | {f"{name}_id": id for id, name in enumerate(names)}
    pieces = [f"piece{id}" for id in range(len(names), task["vocabulary"])]
    vocabulary = Vocabulary(pieces, SimpleNamespace(**special, lang_tags=[], sep_token=None, sep_id=None))
    vocabulary.pad_index, vocabulary.unk_index = PAD, UNK
    stack = {
        "type": "transformer",
        "num_layers": size["layers"],
        "num_heads": size["n_heads"],
        "embeddings": {"embedding_dim": size["d_model"], "scale": True, "dropout": size["p_drop"]},
        "hidden_size": size["d_model"],
        "ff_size": size["d_ff"],
        "dropout": size["p_drop"],
        "layer_norm": "pre",
    }
    tied = {"tied_embeddings": True, "tied_softmax": True}
    model = build_model({**tied, "encoder": stack, "decoder": stack}, vocabulary, vocabulary)
    model.loss_function = ("crossentropy", task["label_smoothing"])
    drop_nothing_at(model, "_att.dropout", "pwff_layer.2")
    start_alike(model, task["vocabulary"])
    return model


def new_trainer(model: Model, folder: Path, task: dict[str, Any]) -> TrainManager:
    """The trainer of its configuration file."""
    training = {
        "optimizer": "adam",
        "adam_betas": [0.9, 0.98],
        "learning_rate": task["learning_rate"],
        "learning_rate_min": 0.0,
        "scheduling": "exponential",  # it refuses none at all
        "decrease_factor": 1.0,
        "clip_grad_norm": task["clip"],
        "normalization": "tokens",
        "batch_size": task["batch_tokens"],
        "epochs": 1,
        "logging_freq": 100,
        "validation_freq": 1_000_000,  # not before the time is over
    }
    return TrainManager(
        rank=0,
        model=model,
        model_dir=folder,
        device=CPU,
        autocast={"device_type": "cpu", "enabled": False},
        seed=task["seed"],
        train_args=parse_train_args(training),
        dev_args=parse_test_args({}, mode="train"),
    )


def as_batch(pair: Pair) -> Batch:
    """Its own batch, as its collate function makes it."""
    source, target = pair
    target = torch.cat([torch.full_like(target[:, :1], BOS), target], dim=1)
    lengths = (source != PAD).sum(dim=1)
    return Batch(source, lengths, None, target, None, torch.arange(len(source)), CPU, PAD, EOS)


class Corpus:
    """What its loop asks of a data set and of its iterator: the batches, and a sampler, which has nothing to choose."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self.batches = batches
        self.batch_sampler = SimpleNamespace(set_seed=lambda seed: None, get_state=lambda: None)

    def make_iter(self, **options: Any) -> "Corpus":
        """The iterator."""
        return self

    def __iter__(self) -> Iterator[Batch]:
        return self.batches


def main() -> None:
    """Trains."""
    folder, task = read_task()
    model = new_model(task)
    trainer = new_trainer(model, folder, task)
    trainer._save_checkpoint = lambda *score: None  # at the end of its loop
    corpus = Corpus(as_batch(pair) for [pair] in updates(folder, task))
    trainer.train_and_validate(corpus, corpus)

    def logits(source: Tensor, target: Tensor) -> Tensor:
        batch = as_batch((source, target))
        return model._encode_decode(**vars(batch))[0]

    finish(folder, task, "joeynmt", model, logits)


if __name__ == "__main__":
    main()
