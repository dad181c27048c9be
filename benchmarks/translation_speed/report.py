"""results.md: the table of each number of cores and beam, and the bars that they are held against."""

import operator
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sacrebleu.significance import PairedTest, Result

from regard.evaluation import bleu, bleu_with

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from machine import sentence, spread

FAST, TORCH, GENERATE = "regard", "regard --engine torch", "HF generate"
CT2 = "ct2-transformers-converter, int8"
TUNED = f"{CT2}, one thread for one sentence"
BEAMS = (1, 5)
LARGE = 16_000  # pieces, from which a sentence alone has to be twice as quick
RESAMPLES = 1000  # that tell whether a difference of BLEU may be chance
Told = dict[str, Any]


class Bar(NamedTuple):
    """Something that was to be reached, and what was."""

    what: str
    wanted: str
    reached: str
    met: bool


def summary(name: str, rounds: list[Told], reference: list[str]) -> Told:
    """One system's row: medians and spreads over the rounds."""
    told = [results[name] for results in rounds]
    good = [one for one in told if "error" not in one]
    if not good:
        return {"name": name, "error": told[0]["error"]}
    row: Told = {"name": name, "version": good[0]["version"]}
    row["memory_mib"] = statistics.median(one["memory_mib"] for one in good)
    for beam in map(str, BEAMS):
        own = [one["beams"][beam] for one in good]
        texts = own[0]["texts"]
        ours = next((one[FAST]["beams"][beam]["texts"] for one in rounds if "error" not in one[FAST]), None)
        row[beam] = {
            "sentences_per_second": spread([len(texts) / one["together"] for one in own]),
            "milliseconds_alone": spread([1000 * statistics.median(one["alone"]) for one in own]),
            "bleu": bleu(texts, reference).score,
            "longest": max(map(len, texts)),
            "same_as_regard": sum(map(operator.eq, texts, ours)) / len(texts) if ours else None,
            "chance": chance(texts, ours, reference) if ours and name == CT2 else None,
        }
    return row


def chance(one: list[str], other: list[str], reference: list[str]) -> float:
    """p of a paired bootstrap (Koehn, 2004): how likely systems as good as each other differ in BLEU by so much."""
    if one == other:
        return 1.0
    both: list[tuple[str, Sequence[str]]] = [("one", one), ("other", other)]
    _, scores = PairedTest(both, {"BLEU": bleu_with("13a")}, [reference], test_type="bs", n_samples=RESAMPLES)()
    verdict = scores["BLEU"][1]
    assert isinstance(verdict, Result)
    assert verdict.p_value is not None
    return verdict.p_value


def bars(model: Told, cores: list[int]) -> Iterator[Bar]:
    """Every bar that could be measured with a model."""
    for number in cores:
        rows = {row["name"]: row for row in model[f"cores_{number}"] if "error" not in row}
        for beam in map(str, BEAMS):
            yield from _against(rows, beam, _where(number, beam), model["vocabulary"])
        cold = model[f"cold_{number}"]
        reached = f"{cold['seconds']['median']:.2f} s, {'with' if cold['torch'] else 'no'} torch in sys.modules"
        met = cold["seconds"]["median"] <= 0.7 and not cold["torch"]
        yield Bar(f"cold start, {number} core{'s' * (number > 1)}", "<= 0.7 s, no torch", reached, met)


def _where(cores: int, beam: str) -> str:
    return f"{cores} core{'s' * (cores > 1)}, {'greedy' if beam == '1' else f'beam {beam}'}"


def _against(rows: Told, beam: str, where: str, vocabulary: int) -> Iterator[Bar]:
    """regard's two engines against the peers; of CTranslate2 with one thread, the single sentences."""
    wanted = ((FAST, CT2, 1.3, 2.0), (FAST, TUNED, None, 2.0), (FAST, GENERATE, 8.0, 8.0), (TORCH, GENERATE, 2.0, 2.0))
    for name, other, least, lone in wanted:
        if name not in rows or other not in rows:
            continue
        one, two, what = rows[name][beam], rows[other][beam], f"{name} against {other}, {where}"
        many = one["sentences_per_second"]["median"] / two["sentences_per_second"]["median"]
        alone = two["milliseconds_alone"]["median"] / one["milliseconds_alone"]["median"]
        if least is not None:
            yield Bar(f"{what}: together", f">= {least:g} x", f"{many:.2f} x", many >= least)
        if other not in (CT2, TUNED) or vocabulary >= LARGE:
            yield Bar(f"{what}: alone", f">= {lone:g} x", f"{alone:.2f} x", alone >= lone)
        if other == CT2:
            apart = one["bleu"] - two["bleu"]
            yield Bar(f"{what}: BLEU", "within 0.1", f"{apart:+.2f} (p = {two['chance']:.2f})", abs(apart) <= 0.1)


