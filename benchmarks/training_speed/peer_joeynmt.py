"""JoeyNMT under the stopwatch: `joeynmt train config.yaml --skip-test`, on the text files, with regard's subwords.

Its own code makes the batches: 2,048 pieces of the longer side, since it counts sentences times the longest sentence of
either side; that is the nearest to 4,096 of both. The stopwatch sits in front of its training step.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from joeynmt.__main__ import main as joeynmt
from joeynmt.batch import Batch
from joeynmt.helpers import check_version
from joeynmt.training import TrainManager
from stopwatch import Stopwatch, parameters, read_task, tell


def configuration(folder: Path, task: dict[str, Any]) -> dict[str, Any]:
    """Its configuration file, as its documentation's examples have it."""
    size = task["model"]
    words = {
        "max_length": 250,
        "level": "bpe",
        "voc_file": str(folder / "vocabulary.txt"),
        "tokenizer_type": "sentencepiece",
        "tokenizer_cfg": {"model_file": str(folder / "tokenizer.model")},
    }
    stack = {
        "type": "transformer",
        "num_layers": size["layers"],
        "num_heads": size["n_heads"],
        "embeddings": {"embedding_dim": size["d_model"], "scale": True, "dropout": size["p_drop"]},
        "hidden_size": size["d_model"],
        "ff_size": size["d_ff"],
        "dropout": size["p_drop"],
        "layer_norm": "post",
    }
    return {
        "name": "training_speed",
        "model_dir": str(folder / "joeynmt"),
        "use_cuda": False,
        "random_seed": task["seed"],
        "data": {
            "train": str(folder / "train"),
            "dev": str(folder / "val"),
            "dataset_type": "plain",
            "src": {"lang": "source", **words},
            "trg": {"lang": "target", **words},
        },
        "testing": {"beam_size": 1},
        "training": training(task),
        "model": {"tied_embeddings": True, "tied_softmax": True, "encoder": stack, "decoder": stack},
    }


def training(task: dict[str, Any]) -> dict[str, Any]:
    """The part about the updates."""
    return {
        "optimizer": "adam",
        "adam_betas": [0.9, 0.98],
        "learning_rate": task["learning_rate"],
        "learning_rate_min": 0.0,
        "scheduling": "warmupinversesquareroot",  # it has no constant rate; the rate does not change the speed
        "learning_rate_warmup": 4000,
        "clip_grad_norm": task["clip"],
        "label_smoothing": task["label_smoothing"],
        "normalization": "tokens",
        "batch_size": task["batch_tokens"] // 2,
        "batch_type": "token",
        "epochs": 1000,
        "validation_freq": 1_000_000,  # not before the time is over
        "logging_freq": 100,
        "overwrite": True,
    }


def main() -> None:
    """Trains until the time is over."""
    folder, task = read_task()
    torch.set_num_threads(1)
    watch, sizes, train_step = Stopwatch(task), set[int](), TrainManager._train_step

    def watched(trainer: TrainManager, batch: Batch) -> tuple[float, int]:
        sizes.add(parameters(trainer.model))
        real = int(batch.src_length.sum()) + batch.ntokens
        if not watch.goes_on(real, batch.src.numel() + batch.trg.numel()):
            raise KeyboardInterrupt  # which its loop takes for the end
        return train_step(trainer, batch)

    TrainManager._train_step = watched
    path = folder / "joeynmt.yaml"
    path.write_text(json.dumps(configuration(folder, task)), encoding="utf-8")  # JSON is YAML
    sys.argv[1:] = ["train", str(path), "--skip-test"]
    joeynmt()
    tell(folder, {"version": check_version(), "parameters": sizes.pop()} | watch.result())


if __name__ == "__main__":
    main()
