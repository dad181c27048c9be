"""Defaults that follow the corpus: which size, vocabulary, dropout and schedule, and why."""

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


def recommend(pairs: int, machine: Machine, given: Settings) -> dict[str, Choice]:
    """The settings for so many sentence pairs on such a machine; those `given` are left alone."""
    chosen = _model(pairs, machine.device) | _text(pairs) | _schedule(pairs, machine, given)
    if given.get("model.architecture") == "rnn":
        chosen = {name: choice for name, choice in chosen.items() if not name.startswith("model.")} | _recurrent(pairs)
    return {name: choice for name, choice in chosen.items() if name not in given}


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
        "training.learning_rate": Choice(2e-3, "a recurrent layer bears less than a pre-norm Transformer"),
    }


def _text(pairs: int) -> dict[str, Choice]:
    steps = [(3_000, 1_000), (15_000, 2_000), (60_000, 4_000), (400_000, 8_000), (3_000_000, 16_000)]
    pieces = next((pieces for below, pieces in steps if pairs < below), 32_000)
    return {"text.vocabulary": Choice(pieces, f"so that each piece is seen often enough in {pairs:,} pairs")}


def _schedule(pairs: int, machine: Machine, given: Settings) -> dict[str, Choice]:
    limited = any(given.get(f"training.{limit}") for limit in ("epochs", "updates", "minutes"))
    what = "of one direction " if len(given.get("text.directions", ())) > 1 else ""  # an epoch reads both
    batch = 4096 if machine.device == "cpu" else 32_768  # of an update
    abreast = min(4, machine.cores) if machine.device == "cpu" else 1
    tokens_per_pair = 30  # a rough one, of both sides: only the scale of the run depends on it
    updates_per_epoch = max(1, pairs * tokens_per_pair // batch)
    epochs = max(5, min(60, 12_000_000 // pairs)) if pairs else 1
    validate = max(50, min(2_000, updates_per_epoch))
    chosen = {
        "training.batch_tokens": Choice(batch // abreast, f"updates of {batch:,} tokens"),
        "training.accumulate": Choice(abreast, f"so many batches side by side on {machine.cores} cores")
        if abreast > 1
        else Choice(1, f"what a {machine.device} works on without waiting"),
        "training.precision": _precision(machine),
        "training.schedule": Choice("cosine", "ends at rate zero when the limit is reached"),
        "training.learning_rate": Choice(3e-3, "the highest that a small pre-norm model bears"),
        "training.warmup": Choice(min(2_000, max(100, 2 * updates_per_epoch)), f"two epochs {what}or 2,000 updates"),
        "training.ema": Choice(0.999, "the average of the weights is better than the last of them"),
        "training.validate_every": Choice(validate, f"about once an epoch {what}({updates_per_epoch:,} updates)"),
        "training.save_every": Choice(min(validate, 200), "so that little is lost"),
    }
    if not limited:
        chosen["training.epochs"] = Choice(epochs, f"enough for {pairs:,} pairs; fewer if the score stops rising")
    return chosen


def _precision(machine: Machine) -> Choice:
    if machine.half_gain >= 1.3:
        return Choice("bfloat16", f"products are {machine.half_gain:.1f} times quicker here than in float32")
    return Choice("float32", "no quicker in bfloat16 here")