def table(results: Told) -> str:
    """results.md"""
    lines = [
        "# Translation speed",
        "",
        f"Multi30k test_2016_flickr, English to German, the first {results['lines']:,} sentences, from text to text. "
        f"Models of 4+4 layers, d_model 128, post-norm, trained for {results['minutes']:g} minutes each, the same "
        f"weights everywhere. Median and spread of {results['rounds']} interleaved rounds; alone: the median of "
        f"{results['alone']} sentences one by one. Everybody may write {results['pieces']} pieces a sentence at "
        f"most, so that a model which repeats itself costs all the same. p: how likely translations as good as each "
        f"other differ in BLEU by so much, by {RESAMPLES:,} paired resamples (Koehn, 2004). {sentence(results)}",
    ]
    for model in results["models"]:
        lines += ["", f"## {model['vocabulary']:,} pieces", ""]
        lines += [f"{model['parameters']:,} parameters. {model['shortlist']}"]
        for number in results["tried_on"]:
            for beam in map(str, BEAMS):
                rows = model[f"cores_{number}"]
                lines += [
                    "",
                    f"### {model['vocabulary']:,} pieces, {_where(number, beam)}",
                    "",
                    "| | sentences/s (min to max) | regard is | one alone, ms (min to max) | regard is | BLEU "
                    "| longest answer, characters | same as regard | memory, MiB |",
                    "|---|---|---|---|---|---|---|---|---|",
                    *(_row(row, rows[0], beam) for row in rows),
                ]
        lines += ["", *_cold(model, results["tried_on"]), "", *_bars(model, results["tried_on"])]
    return "\n".join(lines) + "\n"


def _row(row: Told, own: Told, beam: str) -> str:
    if "error" in row:
        return f"| {row['name']} | did not run: {row['error']} | | | | | | | |"
    many, alone = row[beam]["sentences_per_second"], row[beam]["milliseconds_alone"]
    times = ["-", "-"]
    if "error" not in own:
        times[0] = f"{own[beam]['sentences_per_second']['median'] / many['median']:.2f}x"
        times[1] = f"{alone['median'] / own[beam]['milliseconds_alone']['median']:.2f}x"
    same = row[beam]["same_as_regard"]
    return (
        f"| {row['name']} {row['version']} | {many['median']:,.0f} ({many['min']:,.0f} to {many['max']:,.0f}) "
        f"| {times[0]} | {alone['median']:.2f} ({alone['min']:.2f} to {alone['max']:.2f}) | {times[1]} "
        f"| {row[beam]['bleu']:.2f} | {row[beam]['longest']:,} | {'-' if same is None else f'{same:.1%}'} "
        f"| {row['memory_mib']:,.0f} |"
    )


def _cold(model: Told, cores: list[int]) -> Iterator[str]:
    yield f"### {model['vocabulary']:,} pieces: from a command to its answer"
    yield ""
    yield '`regard translate MODEL "..."`, the whole process, wall time; the interpreter alone takes the second.'
    yield ""
    yield "| cores | s (min to max) | `python -c pass`, s | torch in sys.modules |"
    yield "|---|---|---|---|"
    for number in cores:
        cold = model[f"cold_{number}"]
        seconds, bare = cold["seconds"], cold["interpreter"]
        times = f"{seconds['median']:.2f} ({seconds['min']:.2f} to {seconds['max']:.2f})"
        yield f"| {number} | {times} | {bare['median']:.2f} | {'yes' if cold['torch'] else 'no'} |"


def _bars(model: Told, cores: list[int]) -> Iterator[str]:
    reached = list(bars(model, cores))
    yield f"### {model['vocabulary']:,} pieces: {sum(bar.met for bar in reached)} of {len(reached)} bars are met"
    yield ""
    yield "| | wanted | reached | |"
    yield "|---|---|---|---|"
    for bar in reached:
        yield f"| {bar.what} | {bar.wanted} | {bar.reached} | {'met' if bar.met else '**missed**'} |"
