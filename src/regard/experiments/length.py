"""N words at once, or N steps: what a sentence's length costs a Transformer, and what it costs an RNN."""

import functools
import statistics
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from regard.config import EOS, ModelConfig, TrainingConfig
from regard.experiments.figure import MARKS, SERIES, legend, panels
from regard.experiments.finding import Experiment, Finding, Rows, Step, Trial
from regard.model.encoder_decoder import EncoderDecoder
from regard.model.recurrent import Recurrent
from regard.model.transformer import Transformer
from regard.plots import SOFT
from regard.training.learner import Learner
from regard.training.replica import Batch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Architecture = Literal["transformer", "rnn"]

CLAIM = "An RNN walks word by word; the Transformer takes N words at once, whatever N is."
VOCABULARY = 1009
LENGTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
TRAINED = (8, 32, 128, 512)  # lengths of the sentences that both are trained on
TOKENS = 4096  # of an update
LAYERS, WIDTH = 4, 128
RATIO = "RNN to Transformer"
NAMES: dict[str, Architecture] = {"Transformer": "transformer", "RNN": "rnn"}


class Middle(NamedTuple):
    """The median of several rounds, and between what the middle 80 % of them lie."""

    median: float
    low: float
    high: float


def run(trial: Trial) -> Experiment:
    """Times the encoders on one sentence of each length, and both models in training."""
    models = {name: _model(architecture, trial) for name, architecture in NAMES.items()}
    rounds = 9 if trial.quick else 31
    encoding: list[dict[str, Any]] = []
    for number, length in enumerate(LENGTHS):
        yield Step(0.6 * number / len(LENGTHS), f"encoding {length} words")
        encoding.append(_encoding(models, length, rounds, trial))
    training: list[dict[str, Any]] = []
    for number, length in enumerate(TRAINED):
        yield Step(0.6 + 0.4 * number / len(TRAINED), f"training on sentences of {length} words")
        training.append(_training(length, 5 if trial.quick else 15, trial))
    tables = {"One sentence through the encoder": encoding, "An update, forward and back": training}
    return Finding(
        claim=CLAIM, conclusion=_conclude(encoding, training), tables=tables, figure=_draw(encoding, training)
    )


def sequential_steps(model: EncoderDecoder, length: int) -> int:
    """Layers that wait for the one before, and in an RNN each of them at every word for the word before."""
    return model.config.n_encoder_layers * (length if model.config.architecture == "rnn" else 1)


def kept_bytes(model: EncoderDecoder, source: Int[Tensor, "batch source"]) -> int:
    """What the encoder keeps in memory until the gradient is computed, the weights not counted."""
    weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    kept: dict[int, int] = {}  # a tensor that is kept twice counts once

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        memory = model.encode(source)  # while it lives, so does all that is kept, and no address is given out twice
    del memory
    return sum(size for address, size in kept.items() if address not in weights)


