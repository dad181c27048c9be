"""Defaults that follow the corpus: which size, vocabulary, dropout and schedule, and why."""

import math
from typing import Any, NamedTuple

from regard.config import Settings, preset


class Choice(NamedTuple):
    """A setting that was chosen, and the reason in words."""

    value: Any
    reason: str


class Machine(NamedTuple):
    """What a training runs on."""

    device: str  # cpu, cuda, mps
    cores: int = 1  # of the processor
    half_gain: float = 0.0  # how many times quicker its products are in bfloat16


def recommend(
    pairs: int, machine: Machine, given: Settings, *, characters: int = 0, trained: bool = False
) -> dict[str, Choice]:
    """The settings for so many sentence pairs on such a machine; those `given` are left alone.

    characters: how many different ones the corpus has. trained: the model has learned already, and is to go on.
    """
    shape = _recurrent(pairs) if given.get("model.architecture") == "rnn" else _model(pairs, machine.device)
    chosen = shape | _text(pairs, characters) | _work(machine, given)
    chosen |= _schedule(pairs, _values(chosen) | given)
    chosen["training.learning_rate"] = _rate(_values(chosen) | given, trained)
    return {name: choice for name, choice in chosen.items() if name not in given}


def _values(chosen: dict[str, Choice]) -> Settings:
    return {name: choice.value for name, choice in chosen.items()}


def _model(pairs: int, device: str) -> dict[str, Choice]:
    if device == "cpu":
        name = "tiny" if pairs < 1_000_000 else "small"
    else:
        name = "tiny" if pairs < 50_000 else "small" if pairs < 1_000_000 else "base"
    p_drop = 0.3 if pairs < 50_000 else 0.1
    why = f"{pairs:,} pairs on {device}"
    chosen = {key: Choice(value, f"preset {name}: {why}") for key, value in preset(name).items()}
    return chosen | {
        "model.norm": Choice("pre", "trains without a careful warm-up"),
        "model.p_drop": Choice(p_drop, f"the fewer pairs the more dropout: {pairs:,} pairs"),
    }


def _recurrent(pairs: int) -> dict[str, Choice]:
    p_drop = 0.4 if pairs < 50_000 else 0.2
    return {
        "model.n_encoder_layers": Choice(1, "as in Bahdanau et al. (2015)"),
        "model.n_decoder_layers": Choice(1, "as in Bahdanau et al. (2015)"),
        "model.d_model": Choice(256 if pairs < 1_000_000 else 512, f"{pairs:,} pairs; the paper has 1,000"),
        "model.p_drop": Choice(p_drop, f"the fewer pairs the more dropout: {pairs:,} pairs"),
    }


def _text(pairs: int, characters: int) -> dict[str, Choice]:
    steps = [(3_000, 1_000), (15_000, 2_000), (60_000, 4_000), (400_000, 8_000), (3_000_000, 16_000)]
    pieces = next((pieces for below, pieces in steps if pairs < below), 32_000)
    if (spelt := 260 + 2 * characters) > pieces:  # the special pieces and the bytes; each character; and so many longer
        return {"text.vocabulary": Choice(spelt, f"for {characters:,} different characters, and as many longer pieces")}
    return {"text.vocabulary": Choice(pieces, f"so that each piece is seen often enough in {pairs:,} pairs")}


