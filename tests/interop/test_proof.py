"""Whether a shortlist is harmless is tried on held-out lines; here they are those of a language of one word a word."""

import dataclasses
import shutil

import numpy as np
import pytest

from regard.interop import proof
from regard.interop.engines import SHORTLIST, key, load
from regard.interop.proof import Verdict, give_shortlist, prove
from regard.interop.shortlist import Shortlist, learn_shortlists


def verdict(*, kept=True, same=0.99, together=1.5):
    return Verdict(kept, 300, same, 0.0, together, 1.5)


@pytest.mark.parametrize(("kept", "told"), [(True, "is used"), (False, "is left out")])
def test_it_is_kept_only_where_it_proves_itself(two_way, pairs, tmp_path, monkeypatch, kept, told):
    monkeypatch.setattr(proof, "_verdict", lambda *_: verdict(kept=kept))
    folder = shutil.copytree(two_way, tmp_path / "model")
    assert f"{told}: with 300 words that may always come, 99.0%" in str(give_shortlist(folder, pairs, pairs))
    assert (folder / SHORTLIST).exists() == kept


@pytest.mark.parametrize(
    ("verdicts", "chosen"),
    [
        ([verdict(together=1.4), verdict(together=1.2)], 0),
        ([verdict(together=1.2), verdict(together=1.4)], 1),
        ([verdict(kept=False, together=9.0), verdict()], 1),
        ([verdict(kept=False, same=0.5), verdict(kept=False, same=0.7)], 1),
    ],
)
def test_the_quickest_harmless_one_is_kept_or_the_best_that_failed_is_told(
    two_way, pairs, tmp_path, monkeypatch, verdicts, chosen
):
    monkeypatch.setattr(proof, "prove", lambda *_: verdicts)
    folder = shutil.copytree(two_way, tmp_path / "model")
    found = give_shortlist(folder, pairs, pairs)
    assert found is verdicts[chosen]
    if found.kept:
        expected = learn_shortlists(pairs, load(two_way).tokenizer)[chosen]
        assert np.array_equal(Shortlist.load(folder / SHORTLIST).always, expected.always)
        assert (folder / "engines" / "ctranslate2-int8" / key(folder)).is_dir()


def test_the_proof_compares_with_and_without_and_wants_as_many_alike_as_it_says(two_way, pairs, monkeypatch):
    learned = learn_shortlists(pairs, load(two_way).tokenizer)
    monkeypatch.setattr(proof, "SAME", 1.1)
    for verdict in prove(two_way, learned, pairs):
        assert verdict.same > 0.9
        assert not verdict.kept
    nothing = dataclasses.replace(
        learned[0], always=learned[0].always[:1], source=learned[0].source[:0], target=learned[0].target[:0]
    )
    assert prove(two_way, [nothing], pairs)[0].same < 0.5


def test_where_hardly_a_piece_is_left_out_every_translation_stays_as_it_was(two_way, pairs):
    """The list for all sources, of a model that learned to write all but its rarest pieces."""
    (found,) = prove(two_way, learn_shortlists(pairs, load(two_way).tokenizer)[1:], pairs)
    assert (found.same, found.bleu) == (1, 0)


def test_who_is_interrupted_before_the_proof_leaves_no_shortlist(two_way, pairs, tmp_path, monkeypatch):
    folder = shutil.copytree(two_way, tmp_path / "model")

    def interrupted(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(proof, "_verdict", interrupted)
    with pytest.raises(KeyboardInterrupt):
        give_shortlist(folder, pairs, pairs)
    assert not (folder / SHORTLIST).exists()
