"""A small model, taught for an experiment; kept in the trial's folder, so that it is taught once."""

import hashlib
import json
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from regard.config import Settings
from regard.decoding.directory import load
from regard.decoding.translator import Translator
from regard.demo.corpus import demo_corpus
from regard.disk import write_text
from regard.experiments.finding import Corpus, Step, Trial
from regard.text.formats import Pairs, fingerprint
from regard.training.loop import Updated, train
from regard.training.prepare import Wanted, prepare

NEVER = 10**9
SMALL: Settings = {  # learns the demo's sentences in seconds: BLEU 75 after 600 updates, 9 s of one core
    "text.tokenizer": "bpe",  # with few pieces: a large output layer costs most of the time
    "text.vocabulary": 1000,
    "model.n_encoder_layers": 2,
    "model.n_decoder_layers": 2,
    "model.d_model": 64,
    "model.d_ff": 128,
    "model.n_heads": 4,
    "model.norm": "pre",
    "model.p_drop": 0.0,
    "training.batch_tokens": 640,  # what is wanted here is many updates
    "training.accumulate": 1,
    "training.precision": "float32",
    "training.learning_rate": 8e-3,
    "training.schedule": "cosine",
    "training.warmup": 100,
    "training.label_smoothing": 0.05,
    "training.ema": 0.99,
    "training.validate_every": NEVER,
    "training.validate_pairs": 1,
    "training.save_every": NEVER,
    "decoding.beam_size": 1,
}
RNN: Settings = {  # beside them, and as quick
    "model.architecture": "rnn",
    "model.n_encoder_layers": 1,
    "model.n_decoder_layers": 1,
    "training.learning_rate": 1.2e-2,
}


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What a model is taught, and how."""

    name: str  # for people
    train: Pairs
    valid: Pairs
    settings: Settings  # beside those of SMALL: the number of updates at least
    seed: int

    @property
    def given(self) -> Settings:
        """All settings."""
        return SMALL | self.settings | {"training.seed": self.seed}


def corpus_of(trial: Trial) -> Corpus:
    """The user's pairs, or French to English as it comes with regard."""
    if trial.corpus:
        return trial.corpus
    made = demo_corpus(1)
    return Corpus(made.train, made.valid, made.test)


def teach(trial: Trial, lesson: Lesson) -> Generator[Step, None, Translator]:
    """Trains the model, or goes on, or finds it trained; then gives it."""
    read = json.dumps([lesson.given, fingerprint(lesson.train), fingerprint(lesson.valid)], sort_keys=True)
    folder = trial.folder / "models" / f"{lesson.name}-{hashlib.sha256(read.encode()).hexdigest()[:12]}"
    learned, validated = _write(lesson.train, folder, "train"), _write(lesson.valid, folder, "valid")
    wanted = Wanted(folder=folder / "model", train=learned, valid=validated, given=lesson.given, device=trial.device)
    prepared = prepare(wanted)
    for event in train(prepared.run, prepared.learner):
        if isinstance(event, Updated):
            yield Step(event.progress, f"learning, loss {event.log_loss:.2f}")
    return load(folder / "model", device=str(trial.device))


def _write(pairs: Pairs, folder: Path, part: str) -> list[str]:
    """The pairs as two files, and their names."""
    files = [folder / f"{part}.{side}" for side in ("source", "target")]
    for path, lines in zip(files, pairs, strict=True):
        write_text(path, "".join(f"{line}\n" for line in lines))
    return [str(path) for path in files]