def alternating(works: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Does each once a round, one after the other, so that whatever disturbs the machine disturbs all alike; the
    seconds of each round."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            if torch.cuda.is_available():
                torch.cuda.synchronize()  # or what was only asked for would count as done
            if number:  # the first round warms up
                seconds[name].append(time.perf_counter() - began)
    return seconds


def middle(values: list[float]) -> Middle:
    """Of two values at least."""
    tenths = statistics.quantiles(values, n=10, method="inclusive")
    return Middle(statistics.median(values), tenths[0], tenths[-1])


def _model(architecture: Architecture, trial: Trial) -> EncoderDecoder:
    config = ModelConfig(
        architecture=architecture, n_encoder_layers=LAYERS, n_decoder_layers=LAYERS, d_model=WIDTH, d_ff=2 * WIDTH,
        n_heads=4, norm="pre", p_drop=0.0,
    )  # fmt: skip
    torch.manual_seed(trial.seed)
    kind = Recurrent if architecture == "rnn" else Transformer
    return kind(config, VOCABULARY, VOCABULARY).to(trial.device)


def _sentences(count: int, length: int, trial: Trial) -> Int[Tensor, "batch source"]:
    """Words drawn at random: which they are makes no difference to the time that they take."""
    chance = torch.Generator().manual_seed(trial.seed)
    return torch.randint(EOS + 1, VOCABULARY, (count, length), generator=chance).to(trial.device)


def _encoding(models: Mapping[str, EncoderDecoder], length: int, rounds: int, trial: Trial) -> dict[str, Any]:
    source = _sentences(1, length, trial)
    with torch.inference_mode():
        works = {name: functools.partial(model.eval().encode, source) for name, model in models.items()}
        times = alternating(works, rounds)
    row: dict[str, Any] = {"words": length} | _columns(times)
    row |= {f"{name}, steps in sequence": sequential_steps(model, length) for name, model in models.items()}
    return row | {f"{name}, KiB kept": kept_bytes(model, source) // 1024 for name, model in models.items()}


def _training(length: int, rounds: int, trial: Trial) -> dict[str, Any]:
    count = max(1, TOKENS // (2 * length))
    source, target = (_sentences(count, length, trial) for _ in range(2))
    batch = Batch(source, target.roll(1, dims=1), target)
    tokens, works = 2 * count * length, {}
    for name, architecture in NAMES.items():
        learner = Learner(_model(architecture, trial), TrainingConfig(), trial.device)
        works[name] = functools.partial(learner.update, [batch], 1e-4)
    times = alternating(works, rounds)
    row: dict[str, Any] = {"words": length} | _columns(times)
    return row | {f"{name}, tokens a second": tokens / middle(taken).median for name, taken in times.items()}


def _columns(times: Mapping[str, list[float]]) -> dict[str, Any]:
    """Milliseconds of both, and how many times as long as the Transformer the RNN took, round by round."""
    columns: dict[str, Any] = {}
    for name, taken in times.items():
        median, low, high = middle([1000 * seconds for seconds in taken])
        columns |= {f"{name}, ms": median, f"{name}, middle 80 %": f"{low:.2f} to {high:.2f}"}
    ratio = middle([rnn / own for rnn, own in zip(times["RNN"], times["Transformer"], strict=True)])
    return columns | {RATIO: ratio.median, f"{RATIO}, middle 80 %": f"{ratio.low:.1f} to {ratio.high:.1f}"}


def _conclude(encoding: Rows, training: Rows) -> str:
    at = {row["words"]: row for row in encoding}
    ratios = {length: row[RATIO] for length, row in at.items()}
    best = max(ratios, key=lambda length: ratios[length])
    slower = [length for length, ratio in ratios.items() if ratio < 1]
    exception = f" Of the lengths tried it is the slower one at {', '.join(map(str, slower))}." if slower else ""
    taught = sorted(training, key=lambda row: row[RATIO])
    last = LENGTHS[-1]
    return (
        f"The claim holds for the steps: {LAYERS} layers one after the other for {last} words as for one; the RNN "
        f"waits {at[last]['RNN, steps in sequence']:,} times. In time, the Transformer encodes {best} words "
        f"{_times(at[best])} times as fast as the RNN, and {last} words {_times(at[last])} times.{exception} "
        f"It learns {_times(taught[0])} times as many tokens a second from sentences of {taught[0]['words']} words, "
        f"{_times(taught[-1])} times from those of {taught[-1]['words']}. (In brackets: the middle 80 % of the rounds.)"
    )


def _times(row: Mapping[str, Any]) -> str:
    return f"{row[RATIO]:.1f} ({row[f'{RATIO}, middle 80 %']})"


def _draw(encoding: Rows, training: Rows) -> "Figure":
    drawn = panels(
        "What a sentence's length costs",
        [
            "encoding one sentence, ms",
            "steps that wait for one another",
            "kept for the gradient, KiB",
            "training, tokens/s",
        ],
    )
    measures = [
        (encoding, "ms"),
        (encoding, "steps in sequence"),
        (encoding, "KiB kept"),
        (training, "tokens a second"),
    ]
    for axes, (rows, measure) in zip(drawn.axes, measures, strict=True):
        for name, colour, mark in zip(NAMES, SERIES, MARKS, strict=False):
            values = [row[f"{name}, {measure}"] for row in rows]
            axes.plot([row["words"] for row in rows], values, color=colour, marker=mark, markersize=4, label=name)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xlabel("words", fontsize=8, color=SOFT)
    legend(drawn.axes[0])
    return drawn.figure
