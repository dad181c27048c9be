"""Defaults that follow the corpus: which size, vocabulary, dropout and schedule, and why."""

from typing import Any, NamedTuple

from regard.config import Settings, preset


class Choice(NamedTuple):
    """A setting that was chosen, and the reason in words."""

    value: Any
    reason: str


def recommend(pairs: int, device: str, given: Settings) -> dict[str, Choice]:
    """The settings for so many sentence pairs on such a device ("cpu", "cuda", "mps"); those `given` are left alone."""
    limited = any(given.get(f"training.{limit}") for limit in ("epochs", "updates", "minutes"))
    chosen = _model(pairs, device) | _text(pairs) | _schedule(pairs, device, limited)
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


def _text(pairs: int) -> dict[str, Choice]:
    steps = [(3_000, 1_000), (15_000, 2_000), (60_000, 4_000), (400_000, 8_000), (3_000_000, 16_000)]
    pieces = next((pieces for below, pieces in steps if pairs < below), 32_000)
    return {"text.vocabulary": Choice(pieces, f"so that each piece is seen often enough in {pairs:,} pairs")}


def _schedule(pairs: int, device: str, limited: bool) -> dict[str, Choice]:
    batch = 4096 if device == "cpu" else 32_768
    tokens_per_pair = 30  # a rough one, of both sides: only the scale of the run depends on it
    updates_per_epoch = max(1, pairs * tokens_per_pair // batch)
    epochs = max(5, min(60, 12_000_000 // pairs)) if pairs else 1
    validate = max(50, min(2_000, updates_per_epoch))
    chosen = {
        "training.batch_tokens": Choice(batch, f"what a {device} works on without waiting"),
        "training.schedule": Choice("cosine", "ends at rate zero when the limit is reached"),
        "training.learning_rate": Choice(3e-3, "the highest that a small pre-norm model bears"),
        "training.warmup": Choice(min(2_000, max(100, 2 * updates_per_epoch)), "two epochs, 2,000 updates at most"),
        "training.ema": Choice(0.999, "the average of the weights is better than the last of them"),
        "training.validate_every": Choice(validate, f"about once an epoch ({updates_per_epoch:,} updates)"),
        "training.save_every": Choice(min(validate, 200), "so that little is lost"),
    }
    if not limited:
        chosen["training.epochs"] = Choice(epochs, f"enough for {pairs:,} pairs; fewer if the score stops rising")
    return chosen
