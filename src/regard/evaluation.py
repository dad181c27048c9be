"""How good translations are: BLEU, chrF and TER, by sacreBLEU, each with the signature of the recipe that made it."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sacrebleu.metrics import BLEU, CHRF, TER

from regard.errors import InputError

SEED = "SACREBLEU_SEED"  # in the environment: where sacreBLEU looks for the seed of its resamples
TOKENIZERS = ("13a", "intl", "char", "zh", "ja-mecab", "ko-mecab", "none")  # BLEU's
UNSPACED = {  # languages that put no spaces between words; 13a would take a whole clause for a word
    **dict.fromkeys(("zh", "zho", "cmn", "yue"), "zh"),
    **dict.fromkeys(("ja", "jpn", "th", "tha", "lo", "lao", "km", "khm", "my", "mya"), "char"),
}


class Score(NamedTuple):
    """One metric's verdict over a corpus."""

    metric: str  # BLEU and chrF: more is better; TER: less is
    score: float  # 0 to 100; TER may pass 100
    low: float | None  # 95 % bootstrap interval (Koehn, 2004); None where it was not asked for
    high: float | None
    signature: str


class _Floats:
    """Scores as plain floats. Those of sacreBLEU are numpy's but where nothing matches, as in a resample of few lines,
    and its interval cannot be computed from both kinds."""

    def _compute_score_from_stats(self, stats: Any) -> Any:
        found = super()._compute_score_from_stats(stats)  # type: ignore[misc]
        found.score = float(found.score)
        return found


class _Chrf(_Floats, CHRF):
    pass


class _Ter(_Floats, TER):
    pass


def evaluate(
    translations: Sequence[str],
    references: Sequence[str],
    *,
    resamples: int = 1000,
    tokenize: str = "13a",
    seed: int | None = None,
) -> list[Score]:
    """BLEU, chrF and TER of the translations, with bootstrap intervals from that many resamples (0 = none).

    `seed` is that of the resamples; without one it is sacreBLEU's own, 12345, which most published signatures have.
    `tokenize` is BLEU's, one of TOKENIZERS; none is for text that is tokenised already.
    Raises InputError where the counts differ, or there is nothing to score.
    """
    metrics: list[BLEU | CHRF | TER] = [bleu_with(tokenize), _Chrf(), _Ter()]
    with _seeded(seed):
        return [_score(metric, translations, references, resamples) for metric in metrics]


def bleu(translations: Sequence[str], references: Sequence[str], *, tokenize: str = "13a") -> Score:
    """BLEU alone, without an interval."""
    return _score(bleu_with(tokenize), translations, references, 0)


def chrf(translations: Sequence[str], references: Sequence[str]) -> Score:
    """chrF alone, without an interval."""
    return _score(CHRF(), translations, references, 0)


def tokenization(language: str | None) -> str:
    """BLEU's tokenizer for translations into this language, such as `fr`, `zh` or `zh_TW`; None: an unknown one."""
    return UNSPACED.get((language or "").lower().replace("_", "-").partition("-")[0], "13a")


def bleu_with(tokenize: str) -> BLEU:
    """The metric with that tokenizer. Raises InputError where there is none such, or it is not installed."""
    if tokenize not in TOKENIZERS:
        raise InputError(f"BLEU has no tokenizer '{tokenize}'; there are {', '.join(TOKENIZERS)}.")
    try:
        return BLEU(tokenize=tokenize, force=True)
    except (ImportError, RuntimeError):
        raise InputError(f"BLEU's tokenizer {tokenize} needs: pip install 'sacrebleu[{tokenize[:2]}]'") from None


@contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """Within it, sacreBLEU draws its resamples with this seed, or with its own."""
    before = os.environ.get(SEED)
    try:
        if seed is not None:
            os.environ[SEED] = str(seed)
        yield
    finally:
        os.environ.pop(SEED, None)
        if before is not None:
            os.environ[SEED] = before


def _score(metric: BLEU | CHRF | TER, translations: Sequence[str], references: Sequence[str], resamples: int) -> Score:
    if len(translations) != len(references) or not references:
        raise InputError(
            f"There are {len(translations)} translations and {len(references)} references; "
            f"a score needs as many of both, and one at least."
        )
    result = metric.corpus_score(translations, [references], n_bootstrap=max(resamples, 1))
    signature = str(metric.get_signature())
    told = json.loads(result.format(is_json=True, signature=signature))
    if resamples < 2:
        return Score(told["name"], result.score, None, None, signature)
    middle, spread = told.get("confidence_mean", 0.0), told.get("confidence_var", 0.0)  # it tells none where all are 0
    return Score(told["name"], result.score, middle - spread, middle + spread, signature)
