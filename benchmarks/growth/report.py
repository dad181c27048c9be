"""results.md and growth.png."""

import math
import sys
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from regard.experiments.figure import MARKS, SERIES, legend
from regard.plots import HAIR, INK, PAPER, SOFT

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from machine import sentence

KINDS = {"update": "training update", "translate": "greedy translation", "fast": "greedy translation, fast engine"}
EIGHT_UNMEASURED = " Operations in 8 bits are set against the peak of float32: above 100 % is possible."
Told = dict[str, Any]


def table(results: Told) -> str:
    """results.md"""
    reference, batch = results["reference"], results["batch"]
    return "\n".join(
        [
            "# How cost grows",
            "",
            f"The reference model: {reference['n_encoder_layers']}+{reference['n_decoder_layers']} layers, d_model "
            f"{reference['d_model']}, d_ff {reference['d_ff']}, {reference['n_heads']} heads, "
            f"{reference['vocabulary']:,} pieces, pre-norm, random weights. An update, and a translation, is of "
            f"{batch['sentences']} sentences of {batch['source']} and {batch['target']} pieces, without padding. "
            f"Median (fastest to slowest). Memory: the most that a process had above PyTorch itself. "
            f"{sentence(results)}",
            "",
            "![time, memory, and the share of the peak](growth.png)",
            "",
            *_lengths(results["lengths"]),
            "",
            *_growth(results["growth"]),
            "",
            *_tokens(results["tokens"]),
            "",
            *_shares(results),
            "",
        ]
    )


def slope(points: list[tuple[float, float]]) -> float:
    """The power with which y grows between the last two points: log y against log x."""
    (x_1, y_1), (x_2, y_2) = points[-2:]
    return math.log(y_2 / y_1) / math.log(x_2 / x_1)


def _lengths(rows: list[Told]) -> list[str]:
    power = slope([(row["length"], row["seconds"]) for row in rows])
    counted = slope([(row["length"], row["operations"]) for row in rows])
    return [
        "## The encoder, one sentence, one thread",
        "",
        "| pieces | ms | operations, millions | GFLOP/s | memory, MiB |",
        "|---|---|---|---|---|",
        *(
            f"| {row['length']:,} | {_times(row)} | {row['operations'] / 1e6:,.0f} "
            f"| {row['operations'] / row['seconds'] / 1e9:.1f} | {row['memory_mib']:,.0f} |"
            for row in rows
        ),
        "",
        f"From {rows[-2]['length']:,} to {rows[-1]['length']:,} pieces the time grows with the power {power:.2f} of "
        f"the length, the operations with {counted:.2f}.",
    ]


def _growth(rows: list[Told]) -> list[str]:
    lines = [
        "## Layers, width, vocabulary; one thread",
        "",
        "| changed | times the reference | update, ms | memory, MiB | translation, ms | memory, MiB |",
        "|---|---|---|---|---|---|",
    ]
    for update, translated in zip(rows[::2], rows[1::2], strict=True):
        lines.append(
            f"| {update['what']} | {update['factor']:g} | {_times(update)} | {update['memory_mib']:,.0f} "
            f"| {_times(translated)} | {translated['memory_mib']:,.0f} |"
        )
    return lines


def _tokens(rows: list[Told]) -> list[str]:
    return [
        "## Memory of a token in a training update; one thread",
        "",
        f"| preset | precision | {rows[0]['few']:,} tokens, MiB | {rows[0]['many']:,} tokens, MiB | one token, KiB |",
        "|---|---|---|---|---|",
        *(
            f"| {row['preset']} | {row['precision']} | {row['few_mib']:,.0f} | {row['many_mib']:,.0f} "
            f"| {row['token_kib']:,.0f} |"
            for row in rows
        ),
    ]


def _shares(results: Told) -> list[str]:
    peaks = [
        f"{row['precision']} on {_threads(row)} {row['operations_per_second'] / 1e9:,.0f}" for row in results["peaks"]
    ]
    eight = "" if any(row["precision"] == "8 bits" for row in results["peaks"]) else EIGHT_UNMEASURED
    return [
        "## The share of the machine's matrix-product peak",
        "",
        f"The peak, PyTorch's with square matrices of 512 to 2,048, in billions of operations a second (G/s): "
        f"{'; '.join(peaks)}.{eight}",
        "",
        "| preset | | threads | precision | ms | G/s | of the peak |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {row['preset']} | {KINDS[row['kind']]} | {row['threads']} | {row['precision']} | {_times(row)} "
            f"| {row['operations_per_second'] / 1e9:.1f} | {row['share']:.0%} |"
            for row in results["shares"]
        ),
    ]


