"""The training loop: update, validate, keep, stop."""

import copy
import dataclasses
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from regard.config import PAD, Config, DecodingConfig, TrainingConfig
from regard.decoding.directory import WEIGHTS
from regard.decoding.translator import Translator
from regard.disk import write_text
from regard.errors import DivergenceError
from regard.evaluation import Score, bleu, tokenization
from regard.model.encoder_decoder import EncoderDecoder
from regard.text.batching import token_batches
from regard.text.formats import Pairs
from regard.text.store import Encoded, Sampled, encode_pairs
from regard.text.tokenizer import Tokenizer
from regard.training.learner import Learner, Standing
from regard.training.replica import Batch, batch_loss, make_batch
from regard.training.schedule import learning_rate
from regard.weights import load_tensors, save_tensors, set_weights, weights_of

LAST = "last.safetensors"  # in the folder `training`: where it stands
TIE = 1e-6  # of BLEU, for a nat of the loss


class Updated(NamedTuple):
    """One update is done."""

    update: int
    epoch: int
    progress: float  # share of the whole run, 0 to 1
    rate: float  # learning rate
    log_loss: float  # -log p a target piece, in nats, under dropout
    tokens: int  # source and target pieces, without padding
    seconds: float  # that it took


class Validated(NamedTuple):
    """The validation set was read (log_loss) and translated (bleu)."""

    update: int
    epoch: int
    seconds: float  # of training until here
    log_loss: float  # -log p a target piece, in nats
    bleu: dict[str, float]  # of greedy translations, for each direction
    signature: str  # sacreBLEU's, of the recipe behind that number; of several, with a comma between them
    best: bool


class Ended(NamedTuple):
    """The training is over, or was asked to pause."""

    why: str
    finished: bool


Event = Updated | Validated | Ended


@dataclass(frozen=True)
class Run:
    """What a training works on."""

    folder: Path  # the model directory; the training's own files are in its folder `training`
    config: Config
    tokenizer: Tokenizer
    train: Pairs
    valid: Pairs
    trained: bool = False  # its weights had learned something before the first update

    @property
    def own(self) -> Path:
        """Where the checkpoints and the history are."""
        return self.folder / "training"


