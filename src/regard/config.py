"""The numbers of a run: every setting, its meaning, its default, and the check that refuses a wrong one."""

import dataclasses
import difflib
import functools
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from regard.errors import InputError

PAD, UNK, BOS, EOS = range(4)  # ids of the special pieces: padding, unknown, start, end
SEEDS = 2**32  # a seed is below this


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise InputError(message)


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The shape of a model, in the letters of "Attention is all you need" (table 3). Defaults: the base Transformer."""

    architecture: Literal["transformer", "rnn"] = "transformer"
    cell: Literal["gru", "lstm"] = "gru"  # of an RNN
    attention: bool = True  # of an RNN: its decoder looks at every source word, not at a summary
    n_encoder_layers: int = 6
    n_decoder_layers: int = 6
    d_model: int = 512
    d_ff: int = 2048
    n_heads: int = 8
    d_k: int | None = None  # width of a query and of a key; None: d_model / n_heads
    d_v: int | None = None  # width of a value; None: d_model / n_heads
    norm: Literal["post", "pre"] = "post"
    positions: Literal["sinusoidal", "learned", "none"] = "sinusoidal"
    activation: Literal["relu", "gelu", "swiglu"] = "relu"
    p_drop: float = 0.1
    tie: bool = True  # one matrix for the output layer and the embeddings (section 3.4)
    max_length: int = 1024  # rows of a learned position table; the others have no end

    def __post_init__(self) -> None:
        for name in ("n_encoder_layers", "n_decoder_layers", "d_model", "d_ff", "n_heads", "max_length", "d_k", "d_v"):
            given = getattr(self, name)
            _check(given is None or given >= 1, f"model.{name} is {given}; it must be at least 1.")
        rnn = self.architecture == "rnn"
        _check(
            rnn or bool(self.d_k and self.d_v) or self.d_model % self.n_heads == 0,
            f"model.d_model is {self.d_model} and model.n_heads is {self.n_heads}: the width does not divide among "
            f"the heads. Choose a multiple, or set model.d_k and model.d_v yourself.",
        )
        _check(
            rnn or (self.cell == "gru" and self.attention),
            "model.cell and model.attention are settings of an RNN: add model.architecture = rnn, or leave them out.",
        )
        _check(not rnn or self.positions != "learned", "An RNN takes no positions: leave model.positions out.")
        _check(self.d_model % 2 == 0, f"model.d_model is {self.d_model}; it must be even (sine and cosine in pairs).")
        _check(0 <= self.p_drop < 1, f"model.p_drop is {self.p_drop}; it is a probability in [0, 1).")

    @property
    def key_width(self) -> int:
        """d_k, the width of one head's queries and keys."""
        return self.d_k or self.d_model // self.n_heads

    @property
    def value_width(self) -> int:
        """d_v, the width of one head's values and of its output."""
        return self.d_v or self.d_model // self.n_heads


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """How lines become pieces."""

    tokenizer: Literal["unigram", "bpe", "word", "char"] = "unigram"
    vocabulary: int = 8000  # pieces of each vocabulary; fewer where the corpus does not hold that many
    joint: bool = True  # one vocabulary for both languages
    sampling: float = 0.0  # subword regularisation: BPE-dropout's probability, or 1 / temperature for unigram; 0 = off
    directions: tuple[str, ...] = ()  # such as ("fr-en", "en-fr"); none = one direction without a name
    max_length: int = 250  # pieces; longer pairs are left out of the training

    def __post_init__(self) -> None:
        _check(self.vocabulary >= 300, f"text.vocabulary is {self.vocabulary}; it needs 300 (256 of them are bytes).")
        _check(0 <= self.sampling < 1, f"text.sampling is {self.sampling}; it lies in [0, 1).")
        _check(self.max_length >= 2, f"text.max_length is {self.max_length}; it must be at least 2.")
        _check(
            not self.sampling or self.tokenizer in ("unigram", "bpe"),
            f"text.sampling is {self.sampling}, but there is only one way to write a line with text.tokenizer = "
            f"{self.tokenizer}. Set text.sampling = 0, or text.tokenizer = unigram or bpe.",
        )


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How the weights are learned (section 5 of the paper)."""

    batch_tokens: int = 4096  # source and target pieces of one batch, padding included
    accumulate: int = 1  # batches of one update; the cores of a processor work on them side by side
    learning_rate: float = 2e-3  # at its peak
    schedule: Literal["inverse_sqrt", "cosine"] = "inverse_sqrt"
    warmup: int = 2000  # updates until the peak; where minutes are the limit, a quarter of them at most
    label_smoothing: float = 0.1
    clip: float = 1.0  # largest norm of the gradient; 0 = off
    ema: float = 0.0  # decay of a running average of the weights, which is what is validated and kept; 0 = off
    average: int = 1  # the best checkpoints whose mean is the final model
    patience: int = 10  # validations without a better score before the training stops
    validate_every: int = 1000  # updates
    validate_pairs: int = 1000  # pairs of the validation set that are translated for its BLEU
    save_every: int = 1000  # updates
    epochs: int = 0  # limits, the first one reached ends the training; 0 = none
    updates: int = 0
    minutes: float = 0.0
    seed: int = 1
    precision: Literal["float32", "bfloat16"] = "float32"  # of the products; the weights themselves are float32
    tensorboard: bool = False

    def __post_init__(self) -> None:
        for name in ("batch_tokens", "accumulate", "warmup", "average", "patience", "validate_every", "save_every"):
            _check(getattr(self, name) >= 1, f"training.{name} is {getattr(self, name)}; it must be at least 1.")
        for name in ("epochs", "updates", "minutes", "clip", "validate_pairs", "seed"):
            _check(getattr(self, name) >= 0, f"training.{name} is {getattr(self, name)}; it must not be negative.")
        _check(self.seed < SEEDS, f"training.seed is {self.seed}; it must be below {SEEDS}.")
        _check(self.learning_rate > 0, f"training.learning_rate is {self.learning_rate}; it must be positive.")
        for name in ("label_smoothing", "ema"):
            _check(0 <= getattr(self, name) < 1, f"training.{name} is {getattr(self, name)}; it lies in [0, 1).")


@dataclass(frozen=True, kw_only=True)
class DecodingConfig:
    """How a translation is searched for."""

    beam_size: int = 5  # 1 = greedy
    n_best: int = 1
    length_penalty: float = 1.0  # a hypothesis is ranked by log p / length ** length_penalty
    no_repeat_ngram: int = 0  # no run of so many pieces twice; 0 = off
    temperature: float = 0.0  # above 0: sample instead of searching
    top_k: int = 0  # sample among the k best pieces; 0 = all
    top_p: float = 1.0  # sample among the best pieces that hold this much probability
    max_length: int = 512  # target pieces
    max_ratio: float = 3.0  # target pieces, at most this times the source's, plus 10
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("beam_size", "n_best", "max_length"):
            _check(getattr(self, name) >= 1, f"decoding.{name} is {getattr(self, name)}; it must be at least 1.")
        for name in ("no_repeat_ngram", "temperature", "top_k", "seed"):
            _check(getattr(self, name) >= 0, f"decoding.{name} is {getattr(self, name)}; it must not be negative.")
        _check(self.seed < SEEDS, f"decoding.seed is {self.seed}; it must be below {SEEDS}.")
        _check(0 < self.top_p <= 1, f"decoding.top_p is {self.top_p}; it lies in (0, 1].")
        _check(abs(self.length_penalty) <= 10, f"decoding.length_penalty is {self.length_penalty}; not in [-10, 10].")
        _check(self.max_ratio > 0, f"decoding.max_ratio is {self.max_ratio}; it must be positive.")
        narrow = self.n_best > self.beam_size and not self.temperature
        _check(not narrow, f"decoding.n_best is {self.n_best}: raise decoding.beam_size from {self.beam_size} to that.")


@dataclass(frozen=True, kw_only=True)
class Config:
    """All settings of a run; `model.d_model` is the dotted name of one."""

    model: ModelConfig = field(default_factory=ModelConfig)
    text: TextConfig = field(default_factory=TextConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    decoding: DecodingConfig = field(default_factory=DecodingConfig)

    def __post_init__(self) -> None:
        rows, longest = self.model.max_length, max(self.text.max_length + 2, self.decoding.max_length)
        _check(
            self.model.positions != "learned" or longest <= rows,
            f"model.max_length is {rows}, but text.max_length = {self.text.max_length} and decoding.max_length = "
            f"{self.decoding.max_length} take {longest} learned positions. Raise it, or lower the others.",
        )


PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {"layers": (4, 4), "d_model": 128, "d_ff": 256, "n_heads": 4},
    "small": {"layers": (6, 6), "d_model": 256, "d_ff": 1024, "n_heads": 4},
    "base": {"layers": (6, 6), "d_model": 512, "d_ff": 2048, "n_heads": 8},
    "big": {"layers": (6, 6), "d_model": 1024, "d_ff": 4096, "n_heads": 16},
    "deep-shallow": {"layers": (12, 1), "d_model": 512, "d_ff": 2048, "n_heads": 8, "norm": "pre"},
    "student": {"layers": (6, 1), "d_model": 128, "d_ff": 512, "n_heads": 4, "norm": "pre"},
}

Settings = dict[str, Any]  # dotted name -> value


def preset(name: str) -> Settings:
    """The settings behind a name: tiny, small, base, big (table 3 of the paper), deep-shallow (Kasai et al., 2021), and
    student, a small one of that kind."""
    if name not in PRESETS:
        close = difflib.get_close_matches(name, PRESETS, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(PRESETS)}."
        raise InputError(f"There is no preset '{name}'; {hint}")
    sizes = dict(PRESETS[name])
    encoder, decoder = sizes.pop("layers")
    return {f"model.{key}": value for key, value in sizes.items()} | {
        "model.n_encoder_layers": encoder,
        "model.n_decoder_layers": decoder,
    }


def configure(settings: Mapping[str, Any], base: Config | None = None) -> Config:
    """The configuration that these dotted settings ask for; everything else as in `base`, or at its default."""
    base = base or Config()
    parts: dict[str, dict[str, Any]] = {}
    for name, value in settings.items():
        typed = _typed(name, value)
        part, _, key = name.partition(".")
        parts.setdefault(part, {})[key] = typed
    changed = {part: dataclasses.replace(getattr(base, part), **values) for part, values in parts.items()}
    return dataclasses.replace(base, **changed)


def flatten(config: Config) -> Settings:
    """Dotted name -> value, for every setting."""
    return {
        f"{part}.{key}": value for part, values in dataclasses.asdict(config).items() for key, value in values.items()
    }


def shown(value: Any) -> str:
    """A setting's value as it is written on a command line."""
    if isinstance(value, tuple):
        return ",".join(value) or "none"
    return "auto" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def read_settings(path: Path) -> Settings:
    """The settings of a TOML file with tables [model], [text], [training], [decoding]."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Is the path right?") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a TOML file: {error}.") from None
    settings: Settings = {}
    for part, values in tables.items():
        if not isinstance(values, dict):
            raise InputError(f"{path}: '{part}' stands outside a table; write it under [model], [text], [training] ...")
        settings |= {f"{part}.{key}": value for key, value in values.items()}
    try:
        return {name: _typed(name, value) for name, value in settings.items()}
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def parse_setting(text: str) -> tuple[str, Any]:
    """`model.d_model=256` as (name, value)."""
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"'{text}' is not a setting; write name=value, such as model.d_model=256.")
    return name.strip(), _typed(name.strip(), value.strip())


def _typed(name: str, value: Any) -> Any:
    """The value as the type that its setting has; text, as typed on a command line, is read."""
    wanted = _settings().get(name)
    if wanted is None:
        raise InputError(f"There is no setting '{name}'; {_known_instead(name)}")
    try:
        return _read(value, wanted)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} is {shown(value)!r}; expected {_describe(wanted)}.") from None


def _read(value: Any, wanted: Any) -> Any:
    if get_origin(wanted) is Literal:
        if value not in get_args(wanted):
            raise ValueError
        return value
    if get_origin(wanted) is tuple:
        listed = value.replace(",", " ").split() if isinstance(value, str) else list(map(str, value))
        return () if listed == ["none"] else tuple(listed)
    if wanted == int | None:
        return None if value in (None, "none", "auto") else _read(value, int)
    if isinstance(value, str):
        truth = {"true": True, "yes": True, "false": False, "no": False}
        value = truth.get(value.lower()) if wanted is bool else wanted(value)
    if wanted is float and type(value) is int:
        value = float(value)
    if wanted is float and not math.isfinite(value):
        raise ValueError
    if type(value) is not wanted:
        raise TypeError
    return value


def _describe(wanted: Any) -> str:
    if get_origin(wanted) is Literal:
        return "one of " + ", ".join(get_args(wanted))
    names = {int: "a whole number", float: "a number", bool: "true or false", int | None: "a whole number, or auto"}
    return names.get(wanted, "a list of directions such as fr-en")


@functools.cache
def _settings() -> dict[str, Any]:
    """Every dotted name with its type."""
    return {
        f"{part}.{key}": kind
        for part, holder in get_type_hints(Config).items()
        for key, kind in get_type_hints(holder).items()
    }


def _known_instead(name: str) -> str:
    """What was probably meant by the name of a setting that does not exist."""
    part, _, key = name.rpartition(".")
    known = _settings()
    keys = {full.rpartition(".")[2] for full in known}
    near = [key] if key in keys else difflib.get_close_matches(key, keys, n=1)
    meant = [full for full in known if full.rpartition(".")[2] in near]
    within = [full for full in meant if full.startswith(f"{part}.")] or meant
    if within:
        return f"did you mean {' or '.join(map(repr, within))}?"
    kinds = get_type_hints(Config)
    if part in kinds:
        return f"{part} has {', '.join(get_type_hints(kinds[part]))}."
    return f"all begin with {'., '.join(kinds)}."