def _times(row: Told) -> str:
    median, fastest, slowest = (f"{1000 * row[name]:,.1f}" for name in ("seconds", "fastest", "slowest"))
    return f"{median} ({fastest} to {slowest})"


def _threads(row: Told) -> str:
    return f"{row['threads']} thread{'s' * (row['threads'] > 1)}"


def draw(results: Told, path: Path) -> None:
    """Six panels."""
    figure = Figure(figsize=(12, 7), dpi=150, facecolor=PAPER, layout="constrained")
    figure.suptitle(
        "How the cost of a Transformer grows", x=0.01, ha="left", fontsize=12, fontfamily="serif", color=INK
    )
    axes = figure.subplots(2, 3).flatten().tolist()
    _draw_lengths(axes[0], results["lengths"])
    for place, (kind, field, unit) in enumerate(
        [
            ("update", "seconds", "ms"),
            ("update", "memory_mib", "MiB"),
            ("translate", "seconds", "ms"),
            ("translate", "memory_mib", "MiB"),
        ],
        1,
    ):
        _draw_growth(axes[place], [row for row in results["growth"] if row["kind"] == kind], field, unit)
        name = f"{KINDS[kind]}: {'time' if unit == 'ms' else 'memory'}, one thread"
        axes[place].set_title(name, loc="left", fontsize=9, color=SOFT)
    _draw_shares(axes[5], results["shares"])
    for one in axes:
        one.set_facecolor(PAPER)
        one.tick_params(which="both", labelsize=8, colors=SOFT)
        one.spines[["top", "right"]].set_visible(False)
        one.spines[["left", "bottom"]].set_color(HAIR)
        one.grid(axis="y", color=HAIR, linewidth=0.6)
        one.set_axisbelow(True)
        one.yaxis.set_major_formatter("{x:,g}")
        one.yaxis.set_minor_formatter("")
    figure.savefig(path)


def _draw_lengths(axes: Any, rows: list[Told]) -> None:
    lengths, times = [row["length"] for row in rows], [1000 * row["seconds"] for row in rows]
    axes.set_title("encoder: time of one sentence, one thread", loc="left", fontsize=9, color=SOFT)
    low, high = ([1000 * row[name] for row in rows] for name in ("fastest", "slowest"))
    axes.fill_between(lengths, low, high, color=SERIES[0], alpha=0.15, linewidth=0)
    axes.plot(lengths, times, color=SERIES[0], marker=MARKS[0], markersize=4, label="measured")
    scale = times[-1] / rows[-1]["operations"]
    axes.plot(
        lengths, [scale * row["operations"] for row in rows], color=SOFT, linestyle="--", label="as its operations"
    )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(lengths, [f"{length:,}" for length in lengths])
    axes.set_xlabel("pieces", fontsize=9)
    axes.set_ylabel("ms", fontsize=9)
    legend(axes)


def _draw_growth(axes: Any, rows: list[Told], field: str, unit: str) -> None:
    scale = 1000 if unit == "ms" else 1
    for what, colour, mark in zip(("layers", "width", "vocabulary"), SERIES, MARKS, strict=False):
        own = [row for row in rows if row["what"] == what]
        factors, values = [row["factor"] for row in own], [scale * row[field] for row in own]
        axes.plot(factors, values, color=colour, marker=mark, markersize=4, label=what)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=10 if unit == "ms" else 2)
    factors = sorted({row["factor"] for row in rows})
    axes.set_xticks(factors, [f"{factor:g}" for factor in factors])
    axes.set_xlabel("times the reference", fontsize=9)
    axes.set_ylabel(unit, fontsize=9)
    legend(axes)


def _draw_shares(axes: Any, rows: list[Told]) -> None:
    axes.set_title("share of the matrix-product peak", loc="left", fontsize=9, color=SOFT)
    groups = list(dict.fromkeys((row["preset"], row["threads"]) for row in rows))
    runs = list(dict.fromkeys((row["kind"], row["precision"]) for row in rows))
    width = 0.8 / len(runs)
    for number, (kind, precision) in enumerate(runs):
        own = [row for row in rows if (row["kind"], row["precision"]) == (kind, precision)]
        places = [groups.index((row["preset"], row["threads"])) + (number - (len(runs) - 1) / 2) * width for row in own]
        label = f"{KINDS[kind]}, {precision}"
        axes.bar(places, [100 * row["share"] for row in own], width, color=SERIES[number], label=label)
    axes.set_xticks(range(len(groups)), [f"{name}\n{threads} thr." for name, threads in groups])
    axes.set_ylabel("%", fontsize=9)
    axes.set_ylim(0, 1.5 * max(100 * row["share"] for row in rows))
    legend(axes)
