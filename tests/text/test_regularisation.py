"""Subword regularisation: the draws by hand, and SentencePiece's best pieces where nothing is left to chance."""

import math
import subprocess
import sys

import pytest

from regard.config import TextConfig
from regard.text.formats import Pairs
from regard.text.regularisation import Regularisation
from regard.text.tokenizer import Tokenizer

LINES = [f"le chat{'s' * (n % 2)} dort{'' if n % 3 else 'aient'} sur la table n{n * n}" for n in range(97)]
PAIRS = Pairs(LINES, [line.upper() for line in LINES])
UNIGRAM = Regularisation({"ab": math.log(0.5), "a": math.log(0.2), "b": math.log(0.3)})
MERGES = Regularisation({"ab": 0.0, "abc": -1.0, "bc": -2.0, "a": -3.0, "b": -4.0, "c": -5.0})
N = 4001


def share(rules, word, strength, pieces):
    """How often a word is written so."""
    return sum(rules.draw(word, strength, number) == pieces for number in range(N)) / N


def vocabulary(kind):
    return Tokenizer.train(PAIRS, TextConfig(tokenizer=kind, vocabulary=330), seed=1).source


@pytest.mark.parametrize(
    ("power", "expected"), [(1.0, 0.5 / 0.56), (0.5, 0.5**0.5 / (0.5**0.5 + 0.06**0.5)), (0.0, 0.5)]
)
def test_a_way_has_a_probability_proportional_to_the_power_of_its_pieces(power, expected):
    """ab: 0.5; a, b: 0.2 * 0.3."""
    assert share(UNIGRAM, "ab", power, ["ab"]) == pytest.approx(expected, abs=0.03)
    assert share(UNIGRAM, "ab", power, ["a", "b"]) == pytest.approx(1 - expected, abs=0.03)


def test_each_merge_is_left_out_with_the_probability_of_the_dropout_at_every_step():
    """Of abc: first ab (0.7), else bc (0.3 * 0.7), else nothing; then abc, either way, with 0.7."""
    assert share(MERGES, "abc", 0.3, ["abc"]) == pytest.approx((0.7 + 0.3 * 0.7) * 0.7, abs=0.03)
    assert share(MERGES, "abc", 0.3, ["ab", "c"]) == pytest.approx(0.7 * 0.3, abs=0.03)
    assert share(MERGES, "abc", 0.3, ["a", "bc"]) == pytest.approx(0.3 * 0.7 * 0.3, abs=0.03)
    assert share(MERGES, "abc", 0.3, ["a", "b", "c"]) == pytest.approx(0.3 * 0.3, abs=0.03)


def every_word():
    return sorted({word for line in (*PAIRS.source, *PAIRS.target) for word in line.split()})


def test_without_dropout_the_merges_are_sentencepieces():
    words = vocabulary("bpe")
    for word in every_word():
        assert words._regularisation.draw(f"▁{word}", 0.0, 0) == words.pieces(words.encode(word))


def test_at_a_high_power_only_the_best_way_is_left():
    """There may be several as good."""
    words = vocabulary("unigram")
    rules = words._regularisation
    for word in every_word():
        drawn, best = rules.draw(f"▁{word}", 1e3, 0), words.pieces(words.encode(word))
        assert sum(rules.scores[piece] for piece in drawn) == pytest.approx(sum(rules.scores[piece] for piece in best))


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_another_process_draws_the_same(tmp_path, kind):
    """SentencePiece's own draws do not: its random numbers are salted in each process."""
    code = (
        "from regard.text.tokenizer import Vocabulary; import sys, pathlib; "
        "v = Vocabulary(pathlib.Path(sys.argv[1]).read_bytes()); "
        f"print([v.draw(word, 0.3, 5) for row in v.encode_many({LINES[:7]!r}) for word in v.words(row)])"
    )
    words = vocabulary(kind)
    best = [word for row in words.encode_many(LINES[:7]) for word in words.words(row)]
    expected = [words.draw(word, 0.3, 5) for word in best]
    assert expected != best
    (tmp_path / "model").write_bytes(words.model)
    asked = [sys.executable, "-c", code, str(tmp_path / "model")]
    run = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(expected)
