"""The division by the root of d_k: what it does to scores, weights and gradients, and to what a model learns."""

import itertools
import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.module import register_module_module_registration_hook

from regard.config import EOS, ModelConfig, Settings
from regard.decoding.translator import Translator
from regard.evaluation import bleu
from regard.experiments.figure import MARKS, SERIES, legend, panels
from regard.experiments.finding import Experiment, Finding, Rows, Step, Trial, share
from regard.experiments.interval import Interval, of_seeds
from regard.experiments.lesson import Lesson, corpus_of, teach
from regard.looking.listening import listening
from regard.model.attention import MultiHeadAttention, Tap
from regard.model.transformer import Transformer
from regard.plots import INK, SOFT
from regard.text.formats import Pairs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLAIM = (
    "q and k of variance 1 have a product of variance d_k, which presses the softmax to where its gradient is tiny; "
    "the division by sqrt(d_k) prevents that (section 3.2.1)."
)
WIDTHS = (4, 8, 16, 32, 64, 128, 256, 512)  # d_k
KEYS = 32  # of each query that is drawn
ROUNDS = 20  # of draws; intervals are over these
HEADS, WORDS, SENTENCES = 2, 11, 64  # of the first layers
WAYS = {True: "q k / sqrt(d_k)", False: "q k"}  # divided or not -> what the softmax gets


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much is tried."""

    draws: int  # queries of one round
    widths: tuple[int, ...]  # d_k of the models that learn: as many heads as make the same number of weights
    seeds: int
    updates: int


QUICK = Extent(draws=500, widths=(16, 128), seeds=3, updates=400)
WIDE = Extent(draws=2000, widths=(16, 64, 256), seeds=5, updates=1000)


class Effect(NamedTuple):
    """What scores do to the softmax, and what comes back through it, over the queries of one round."""

    deviation: float  # standard deviation of the scores
    low: float  # 95 % of them lie from here
    high: float  # to here
    entropy: float  # of the weights, in nats; a mean
    slope: float  # norm of d weights / d scores; a mean
    median: float  # norm of the gradient at q: half of the queries get less
    mean: float  # the same norm, its mean


class Learned(NamedTuple):
    """How well one model does on the test sentences."""

    d_k: int
    divided: bool
    seed: int
    bleu: float
    log_loss: float  # -log p a target piece, in nats


Effects = Mapping[tuple[int, bool], Mapping[str, Interval]]  # (d_k, divided) -> field of Effect -> over the rounds


def run(trial: Trial) -> Experiment:
    """Draws queries and keys; looks at first layers; trains with the division and without."""
    extent = QUICK if trial.quick else WIDE
    pupils = list(itertools.product(range(extent.seeds), extent.widths, WAYS))
    parts, corpus = 1 + len(pupils), corpus_of(trial)
    effects = yield from share(_drawn(extent, trial.seed), 0, parts)
    layers = [_first_layer(d_k, [trial.seed + number for number in range(extent.seeds)]) for d_k in WIDTHS]
    learned = []
    for number, (seed, d_k, divided) in enumerate(pupils, 1):
        heads = max(extent.widths) // d_k
        settings = {"model.d_k": d_k, "model.n_heads": heads, "training.updates": extent.updates}
        lesson = _lesson(divided, settings, corpus.train, corpus.valid, trial.seed + seed)
        with nullcontext() if divided else undivided():
            translator = yield from share(teach(trial, lesson), number, parts, f"d_k {d_k}, {WAYS[divided]}")
        learned.append(Learned(d_k, divided, trial.seed + seed, *_quality(translator, corpus.test)))
    losses = lost(learned)
    tables = _tables(effects, extent) | {"A Transformer's first layer, at its first weights": layers}
    tables |= {f"After {extent.updates} updates": [_row(one) for one in learned], "What leaving it out costs": losses}
    return Finding(
        claim=CLAIM,
        conclusion=_conclude(effects, layers, losses, extent),
        tables=tables,
        figure=_draw(effects, learned),
    )


def effect(
    q: Float[Tensor, "query d_k"], k: Float[Tensor, "query key d_k"], arriving: Float[Tensor, "query key"], scale: float
) -> Effect:
    """The effect of the scores scale * q.k, each query with keys of its own; `arriving` is d loss / d weights.

    The slope is the Frobenius norm of the softmax's Jacobian, diag(w) - w w^T.
    """
    scores = scale * torch.einsum("qd,qkd->qk", q, k)
    weights = scores.softmax(dim=-1)
    squares, cubes = (weights**2).sum(dim=-1), (weights**3).sum(dim=-1)
    slope = (squares - 2 * cubes + squares**2).clamp_min(0).sqrt()
    by_scores = weights * (arriving - (weights * arriving).sum(dim=-1, keepdim=True))
    by_q = (scale * torch.einsum("qk,qkd->qd", by_scores, k)).norm(dim=-1)
    low, high = scores.flatten().quantile(torch.tensor([0.025, 0.975], dtype=scores.dtype)).tolist()
    entropy = torch.special.entr(weights).sum(dim=-1)
    means = (value.mean().item() for value in (entropy, slope, by_q.median(), by_q))
    return Effect(scores.std().item(), low, high, *means)


@contextmanager
def undivided() -> Iterator[None]:
    """Every attention that is made while this lasts leaves the division out, and so does every copy of it.

    Its queries are multiplied by sqrt(d_k) at their tap, as they are used and as they are learned.
    """

    def leave_out(owner: nn.Module, name: str, part: nn.Module) -> None:
        if isinstance(owner, MultiHeadAttention) and isinstance(part, Tap) and name == "q":
            part.listeners.append(_times_root)

    handle = register_module_module_registration_hook(leave_out)
    try:
        yield
    finally:
        handle.remove()


def _times_root(q: Float[Tensor, "batch head query d_k"]) -> Float[Tensor, "batch head query d_k"]:
    return q * math.sqrt(q.shape[-1])


def _drawn(extent: Extent, seed: int) -> Generator[Step, None, Effects]:
    """The effects of queries, keys and gradients of variance 1, of the same ones with the division and without."""
    effects: dict[tuple[int, bool], dict[str, Interval]] = {}
    for number, d_k in enumerate(WIDTHS):
        yield Step(number / len(WIDTHS), f"drawing queries and keys of width {d_k}")
        chance, rounds = torch.Generator().manual_seed(seed), []
        for _ in range(ROUNDS):
            sizes = (extent.draws, d_k), (extent.draws, KEYS, d_k), (extent.draws, KEYS)
            q, k, arriving = (torch.randn(size, generator=chance) for size in sizes)
            scales = {divided: 1 / math.sqrt(d_k) if divided else 1.0 for divided in WAYS}
            rounds.append({divided: effect(q, k, arriving, scale) for divided, scale in scales.items()})
        for divided in WAYS:
            columns = zip(*(effects[divided] for effects in rounds), strict=True)
            effects[d_k, divided] = dict(zip(Effect._fields, map(of_seeds, columns), strict=True))
    return effects


def _first_layer(d_k: int, seeds: Sequence[int]) -> dict[str, Any]:
    """The standard deviation of q.k in the encoder's first layer, of models of d_model = heads x d_k, as the paper's
    are: random words, random weights."""
    config = ModelConfig(
        n_encoder_layers=1, n_decoder_layers=1, d_model=HEADS * d_k, d_ff=2, n_heads=HEADS, norm="pre", p_drop=0.0
    )
    deviations = []
    for seed in seeds:
        torch.manual_seed(seed)
        model = Transformer(config, EOS + WORDS * SENTENCES, EOS + 1, joint=False)
        source = torch.randint(EOS + 1, EOS + WORDS * SENTENCES, (SENTENCES, WORDS))
        tap = "encoder.layers.0.self_attention.scores"
        with torch.inference_mode(), listening(model, tap.__eq__) as heard:
            model.encode(source)
        deviations.append(heard[tap].std().item())
    over = of_seeds(deviations)
    return {"d_k": d_k, "sqrt(d_k)": math.sqrt(d_k), "deviation of q k": over.mean, "its interval": _span(over)}


def _lesson(divided: bool, settings: Settings, train: Pairs, valid: Pairs, seed: int) -> Lesson:
    name = "scale" if divided else "scale-undivided"
    return Lesson(name=name, train=train, valid=valid, settings=settings, seed=seed)


def _quality(translator: Translator, test: Pairs) -> tuple[float, float]:
    """BLEU, and -log p a target piece in nats."""
    texts = [answer.text for answer in translator.translate(test.source)]
    scored = [answer.log_probs for answer in translator.score(test.source, test.target)]
    return bleu(texts, test.target).score, -sum(map(sum, scored)) / sum(map(len, scored))


def lost(learned: Sequence[Learned]) -> list[dict[str, Any]]:
    """What leaving the division out costs at each d_k: each seed's difference, and the interval over the seeds."""
    found = {(one.d_k, one.divided, one.seed): one for one in learned}
    seeds, rows = sorted({one.seed for one in learned}), []
    for d_k in sorted({one.d_k for one in learned}):
        pairs = [(found[d_k, True, seed], found[d_k, False, seed]) for seed in seeds]
        fewer = of_seeds([divided.bleu - not_divided.bleu for divided, not_divided in pairs])
        more = of_seeds([not_divided.log_loss - divided.log_loss for divided, not_divided in pairs])
        rows.append({
            "d_k": d_k, "BLEU lost": fewer.mean, "BLEU lost, 95 %": _span(fewer),
            "loss added, nats a piece": more.mean, "loss added, 95 %": _span(more), "told from none": fewer.apart,
        })  # fmt: skip
    return rows


