"""Quality against speed: a teacher and the students that it teaches, on Multi30k, English to German.

    python benchmarks/distillation/run.py --teacher benchmarks/.runs/multi30k-en-de

For each preset: a student that is distilled (`regard distill`), and a twin of the same sizes and the same time of
training that has learned from the corpus alone (`regard train`), so that it is seen what the teacher is worth. All of
them translate test_2016 with the fast engine: BLEU, sentences a second together, milliseconds of one alone. Finished
models are kept in --keep and not trained again. Writes results.json, results.md and distillation.png next to this file,
or into --into.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from regard.decoding.directory import WEIGHTS, load_config
from regard.evaluation import bleu
from regard.experiments.figure import MARKS, SERIES, legend, panels
from regard.interop.engines import pick
from regard.text.formats import Pairs, read_pairs
from regard.weights import load_tensors

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from machine import MULTI30K, ROOT, describe, keep, need_multi30k, sentence, spread  # noqa: E402

ALONE = 100  # sentences that are translated one by one
Row = dict[str, Any]


def main() -> None:
    """Trains what is not there yet, measures, writes, prints."""
    asked = _parser().parse_args()
    need_multi30k(f"train.{asked.text}en.gz")
    test = read_pairs(_files("test_2016_flickr", asked))
    models = {"teacher": asked.teacher} | dict(_students(asked))
    results = describe(Path(__file__)) | {name: getattr(asked, name) for name in ("minutes", "beam", "rounds")}
    results["threads"] = asked.cores
    results["models"] = list(_measured(models, Pairs(*(side[: asked.lines] for side in test)), asked))
    keep(results, table(results), asked.into)
    draw(results, asked.into / "distillation.png")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Quality against speed of distilled students.")
    parser.add_argument("--teacher", type=Path, required=True, metavar="DIR", help="a model that translates en-de")
    parser.add_argument("--presets", nargs="+", default=["student", "tiny"], help="the sizes of the students")
    parser.add_argument("--minutes", type=float, default=30, help="of training, each")
    parser.add_argument("--text", default="lc.norm.tok.", help="between name and language of the files: '' for plain")
    parser.add_argument("--beam", type=int, default=5, help="of the teacher")
    parser.add_argument("--lines", type=int, default=1000, help="that are translated")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--keep", type=Path, default=ROOT / "benchmarks" / ".runs" / "distillation", metavar="DIR")
    parser.add_argument("--into", type=Path, default=HERE)
    return parser


def _files(name: str, asked: argparse.Namespace) -> list[Path]:
    return [MULTI30K / f"{name}.{asked.text}{side}.gz" for side in ("en", "de")]


def _students(asked: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """The name and the directory of each student and of its twin; goes on where one was interrupted."""
    files = ["--train", *_files("train", asked), "--valid", *_files("val", asked)]
    text = load_config(asked.teacher).text
    words = ["--set", f"text.tokenizer={text.tokenizer}", "--set", f"text.vocabulary={text.vocabulary}"]
    for preset in asked.presets:
        limits = ["--preset", preset, "--minutes", asked.minutes]
        taught, twin = asked.keep / f"{preset}-taught", asked.keep / f"{preset}-alone"
        _regard("distill", asked.teacher, taught, *files, *limits, "--beam", asked.beam)
        yield f"{preset}, taught", taught
        _regard("train", twin, *files, *limits, *words, "--set", f"text.joint={str(text.joint).lower()}")
        yield f"{preset}, alone", twin


def _regard(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "regard", *map(str, words)], check=True)


def _measured(models: dict[str, Path], test: Pairs, asked: argparse.Namespace) -> Iterator[Row]:
    """A row for each model and beam; the rounds of all of them are in turns."""
    engines = {
        name: [pick(folder, "cpu", "ctranslate2", threads=asked.cores, one=one).translator for one in (False, True)]
        for name, folder in models.items()
    }
    cases = [(name, beam) for name in models for beam in (1, 5)]
    texts: dict[tuple[str, int], list[str]] = {}
    together: dict[tuple[str, int], list[float]] = {case: [] for case in cases}
    alone: dict[tuple[str, int], list[float]] = {case: [] for case in cases}
    for number in range(asked.rounds):
        first = number % len(cases)
        for name, beam in cases[first:] + cases[:first]:
            many, one = engines[name]
            wish: dict[str, Any] = {"beam_size": beam, "log_probs": False}
            many.translate(test.source[:50], **wish)  # warms up
            began = time.perf_counter()
            texts[name, beam] = [answer.text for answer in many.translate(test.source, **wish)]
            together[name, beam].append(len(test.source) / (time.perf_counter() - began))
            alone[name, beam].append(statistics.median(_alone(one, test.source[:ALONE], wish)))
    for name, beam in cases:
        yield {
            "name": name,
            "beam": beam,
            "parameters": sum(weight.numel() for weight in load_tensors(models[name] / WEIGHTS)[0].values()),
            "layers": _layers(models[name]),
            "bleu": bleu(texts[name, beam], test.target, tokenize="none" if asked.text else "13a").score,
            "sentences_per_second": spread(together[name, beam]),
            "milliseconds_alone": spread(alone[name, beam]),
        }


def _alone(translator: Any, lines: list[str], wish: dict[str, Any]) -> Iterator[float]:
    for line in lines:
        began = time.perf_counter()
        translator.translate(line, **wish)
        yield 1000 * (time.perf_counter() - began)


def _layers(folder: Path) -> str:
    size = load_config(folder).model
    return f"{size.n_encoder_layers}+{size.n_decoder_layers}, d_model {size.d_model}"


def table(results: Row) -> str:
    """results.md"""
    rows = results["models"]
    teacher = {row["beam"]: row for row in rows if row["name"] == "teacher"}
    lines = [
        "# Quality against speed: a teacher and its students",
        "",
        f"Multi30k test_2016_flickr, English to German. A student is distilled from the teacher's beam of "
        f"{results['beam']}, or learns from the corpus alone; {results['minutes']:g} minutes of training each. "
        f"The fast engine, {results['threads']} thread{'s' * (results['threads'] > 1)}, all models in one process; "
        f"median (min to max) of {results['rounds']} interleaved rounds. {sentence(results)}",
        "",
        "| model | layers | parameters | beam | BLEU | to the teacher | sentences/s | times the teacher | alone, ms |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_row(row, teacher[row["beam"]]) for row in rows),
        "",
        "![BLEU against sentences a second](distillation.png)",
    ]
    return "\n".join(lines) + "\n"


def _row(row: Row, teacher: Row) -> str:
    many, alone = row["sentences_per_second"], row["milliseconds_alone"]
    return (
        f"| {row['name']} | {row['layers']} | {row['parameters'] / 1e6:.2f} M | {row['beam']} | {row['bleu']:.2f} "
        f"| {row['bleu'] - teacher['bleu']:+.2f} | {many['median']:,.0f} ({many['min']:,.0f} to {many['max']:,.0f}) "
        f"| {many['median'] / teacher['sentences_per_second']['median']:.2f} "
        f"| {alone['median']:.2f} ({alone['min']:.2f} to {alone['max']:.2f}) |"
    )


def draw(results: Row, path: Path) -> None:
    """Each model at its speed and its quality, greedy and with the beam."""
    figure, (axes,) = panels("A teacher and its students", ["BLEU against speed; greedy is the quicker of two"])
    figure.set_size_inches(7, 4)
    names = list(dict.fromkeys(row["name"] for row in results["models"]))
    for number, name in enumerate(names):
        own = [row for row in results["models"] if row["name"] == name]
        speeds = [row["sentences_per_second"]["median"] for row in own]
        colour, mark = SERIES[number % len(SERIES)], MARKS[number % len(MARKS)]
        axes.plot(speeds, [row["bleu"] for row in own], color=colour, marker=mark, label=name)
    axes.set_xlabel("sentences a second", fontsize=9)
    axes.set_ylabel("BLEU", fontsize=9)
    legend(axes)
    figure.savefig(path)


if __name__ == "__main__":
    main()
