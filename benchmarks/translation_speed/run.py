"""How quickly regard and others translate with the same weights: 1,000 sentences of Multi30k, English to German.

    python benchmarks/translation_speed/run.py

For each size of vocabulary a post-norm model is trained for some minutes and written down twice: as a regard model
(with its shortlist) and as a MarianMT directory, which ct2-transformers-converter turns into int8 and `generate` reads.
Every round runs each system once, in a process of its own, in an order that moves on by one each round. Then a whole
command is timed, from its start to its answer. Writes results.json and results.md next to this file, or into --into,
and says which of the bars are met.
"""

# ruff: noqa: T201

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from as_marian import write_marian
from report import BEAMS, CT2, FAST, GENERATE, TORCH, TUNED, summary, table

from regard.decoding.directory import load
from regard.text.formats import read_pairs

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from machine import MULTI30K, describe, keep, need_multi30k, spread  # noqa: E402

TEST = "test_2016_flickr"
PIECES = 64  # that a translation may have; the longest reference has fewer


class System(NamedTuple):
    """One row of the table."""

    name: str
    file: str
    options: tuple[str, ...] = ()


SYSTEMS = (
    System(FAST, "own_fast.py"),
    System(CT2, "peer_ctranslate2.py"),
    System(TUNED, "peer_ctranslate2.py", ("tuned",)),
    System(TORCH, "own_fast.py", ("torch",)),
    System(GENERATE, "peer_generate.py"),
)


def main() -> None:
    """Prepares, races, writes the results."""
    asked = _parser().parse_args()
    need_multi30k("train.en.gz")
    results = describe(Path(__file__)) | {
        name: getattr(asked, name) for name in ("rounds", "minutes", "lines", "alone")
    }
    results |= {"tried_on": asked.cores, "pieces": PIECES}
    with tempfile.TemporaryDirectory() as name:
        results["models"] = [
            with_vocabulary(size, Path(asked.keep or name) / str(size), asked) for size in asked.vocabulary
        ]
    keep(results, table(results), asked.into)


def with_vocabulary(size: int, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """What was measured with a model of so many pieces."""
    folder.mkdir(parents=True, exist_ok=True)
    measured = prepare(size, folder, asked)
    reference = (folder / "reference.txt").read_text(encoding="utf-8").splitlines()
    for cores in asked.cores:
        rounds = race(folder, cores, asked)
        measured[f"cores_{cores}"] = [summary(system.name, rounds, reference) for system in SYSTEMS]
        measured[f"cold_{cores}"] = cold_start(folder, cores, asked)
    return measured


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Translation speed of regard and its peers.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=20, help="of the training of the model")
    parser.add_argument("--lines", type=int, default=1000)
    parser.add_argument("--alone", type=int, default=100, help="lines that are translated one by one too")
    parser.add_argument("--vocabulary", type=int, nargs="+", default=[16000, 32000], metavar="PIECES")
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--into", type=Path, default=HERE)
    parser.add_argument("--keep", help="a folder for the models; used again where it has them")
    return parser