def _tables(effects: Effects, extent: Extent) -> dict[str, Rows]:
    """What was drawn, as two tables."""
    scores, gradients = [], []
    for (d_k, divided), seen in effects.items():
        begun = {"d_k": d_k, "the softmax gets": WAYS[divided]}
        between = {"95 % of them": f"{seen['low'].mean:.3g} to {seen['high'].mean:.3g}"}
        scores.append(begun | _cells("deviation", seen["deviation"]) | between | _cells("entropy", seen["entropy"]))
        slope, median, mean = (seen[name] for name in ("slope", "median", "mean"))
        columns = _cells("d weights / d scores", slope) | _cells("at q, median", median) | _cells("at q, mean", mean)
        gradients.append(begun | columns)
    drawn = f"{ROUNDS} rounds of {extent.draws:,} queries, {KEYS} keys each, all of variance 1"
    return {
        f"Scores, and the entropy of the weights (nats, at most {math.log(KEYS):.2f}): {drawn}": scores,
        "The gradient through the softmax, and what of it arrives at the query (norms), of the same": gradients,
    }


def _cells(name: str, over: Interval) -> dict[str, Any]:
    return {name: over.mean, f"{name}, 95 %": _span(over)}


def _span(over: Interval) -> str:
    return f"{over.low:.3g} to {over.high:.3g}"


