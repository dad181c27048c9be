"""How quickly regard and others translate with the same weights: 1,000 sentences of Multi30k, English to German.

    python benchmarks/translation_speed/run.py

A post-norm model with a vocabulary of 16,000 pieces is trained for some minutes and written down twice: as a regard
model (with its shortlist) and as a MarianMT directory, which ct2-transformers-converter turns into int8 and `generate`
reads. Every round runs each system once, in a process of its own, in an order that moves on by one each round. Writes
results.json and results.md next to this file.
"""

# ruff: noqa: T201

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from as_marian import begin_with_zero, write_marian

from regard.decoding.directory import load, save
from regard.evaluation import bleu
from regard.interop.shortlist import give_shortlist
from regard.text.formats import read_pairs

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = Path(os.environ.get("REGARD_DATA", ROOT.parent / "shared" / "data")) / "multi30k"
TEST = "test_2016_flickr"
BEAMS = (1, 5)


class System(NamedTuple):
    """One row of the table."""

    name: str
    file: str
    options: tuple[str, ...] = ()


SYSTEMS = (
    System("regard", "own_fast.py"),
    System("ct2-transformers-converter, int8", "peer_ctranslate2.py"),
    System("regard --engine torch", "own_fast.py", ("torch",)),
    System("HF generate", "peer_generate.py"),
)


def main() -> None:
    """Prepares, races, writes the results."""
    asked = _parser().parse_args()
    if not (DATA / "train.en.gz").exists():
        print(f"skipped: no {DATA.name}/train.en.gz; set REGARD_DATA to the folder that holds {DATA.name}/")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(asked.keep or name)
        prepared = prepare(folder, asked)
        results = describe(asked) | prepared
        for cores in asked.cores:
            rounds = race(folder, cores, asked)
            reference = (folder / "reference.txt").read_text(encoding="utf-8").splitlines()
            results[f"cores_{cores}"] = [summary(system, rounds, reference) for system in SYSTEMS]
    (HERE / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (HERE / "results.md").write_text(table(results, asked.cores), encoding="utf-8")
    print(table(results, asked.cores))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Translation speed of regard and its peers.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=20, help="of the training of the model")
    parser.add_argument("--lines", type=int, default=1000)
    parser.add_argument("--alone", type=int, default=100, help="lines that are translated one by one too")
    parser.add_argument("--vocabulary", type=int, default=16000)
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--keep", help="a folder for model and corpus; used again where it has them")
    return parser


def prepare(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """The model in its three forms, the lines and their references; what is to be told of them."""
    test = read_pairs([DATA / f"{TEST}.en.gz", DATA / f"{TEST}.de.gz"])
    for name, side in zip(("source", "reference"), test, strict=True):
        (folder / f"{name}.txt").write_text("".join(f"{line}\n" for line in side[: asked.lines]), encoding="utf-8")
    told = folder / "prepared.json"
    if told.exists():
        return json.loads(told.read_text(encoding="utf-8"))
    files = {kind: [str(DATA / f"{kind}.{side}.gz") for side in ("en", "de")] for kind in ("train", "val")}
    options = ("--preset", "tiny", "--set", "text.tokenizer=bpe", "--set", f"text.vocabulary={asked.vocabulary}")
    settings = {"model.norm": "post", "training.validate_every": 500, "training.ema": 0.999, "training.patience": 99}
    options += tuple(word for name, value in settings.items() for word in ("--set", f"{name}={value}"))
    command = [sys.executable, "-m", "regard", "train", str(folder / "model"), "--quiet", *options]
    limit = ["--minutes", str(asked.minutes)]
    subprocess.run([*command, "--train", *files["train"], "--valid", *files["val"], *limit], check=True)
    translator = load(folder / "model")
    begin_with_zero(translator)
    save(translator, folder / "model")
    write_marian(translator, folder / "model", folder / "marian")
    converter = Path(sys.executable).with_name("ct2-transformers-converter")
    convert = [converter, "--model", folder / "marian", "--output_dir", folder / "ct2", "--quantization", "int8"]
    subprocess.run(convert, check=True)
    verdict = give_shortlist(folder / "model", read_pairs(files["train"]), read_pairs(files["val"]))
    parameters = sum(weight.numel() for weight in translator.model.parameters())
    prepared = {"shortlist": str(verdict), "vocabulary": len(translator.tokenizer.target), "parameters": parameters}
    told.write_text(json.dumps(prepared), encoding="utf-8")
    return prepared


def race(folder: Path, cores: int, asked: argparse.Namespace) -> list[dict[str, dict[str, Any]]]:
    """The rounds: what each system told, by its name."""
    task = {"beams": BEAMS, "alone": asked.alone}
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
    environment = os.environ | {"OMP_NUM_THREADS": str(cores), "MKL_NUM_THREADS": str(cores)}
    chosen = sorted(os.sched_getaffinity(0))[:cores]
    done = subprocess.run(
        [sys.executable, HERE / system.file, folder, *system.options],
        env=environment, capture_output=True, text=True, check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, chosen),
    )  # fmt: skip
    if done.returncode or not (folder / "result.json").exists():
        return {"error": (done.stderr.strip() or "no result").splitlines()[-1]}
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