def train(run: Run, learner: Learner, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """Trains until a limit is reached, the score no longer rises, or `stop()` says so; tells what happens.

    Raises DivergenceError where there is nothing more to be learned; what is on disk stays as it was before.
    """
    config, standing, history = run.config.training, learner.standing, History(run, learner.standing.update)
    if standing.finished:
        yield Ended("this training is over; a higher limit, such as --epochs, goes on", True)
        return
    valid = encode_pairs(run.tokenizer, run.valid)
    if run.trained and not standing.update and not standing.best:
        came_from = history.add(_validate(run, learner, valid))  # what follows has to be better
        learner.save(run.own / LAST)
        yield came_from
    started = time.monotonic()
    began = started - standing.seconds
    for batches, epoch_length in _updates(run, learner):
        rate = learning_rate(config, standing.update + 1, _progress(config, standing, epoch_length))
        log_loss = learner.update(batches, rate)
        _refuse_divergence(run, learner, log_loss)
        standing.position += 1
        standing.seconds = time.monotonic() - began
        progress = _progress(config, standing, epoch_length)
        tokens = sum(int((batch.source != PAD).sum()) + batch.tokens for batch in batches)
        seconds = time.monotonic() - started
        yield history.add(Updated(standing.update, standing.epoch, progress, rate, log_loss, tokens, seconds))

        ends = "the limit is reached" if progress >= 1 else ""
        due = standing.update % config.validate_every == 0
        if due or ends:
            yield history.add(_validate(run, learner, valid))
            standing.seconds = time.monotonic() - began
        if standing.stale >= config.patience:
            ends = f"no better score in {config.patience} validations"
        if ends:
            yield history.add(_conclude(run, learner, valid))
            yield Ended(ends, True)
            return
        pause = stop()
        if due or standing.update % config.save_every == 0 or pause:
            learner.save(run.own / LAST)
            _forget(run, standing)
        if pause:
            yield Ended(
                f"paused after update {standing.update:,}; `regard train {run.folder}` goes on from there", False
            )
            return
        started = time.monotonic()  # the batches of an update are part of its time


def _updates(run: Run, learner: Learner) -> Iterator[tuple[list[Batch], int]]:
    """From where the learner stands on: the batches of each update, and the number of updates in this epoch.

    Their order is a function of (seed, epoch) alone, and so are the pieces where the tokenizer samples.
    """
    config, standing = run.config.training, learner.standing
    corpus = Sampled(run.tokenizer, run.train, run.config.text.sampling)
    while True:
        pairs = corpus.draw(config.seed * 1_000_003 + standing.epoch)
        lengths = pairs.source.lengths, pairs.target.lengths
        batches = token_batches(*lengths, budget=config.batch_tokens, seed=config.seed, epoch=standing.epoch)
        starts = range(0, len(batches), config.accumulate)
        while standing.position < len(starts):
            start = starts[standing.position]
            yield (
                [make_batch(pairs, rows, learner.device) for rows in batches[start : start + config.accumulate]],
                len(starts),
            )
        standing.epoch, standing.position = standing.epoch + 1, 0


def _refuse_divergence(run: Run, learner: Learner, log_loss: float) -> None:
    if math.isfinite(log_loss) and bool(torch.isfinite(learner.weights.vector.detach().sum())):
        return
    raise DivergenceError(
        f"diverged at update {learner.standing.update:,}: the loss is {log_loss:.3g}, or a weight is no number. "
        f"The last good state is on disk. Train in a new folder with a lower training.learning_rate; here it is "
        f"{run.config.training.learning_rate:g}."
    )


def _progress(config: TrainingConfig, standing: Standing, epoch_length: int) -> float:
    """The share of the run that is done, by the limit that is nearest; 0 where there is none."""
    done = [
        (standing.update, config.updates),
        (standing.epoch + standing.position / epoch_length, config.epochs),
        (standing.seconds / 60, config.minutes),
    ]
    return max((reached / limit for reached, limit in done if limit), default=0.0)


def _validate(run: Run, learner: Learner, valid: Encoded) -> Validated:
    """Scores the model; keeps it where it is among the best."""
    config, standing = run.config.training, learner.standing
    seen = measure(run, learner, learner.result, valid)
    best = not standing.best or seen.score > standing.best[0][0]
    standing.stale = 0 if best else standing.stale + 1
    kept = sorted([*standing.best, (seen.score, standing.update)], reverse=True)[: config.average]
    if (seen.score, standing.update) in kept:
        save_tensors(_kept(run, standing.update), weights_of(learner.result))
    standing.best = kept
    if best:
        save_tensors(run.folder / WEIGHTS, weights_of(learner.result))
    return _validated(standing, seen, best)


class Seen(NamedTuple):
    """How well a model does on the validation set."""

    log_loss: float  # -log p a target piece, in nats
    bleu: dict[str, Score]  # of greedy translations, for each direction

    @property
    def score(self) -> float:
        """What is compared: the mean BLEU and, where that is the same, the loss; without translations, log p."""
        if not self.bleu:
            return -self.log_loss
        return sum(score.score for score in self.bleu.values()) / len(self.bleu) - TIE * self.log_loss


def measure(run: Run, learner: Learner, model: EncoderDecoder, valid: Encoded) -> Seen:
    """Reads the validation pairs, and translates the first training.validate_pairs of them."""
    model.eval()
    config = run.config.training
    log_loss = tokens = 0.0
    lengths = valid.source.lengths, valid.target.lengths
    with torch.inference_mode():
        for rows in token_batches(*lengths, budget=config.batch_tokens, seed=0, epoch=0):
            batch = make_batch(valid, rows, learner.device)
            log_loss += batch_loss(model, batch, config.label_smoothing).log_loss.item()
            tokens += batch.tokens
    decoding = DecodingConfig(beam_size=1, max_length=run.config.decoding.max_length)
    greedy = dataclasses.replace(run.config, decoding=decoding)
    translator, scores = Translator(model, run.tokenizer, greedy), {}
    for number, direction in enumerate(run.config.text.directions or [""]):
        source, target = (side[: config.validate_pairs] for side in (reversed(run.valid) if number else run.valid))
        if source:
            answers = translator.translate(source, direction=direction or None, log_probs=False)
            texts = [answer.text for answer in answers]
            scores[direction] = bleu(texts, target, tokenize=tokenization(direction.partition("-")[2]))
    return Seen(log_loss / tokens, scores)


def _validated(standing: Standing, seen: Seen, best: bool) -> Validated:
    signature = ", ".join(dict.fromkeys(score.signature for score in seen.bleu.values()))
    scores = {direction: score.score for direction, score in seen.bleu.items()}
    return Validated(standing.update, standing.epoch, standing.seconds, seen.log_loss, scores, signature, best)


def _conclude(run: Run, learner: Learner, valid: Encoded) -> Validated:
    """The mean of the best checkpoints becomes the model, where it is better than the best of them."""
    standing = learner.standing
    loaded = [load_tensors(_kept(run, update))[0] for _, update in standing.best]
    alone, mean = loaded[0], {name: torch.stack([one[name] for one in loaded]).mean(dim=0) for name in loaded[0]}
    candidate = copy.deepcopy(learner.result)
    set_weights(candidate, mean, run.own)
    seen = measure(run, learner, candidate, valid)
    if seen.score < standing.best[0][0]:
        set_weights(candidate, alone, run.own)
        seen = measure(run, learner, candidate, valid)
    save_tensors(run.folder / WEIGHTS, weights_of(candidate))
    standing.finished = True
    learner.save(run.own / LAST)
    _forget(run, standing)
    return _validated(standing, seen, True)


def _kept(run: Run, update: int) -> Path:
    return run.own / f"update-{update}.safetensors"


def _forget(run: Run, standing: Standing) -> None:
    """Deletes the checkpoints that are no longer among the best; only after the new standing is on disk."""
    wanted = {_kept(run, update) for _, update in standing.best}
    for path in run.own.glob("update-*.safetensors"):
        if path not in wanted:
            path.unlink()


class History:
    """The validations so far, with the training loss between them: `training/history.jsonl`, a line each."""

    def __init__(self, run: Run, update: int) -> None:
        self.path = run.own / "history.jsonl"
        self.rows = [row for row in read_history(run) if row["update"] <= update]
        self.losses: list[float] = []

    def add(self, event: Event) -> Event:
        """Notes the event and hands it on."""
        if isinstance(event, Updated):
            self.losses.append(event.log_loss)
        elif isinstance(event, Validated):
            mean = sum(self.losses) / len(self.losses) if self.losses else None
            self.rows.append(event._asdict() | {"training_log_loss": mean})
            self.losses = []
            write_text(self.path, "".join(json.dumps(row) + "\n" for row in self.rows))
        return event


def read_history(run: Run) -> list[dict[str, Any]]:
    """The validations so far, the oldest first."""
    path = run.own / "history.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line] if path.exists() else []
