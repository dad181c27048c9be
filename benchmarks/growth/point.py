"""One point of a curve, in a process of its own: `run.py` tells it what to do and reads how long it took, and how much
memory."""

# ruff: noqa: T201

import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from operations import Pieces

from regard.config import EOS, Config, DecodingConfig, configure
from regard.decoding.pytorch import PyTorchEngine
from regard.decoding.sentences import Sentence
from regard.model.transformer import Transformer
from regard.text.tokenizer import Tokenizer
from regard.training.learner import Learner
from regard.training.replica import Batch
from regard.weights import weights_of

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from words import Words

CPU = torch.device("cpu")
PRODUCTS = (512, 1024, 2048)  # widths of the square matrices of which the quickest product is the peak


def main() -> None:
    """Does what the first argument says, and prints what came of it."""
    task = json.loads(sys.argv[1])
    torch.set_num_threads(task["threads"])
    torch.manual_seed(1)
    torch.mm(torch.ones(256, 256), torch.ones(256, 256))  # what PyTorch needs for itself is no part of it
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the most that it had begins anew
    ground = _status("VmRSS")
    told = {"peak": peak, "encode": encode, "update": update, "translate": translate, "fast": fast}[task["kind"]](task)
    print(json.dumps(told | {"memory_mib": (_status("VmHWM") - ground) / 1024}))


def _status(field: str) -> int:
    """Of this process, in KiB: VmRSS, the memory that it has now, VmHWM, the most that it had."""
    rows = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith(f"{field}:"))


def clocked(do: Callable[[], Any], repeats: int) -> dict[str, Any]:
    """The seconds of each time, after one that warms up."""
    do()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        do()
        seconds.append(time.perf_counter() - began)
    return {"seconds": seconds}


def peak(task: dict[str, Any]) -> dict[str, Any]:
    """The most operations a second of a matrix product that the machine shows."""
    if task["precision"] == "8 bits":
        product, dtype, sums = torch._int_mm, torch.int8, torch.int32
    else:
        product, dtype = torch.mm, getattr(torch, task["precision"])
        sums = dtype
    best = 0.0
    for width in PRODUCTS:
        x, w = (torch.ones(width, width, dtype=dtype) for _ in range(2))
        out = torch.empty(width, width, dtype=sums)
        times = clocked(lambda x=x, w=w, out=out: product(x, w, out=out), task["repeats"])["seconds"]
        best = max(best, 2 * width**3 / min(times))
    return {"operations_per_second": best}


def configuration(task: dict[str, Any]) -> Config:
    """The sizes of the task, pre-norm, and the precision."""
    sizes = {f"model.{name}": value for name, value in task["sizes"].items()}
    return configure(sizes | {"model.norm": "pre", "training.precision": task.get("precision", "float32")})


def model_of(task: dict[str, Any]) -> Transformer:
    """Fresh weights."""
    return Transformer(configuration(task).model, task["vocabulary"], task["vocabulary"])


def random_ids(task: dict[str, Any], rows: int, length: int) -> torch.Tensor:
    """Rows of pieces that end with the end."""
    ids = torch.randint(EOS + 1, task["vocabulary"], (rows, length))
    ids[:, -1] = EOS
    return ids


def encode(task: dict[str, Any]) -> dict[str, Any]:
    """The encoder reads sentences of one length."""
    model = model_of(task).eval()
    pieces = Pieces(*task["pieces"])
    source = random_ids(task, pieces.sentences, pieces.source)
    with torch.inference_mode():
        return clocked(lambda: model.encode(source), task["repeats"])


def update(task: dict[str, Any]) -> dict[str, Any]:
    """Whole training updates, each batch on a thread of its own."""
    config, pieces, threads = configuration(task), Pieces(*task["pieces"]), task["threads"]
    training = dataclasses.replace(config.training, accumulate=threads)
    learner = Learner(model_of(task), training, CPU)
    batches = []
    for _ in range(threads):
        source = random_ids(task, pieces.sentences // threads, pieces.source)
        target = random_ids(task, pieces.sentences // threads, pieces.target)
        batches.append(Batch(source, torch.cat([torch.full_like(target[:, :1], 2), target[:, :-1]], dim=1), target))
    return clocked(lambda: learner.update(batches, 1e-4), task["repeats"])


def _sentences(task: dict[str, Any]) -> tuple[list[Sentence], DecodingConfig]:
    """What is translated greedily, until every target has as many pieces as it may."""
    pieces = Pieces(*task["pieces"])
    rows = random_ids(task, pieces.sentences, pieces.source).tolist()
    config = DecodingConfig(beam_size=1, max_length=pieces.target, max_ratio=float(pieces.target))
    return [Sentence(tuple(row)) for row in rows], config


def translate(task: dict[str, Any]) -> dict[str, Any]:
    """The PyTorch engine, float32."""
    model = model_of(task).eval()
    _never_end(model)
    engine, (sentences, config) = PyTorchEngine(model), _sentences(task)
    written = [len(found[0].ids) for found in engine.search(sentences, config)]
    return clocked(lambda: engine.search(sentences, config), task["repeats"]) | {"written": sum(written)}


def fast(task: dict[str, Any]) -> dict[str, Any]:
    """The fast engine, in 8 bits, without a shortlist."""
    from regard.interop.ctranslate2 import CTranslate2Engine, Threads, write_engine

    config = configuration(task)
    words = Words(task["vocabulary"])
    tokenizer = Tokenizer(words, words)
    model = model_of(task)
    _never_end(model)
    arrays = {name: weight.detach().numpy().astype(np.float32) for name, weight in weights_of(model).items()}
    with tempfile.TemporaryDirectory() as name:
        write_engine(arrays, config, tokenizer, Path(name), quantization="int8")
        engine = CTranslate2Engine(Path(name), tokenizer, config, Threads(task["threads"], 1))
    sentences, decoding = _sentences(task)

    def search() -> int:
        return sum(len(found[0].ids) for found in engine.search(sentences, decoding, log_probs=False))

    written = search()
    return clocked(search, task["repeats"]) | {"written": written}


@torch.no_grad()
def _never_end(model: Transformer) -> None:
    """Makes the end the last that the model would write, so that every target has its full length: what the output
    layer reads leans to one side, by the bias of the last norm, and the vector of the end to the other."""
    weights = dict(model.named_parameters())
    bias = weights["decoder.norm.bias"]
    bias.fill_(1.0)
    model.output.weight[EOS] = -1.0


if __name__ == "__main__":
    main()