def describe(asked: argparse.Namespace) -> dict[str, Any]:
    """Where, when and how."""
    commit = ["git", "-C", ROOT, "describe", "--always", "--dirty"]
    known = Path("/proc/cpuinfo")
    lines = known.read_text(encoding="utf-8").splitlines() if known.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "command": shlex.join(["python", "benchmarks/translation_speed/run.py", *sys.argv[1:]]),
        "date": datetime.date.today().isoformat(),
        "commit": subprocess.run(commit, capture_output=True, text=True, check=False).stdout.strip(),
        "machine": f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores",
        "torch": importlib.metadata.version("torch"),
        "rounds": asked.rounds,
        "minutes": asked.minutes,
        "lines": asked.lines,
        "alone": asked.alone,
    }


def summary(system: System, rounds: list[dict[str, Any]], reference: list[str]) -> dict[str, Any]:
    """One system's row: medians and spreads over the rounds."""
    told = [results[system.name] for results in rounds]
    good = [one for one in told if "error" not in one]
    if not good:
        return {"name": system.name, "error": told[0]["error"]}
    row: dict[str, Any] = {"name": system.name, "version": good[0]["version"]}
    row["memory_mib"] = statistics.median(one["memory_mib"] for one in good)
    for beam in map(str, BEAMS):
        own = [one["beams"][beam] for one in good]
        texts = own[0]["texts"]
        same = [
            sum(a == b for a, b in zip(texts, results["regard"]["beams"][beam]["texts"], strict=True))
            for results in rounds[:1]
            if "error" not in results["regard"]
        ]
        row[beam] = {
            "sentences_per_second": _spread([len(texts) / one["together"] for one in own]),
            "milliseconds_alone": _spread([1000 * statistics.median(one["alone"]) for one in own]),
            "bleu": bleu(texts, reference).score,
            "same_as_regard": same[0] / len(texts) if same else None,
        }
    return row


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def table(results: dict[str, Any], cores: list[int]) -> str:
    """results.md"""
    lines = [
        "# Translation speed",
        "",
        f"Multi30k {TEST}, English to German, the first {results['lines']:,} sentences, from text to text. One model, "
        f"4+4 layers, d_model 128, post-norm, {results['vocabulary']:,} pieces, {results['parameters']:,} parameters, "
        f"trained for {results['minutes']:g} minutes, the same weights everywhere. {results['shortlist']}",
        "",
        f"{results['machine']}; torch {results['torch']}; {results['date']}, commit {results['commit']}. Median and "
        f"spread of {results['rounds']} interleaved rounds; alone: the median of {results['alone']} sentences one by "
        f"one. `{results['command']}`",
    ]
    for number in cores:
        for beam in map(str, BEAMS):
            rows = results[f"cores_{number}"]
            lines += [
                "",
                f"## {number} core{'s' if number > 1 else ''}, {'greedy' if beam == '1' else f'beam {beam}'}",
                "",
                "| | sentences/s (min to max) | regard is | one alone, ms (min to max) | regard is | BLEU "
                "| same as regard | memory, MiB |",
                "|---|---|---|---|---|---|---|---|",
                *(_row(row, rows[0], beam) for row in rows),
            ]
    return "\n".join(lines) + "\n"


def _row(row: dict[str, Any], own: dict[str, Any], beam: str) -> str:
    if "error" in row:
        return f"| {row['name']} | did not run: {row['error']} | | | | | | |"
    many, alone = row[beam]["sentences_per_second"], row[beam]["milliseconds_alone"]
    times = ["-", "-"]
    if "error" not in own:
        times[0] = f"{own[beam]['sentences_per_second']['median'] / many['median']:.2f}x"
        times[1] = f"{alone['median'] / own[beam]['milliseconds_alone']['median']:.2f}x"
    same = row[beam]["same_as_regard"]
    return (
        f"| {row['name']} {row['version']} | {many['median']:,.0f} ({many['min']:,.0f} to {many['max']:,.0f}) "
        f"| {times[0]} | {alone['median']:.2f} ({alone['min']:.2f} to {alone['max']:.2f}) | {times[1]} "
        f"| {row[beam]['bleu']:.2f} | {'-' if same is None else f'{same:.1%}'} | {row['memory_mib']:,.0f} |"
    )


if __name__ == "__main__":
    main()
