"""Whether a shortlist is harmless is tried on held-out lines; here they are those of a language of one word a word."""

import shutil

import numpy as np
import pytest

from regard.interop import proof
from regard.interop.engines import SHORTLIST, key, load
from regard.interop.proof import give_shortlist, prove
from regard.interop.shortlist import Shortlist, learn_shortlist
from regard.text.store import encode_pairs


@pytest.fixture
def learned(two_way, pairs):
    words = load(two_way).tokenizer
    return learn_shortlist(encode_pairs(words, pairs), words)


@pytest.mark.parametrize(("same", "told"), [(0.0, "is used"), (1.1, "is left out")])
def test_it_is_kept_only_where_it_proves_itself(two_way, pairs, learned, tmp_path, monkeypatch, same, told):
    monkeypatch.setattr(proof, "SAME", same)
    monkeypatch.setattr(proof, "_timed", lambda *_: np.array([[2.0, 2.0], [1.0, 1.0]]))  # without, and with
    folder = shutil.copytree(two_way, tmp_path / "model")
    verdict = give_shortlist(folder, pairs, pairs)
    assert f"{told}: with {verdict.pieces} of {verdict.vocabulary} pieces" in str(verdict)
    assert (folder / SHORTLIST).exists() == verdict.kept == (told == "is used")
    if verdict.kept:
        assert np.array_equal(Shortlist.load(folder / SHORTLIST).listed, learned.listed)
        assert (folder / "engines" / "ctranslate2-int8" / key(folder)).is_dir()


def test_what_is_left_out_of_this_model_changes_nothing_and_what_it_needs_a_lot(two_way, pairs, learned):
    found = prove(two_way, learned, pairs)
    assert (found.same, found.bleu) == (1, 0)
    few = prove(two_way, Shortlist(learned.listed[: len(learned.listed) // 2], learned.rest), pairs)
    assert few.same < 0.5
    assert not few.kept


def test_it_is_proved_against_the_model_without_the_one_that_it_has(two_way, pairs, learned, tmp_path):
    folder = shutil.copytree(two_way, tmp_path / "model")
    Shortlist(learned.listed[: len(learned.listed) // 2], learned.rest).save(folder / SHORTLIST)
    assert prove(folder, learned, pairs).same == 1


def test_one_that_makes_nothing_quicker_is_left_out(two_way, pairs, learned, monkeypatch):
    monkeypatch.setattr(proof, "_timed", lambda *_: np.array([[2.0, 1.0], [1.0, 1.01]]))
    found = prove(two_way, learned, pairs)
    assert (found.together, found.alone > 1, found.kept) == (2, False, False)


def test_both_are_timed_in_turns_and_the_quickest_round_counts(two_way, pairs, learned, tmp_path):
    ways = [proof._opened(two_way, tmp_path / name, short) for name, short in (("plain", None), ("short", learned))]
    assert [(tmp_path / name / SHORTLIST).exists() for name in ("plain", "short")] == [False, True]
    seconds = proof._timed(ways, pairs.source, "fr-en")
    assert seconds.shape == (2, 2)
    assert np.isfinite(seconds).all()
    assert (seconds > 0).all()


def test_who_is_interrupted_before_the_proof_leaves_no_shortlist(two_way, pairs, tmp_path, monkeypatch):
    folder = shutil.copytree(two_way, tmp_path / "model")

    def interrupted(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(proof, "_timed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        give_shortlist(folder, pairs, pairs)
    assert not (folder / SHORTLIST).exists()