def _work(machine: Machine, given: Settings) -> dict[str, Choice]:
    """What an update reads, and who works on it: the cores share it, but do not change its size."""
    on_cpu, asked = machine.device == "cpu", given.get("training.batch_tokens")
    size = 4096 if on_cpu else 32_768  # tokens of an update
    cores = min(4, machine.cores) if on_cpu else 1
    abreast = given.get("training.accumulate", 1 if asked else cores)
    tokens = asked or max(1, size // max(1, abreast))
    if asked:
        why = f"updates of {asked:,} tokens, as asked for, however many cores there are"
    else:
        side_by_side = f"so many batches side by side on {machine.cores} cores"
        why = side_by_side if cores > 1 else f"what a {machine.device} works on without waiting"
    return {
        "training.batch_tokens": Choice(tokens, f"updates of {tokens * abreast:,} tokens"),
        "training.accumulate": Choice(abreast, why),
        "training.precision": _precision(machine),
    }


def _schedule(pairs: int, settled: Settings) -> dict[str, Choice]:
    """How long it learns, and what happens when; `settled`: all that is known, by choice or as given."""
    of_one = " of one direction" if len(settled.get("text.directions", ())) > 1 else ""  # an epoch reads both
    tokens_per_pair = 30  # a rough one, of both sides: only the scale of the run depends on it
    size = settled["training.batch_tokens"] * settled["training.accumulate"]
    epoch = max(1, pairs * tokens_per_pair // max(1, size))  # updates
    epochs = max(5, min(60, 12_000_000 // pairs)) if pairs else 1
    length = epoch * (settled.get("training.epochs") or epochs)
    length = min(length, settled.get("training.updates") or length)
    slow = _norm(settled) == "post"
    rise = 1_000 if slow else 100  # the shortest warm-up
    validate = _about(epoch, f"once an epoch{of_one}", 50)
    chosen = {
        "training.schedule": Choice("cosine", "ends at rate zero when the limit is reached"),
        "training.warmup": _about(2 * epoch, f"two epochs{of_one}", rise, " with post-norm" * slow, length // 4),
        "training.ema": Choice(0.999, "the average of the weights is better than the last of them"),
        "training.validate_every": validate,
        "training.save_every": Choice(min(validate.value, 200), "so that little is lost"),
    }
    if not any(settled.get(f"training.{limit}") for limit in ("epochs", "updates", "minutes")):
        chosen["training.epochs"] = Choice(epochs, f"enough for {pairs:,} pairs; fewer if the score stops rising")
    return chosen


def _about(updates: int, what: str, least: int, where: str = "", quarter: int = 2_000) -> Choice:
    """So many updates, or what they may be at least or at most, of a run with so many in its quarter; the reason says
    which."""
    most = max(1, min(2_000, quarter))
    least = min(least, most)
    short = ", a quarter of the run" * (most < 2_000)
    bound = (
        f"; {least:,} at least{where}" if updates < least else f"; {most:,} at most{short}" if updates > most else ""
    )
    return Choice(max(least, min(most, updates)), f"{what}, about {updates:,} update{'s' * (updates > 1)}{bound}")


def _norm(settled: Settings) -> str:
    """Of a Transformer; an RNN has none."""
    return "" if settled.get("model.architecture") == "rnn" else settled["model.norm"]


def _rate(settled: Settings, trained: bool) -> Choice:
    """The peak of the learning rate: what a model of this kind and width bears.

    A wider Transformer bears less, by the root of its width, as in equation 3 of the paper; with post-norm, no more
    than the paper's own peak after a warm-up of at least its 4,000 updates: (d_model * warmup)^-0.5.
    """
    width = max(128, settled["model.d_model"])  # a narrower one is given no more
    rate, why = 3e-3 * math.sqrt(128 / width), "the highest that a small pre-norm model bears"
    if not _norm(settled):
        rate, why = 2e-3, "a recurrent layer bears less than a pre-norm Transformer"
    elif _norm(settled) == "post":
        warmup = max(4_000, settled["training.warmup"])
        rate = (width * warmup) ** -0.5
        why = f"post-norm bears less: the paper's peak for d_model {width:,} and a warm-up of {warmup:,}"
    elif width > 128:
        why = f"the wider the less: 0.003 at d_model 128, by the root of {width:,} / 128 less here"
    if trained:
        rate, why = rate / 3, "goes on from a trained model: a third of what a new one would get"
    return Choice(float(f"{rate:.2g}"), why)


def _precision(machine: Machine) -> Choice:
    if machine.half_gain >= 1.3:
        return Choice("bfloat16", f"products are {machine.half_gain:.1f} times quicker here than in float32")
    return Choice("float32", "no quicker in bfloat16 here")