def _row(one: Learned) -> dict[str, Any]:
    return {
        "d_k": one.d_k, "the softmax gets": WAYS[one.divided], "seed": one.seed,
        "BLEU": one.bleu, "loss, nats a piece": one.log_loss,
    }  # fmt: skip


def _conclude(effects: Effects, layers: Rows, losses: Rows, extent: Extent) -> str:
    ratios = [effects[d_k, False]["deviation"].mean / math.sqrt(d_k) for d_k in WIDTHS]
    holds = min(ratios) > 0.95 and max(ratios) < 1.05
    first = [row["deviation of q k"] / row["sqrt(d_k)"] for row in layers]
    last = WIDTHS[-1]
    divided, raw = effects[last, True], effects[last, False]
    more = raw["mean"].mean / divided["mean"].mean
    costs = ", ".join(
        f"{row['BLEU lost']:.1f} BLEU at d_k = {row['d_k']} ({row['BLEU lost, 95 %']}"
        f"{'' if row['told from none'] else ', not to be told from none'})"
        for row in losses
    )
    return (
        f"The variance is {'' if holds else 'not '}as claimed: q k deviates by {min(ratios):.3f} to {max(ratios):.3f} "
        f"times sqrt(d_k), and in a Transformer's first layer, untrained, by {min(first):.2f} to {max(first):.2f} "
        f"times. Undivided at d_k = {last}, the weights over {KEYS} keys keep "
        f"{raw['entropy'].digits(2)} nats of entropy, divided {divided['entropy'].digits(2)}; half of the queries get "
        f"a gradient below {raw['median'].digits(3)}, divided {divided['median'].digits(3)}, "
        f"{'but' if more > 1 else 'and'} the mean gradient is {more:.1f} times the divided one's. To train "
        f"{extent.updates} updates without the division, at the learning rate that suits it, costs {costs}; 95 % over "
        f"{ROUNDS} rounds of draws, and over {extent.seeds} seeds."
    )