def prepare(size: int, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """The model in its three forms, the lines and their references; what is to be told of them."""
    test = read_pairs([MULTI30K / f"{TEST}.en.gz", MULTI30K / f"{TEST}.de.gz"])
    for name, side in zip(("source", "reference"), test, strict=True):
        (folder / f"{name}.txt").write_text("".join(f"{line}\n" for line in side[: asked.lines]), encoding="utf-8")
    told = folder / "prepared.json"
    if told.exists():
        return json.loads(told.read_text(encoding="utf-8"))
    files = {kind: [str(MULTI30K / f"{kind}.{side}.gz") for side in ("en", "de")] for kind in ("train", "val")}
    options = ("--preset", "tiny", "--set", "text.tokenizer=bpe", "--set", f"text.vocabulary={size}")
    settings = {"model.norm": "post", "training.validate_every": 500, "training.ema": 0.999, "training.patience": 99}
    settings |= {"training.learning_rate": 3e-3, "training.warmup": 1500, "model.p_drop": 0.1}  # post-norm, few epochs
    options += tuple(word for name, value in settings.items() for word in ("--set", f"{name}={value}"))
    command = [sys.executable, "-m", "regard", "train", str(folder / "model"), "--quiet", *options]
    limit = ["--minutes", str(asked.minutes)]
    subprocess.run([*command, "--train", *files["train"], "--valid", *files["val"], *limit], check=True)
    translator = load(folder / "model")
    write_marian(translator, folder / "model", folder / "marian")
    converter = Path(sys.executable).with_name("ct2-transformers-converter")
    convert = [converter, "--model", folder / "marian", "--output_dir", folder / "ct2", "--quantization", "int8"]
    subprocess.run(convert, check=True)
    proof = folder / "model" / "training" / "shortlist.txt"
    parameters = sum(weight.numel() for weight in translator.model.parameters())
    prepared = {
        "shortlist": proof.read_text(encoding="utf-8").strip(),
        "vocabulary": len(translator.tokenizer.target),
        "parameters": parameters,
    }
    told.write_text(json.dumps(prepared), encoding="utf-8")
    return prepared


def race(folder: Path, cores: int, asked: argparse.Namespace) -> list[dict[str, dict[str, Any]]]:
    """The rounds: what each system told, by its name."""
    task = {"beams": BEAMS, "alone": asked.alone, "pieces": PIECES}
    (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
    told = []
    for number in range(asked.rounds):
        first = number % len(SYSTEMS)
        told.append({system.name: measure(folder, system, cores) for system in SYSTEMS[first:] + SYSTEMS[:first]})
        print(f"{cores} core(s), round {number + 1} of {asked.rounds}")
    return told


def measure(folder: Path, system: System, cores: int) -> dict[str, Any]:
    """What one system tells of one run on so many cores, or the error that it ends with."""
    (folder / "result.json").unlink(missing_ok=True)
    environment = os.environ | {"OMP_NUM_THREADS": str(cores)}
    environment.pop("MKL_NUM_THREADS", None)  # on Intel's it would outrank CTranslate2's intra_threads
    done = subprocess.run(
        [sys.executable, HERE / system.file, folder, *system.options],
        env=environment, capture_output=True, text=True, check=False,
        preexec_fn=_pinned(cores),
    )  # fmt: skip
    if done.returncode or not (folder / "result.json").exists():
        return {"error": (done.stderr.strip() or "no result").splitlines()[-1]}
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


def cold_start(folder: Path, cores: int, asked: argparse.Namespace) -> dict[str, Any]:
    """Seconds from a command to its answer, those of an interpreter that does nothing, and whether PyTorch came in."""
    line = (folder / "source.txt").read_text(encoding="utf-8").splitlines()[0]
    translate = ["translate", str(folder / "model"), line, "--quiet"]
    command = [sys.executable, "-m", "regard", *translate]
    on = f"import sys; from regard.cli import main; main({translate!r}); print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", on], capture_output=True, text=True, check=True).stdout.split()
    kinds = {"seconds": command, "interpreter": [sys.executable, "-c", "pass"]}
    times = {name: [_seconds(kind, cores) for _ in range(1 + 2 * asked.rounds)][1:] for name, kind in kinds.items()}
    return {name: spread(seconds) for name, seconds in times.items()} | {"torch": said[-1] == "True"}


def _seconds(command: list[str], cores: int) -> float:
    """Of a whole process on so many cores."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, preexec_fn=_pinned(cores))
    return time.perf_counter() - began


def _pinned(cores: int) -> Callable[[], None]:
    """What keeps a process on so many cores."""
    chosen = sorted(os.sched_getaffinity(0))[:cores]
    return lambda: os.sched_setaffinity(0, chosen)


if __name__ == "__main__":
    main()
