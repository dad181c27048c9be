"""The shortlist, on a language whose every word has one translation."""

import dataclasses
import shutil

import numpy as np
import pytest

from regard.errors import InputError
from regard.interop import shortlist
from regard.interop.engines import SHORTLIST, load
from regard.interop.shortlist import Shortlist, Verdict, give_shortlist, learn_shortlist, prove
from regard.text.formats import read_pairs
from regard.text.lexicon import learn_lexicon
from regard.text.store import encode_pairs


@pytest.fixture
def pairs(toy):
    return read_pairs([toy.folder / "toy.fr", toy.folder / "toy.en"])


def test_model_1_finds_the_translation_of_every_word(one_way, pairs, toy):
    words = load(one_way).tokenizer
    best = learn_lexicon(encode_pairs(words, pairs)).best(1, 0.0)
    found = {
        words.source.pieces([s])[0]: words.target.pieces([t])[0]
        for s, t in zip(best.source.tolist(), best.target.tolist(), strict=True)
    }
    for word in ("ba", "de", "du"):
        assert found[f"▁{word}"] == f"▁{toy.translate(word)}"


def test_the_probabilities_of_a_source_piece_sum_to_one(one_way, pairs):
    lexicon = learn_lexicon(encode_pairs(load(one_way).tokenizer, pairs))
    np.testing.assert_allclose(np.bincount(lexicon.source, lexicon.p)[np.unique(lexicon.source)], 1)
    assert (lexicon.best(3, 0.01).p >= 0.01).all()


def test_it_covers_what_is_written_and_survives_the_disk(one_way, pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(shortlist, "FREQUENT", 2)
    words = load(one_way).tokenizer
    short = learn_shortlist(pairs, words)
    short.save(tmp_path / "a.npz")
    back = Shortlist.load(tmp_path / "a.npz")
    assert back.as_map(words) == short.as_map(words)
    assert short.coverage(pairs, words) == 1
    without = dataclasses.replace(short, source=short.source[:0], target=short.target[:0])
    assert without.coverage(pairs, words) < 0.8


def test_bytes_and_the_end_may_always_come(one_way, pairs):
    words = load(one_way).tokenizer
    first = learn_shortlist(pairs, words).as_map(words).split("\n")[0]
    assert first.startswith("\t")
    assert {"</s>", "<0x00>", "<0xFF>"} <= set(first.strip().split(" "))


@pytest.mark.parametrize(("kept", "told"), [(True, "is used"), (False, "is left out")])
def test_it_is_kept_only_where_it_proves_itself(two_way, pairs, tmp_path, monkeypatch, kept, told):
    monkeypatch.setattr(shortlist, "_compared", lambda *_: Verdict(kept, 0.99, 0.0, 1.5, 1.5))
    folder = shutil.copytree(two_way, tmp_path / "model")
    assert f"that make the fast engine quicker, {told}: 99.0%" in str(give_shortlist(folder, pairs, pairs))
    assert (folder / SHORTLIST).exists() == kept


def test_the_proof_compares_with_and_without_and_wants_as_many_alike_as_it_says(two_way, pairs, monkeypatch):
    learned = learn_shortlist(pairs, load(two_way).tokenizer)
    monkeypatch.setattr(shortlist, "SAME", 1.1)
    verdict = prove(two_way, learned, pairs)
    assert verdict.same > 0.9
    assert not verdict.kept
    nothing = dataclasses.replace(
        learned, always=learned.always[:1], source=learned.source[:0], target=learned.target[:0]
    )
    assert prove(two_way, nothing, pairs).same < 0.5


@pytest.mark.parametrize("left", [0, 7, 100, -1])
def test_a_damaged_one_is_named(one_way, pairs, tmp_path, left):
    path = tmp_path / "shortlist.npz"
    learn_shortlist(pairs, load(one_way).tokenizer).save(path)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(InputError, match=r"shortlist\.npz: damaged"):
        Shortlist.load(path)


def test_who_is_interrupted_before_the_proof_leaves_no_shortlist(two_way, pairs, tmp_path, monkeypatch):
    folder = shutil.copytree(two_way, tmp_path / "model")

    def interrupted(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(shortlist, "_compared", interrupted)
    with pytest.raises(KeyboardInterrupt):
        give_shortlist(folder, pairs, pairs)
    assert not (folder / SHORTLIST).exists()