def _draw(effects: Effects, learned: Sequence[Learned]) -> "Figure":
    names = [
        "scores: their deviation, 95 % of them",
        "entropy of the weights, nats",
        "gradient at q",
        "BLEU after training",
    ]
    drawn = panels("What the division by the root of d_k does", names)
    for (divided, way), colour, mark in zip(WAYS.items(), SERIES, MARKS, strict=False):
        seen = {name: [effects[d_k, divided][name] for d_k in WIDTHS] for name in Effect._fields}
        scores, entropy, gradient, scored = drawn.axes
        low, high = ([over.mean for over in seen[name]] for name in ("low", "high"))
        scores.fill_between(WIDTHS, low, high, color=colour, alpha=0.2, linewidth=0)
        _line(scores, seen["deviation"], "-", color=colour, marker=mark, label=way)
        _line(entropy, seen["entropy"], "-", color=colour, marker=mark)
        _line(gradient, seen["median"], "-", color=colour, marker=mark, label=f"median, {way}")
        _line(gradient, seen["mean"], ":", color=colour, marker=mark, label=f"mean, {way}")
        widths = sorted({one.d_k for one in learned})
        over = [of_seeds([one.bleu for one in learned if (one.d_k, one.divided) == (d_k, divided)]) for d_k in widths]
        _points(scored, over, 0.1 if divided else -0.1, color=colour, marker=mark, label=way)
    scores.plot(WIDTHS, [math.sqrt(d_k) for d_k in WIDTHS], ":", color=INK, linewidth=1, label="sqrt(d_k)")
    entropy.axhline(math.log(KEYS), linestyle=":", color=INK, linewidth=1, label=f"log {KEYS}, all alike")
    gradient.set_yscale("log")
    scored.set_xticks(range(len(widths)), [str(d_k) for d_k in widths])
    scored.set_xlim(-0.5, len(widths) - 0.5)
    for axes in drawn.axes:
        axes.set_xlabel("d_k", fontsize=8, color=SOFT)
        legend(axes)
    for axes in drawn.axes[:3]:
        axes.set_xscale("log", base=2)
        axes.set_xticks(WIDTHS, [str(d_k) for d_k in WIDTHS])
    return drawn.figure


def _line(axes: "Axes", over: Sequence[Interval], style: str, **look: Any) -> None:
    """Means, and their intervals, over the widths."""
    means = [one.mean for one in over]
    axes.plot(WIDTHS, means, style, markersize=4, linewidth=1.4, **look)
    axes.vlines(WIDTHS, [one.low for one in over], [one.high for one in over], color=look["color"], linewidth=1)


def _points(axes: "Axes", over: Sequence[Interval], aside: float, **look: Any) -> None:
    """A mean with its interval for each, a little aside of its place."""
    means = [one.mean for one in over]
    reach = [[one.mean - one.low for one in over], [one.high - one.mean for one in over]]
    axes.errorbar([place + aside for place in range(len(over))], means, reach, linestyle="none", capsize=3, **look)
