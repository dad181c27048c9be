"""`regard train`, as it is typed: what it leaves behind when it is over, and when it fails."""

import pytest

QUICK = ["--set=model.n_encoder_layers=1", "--set=model.n_decoder_layers=1", "--set=model.d_model=16"]
QUICK += ["--set=model.d_ff=16", "--set=text.tokenizer=word", "--set=training.batch_tokens=256"]
QUICK += ["--set=training.precision=float32", "--set=training.validate_pairs=2", "--threads=1"]


@pytest.fixture
def begin(regard, toy, tmp_path):
    """Trains a small model in the folder `model`."""

    def run(*options):
        pairs = (toy.folder / "toy.fr", toy.folder / "toy.en")
        return regard("train", tmp_path / "model", "--train", *pairs, *QUICK, "--updates=2", *options)

    return run


def test_a_training_that_is_over_leaves_the_card_alone(begin, regard, tmp_path):
    assert begin().code == 0
    card = tmp_path / "model" / "README.md"
    written = card.read_text(encoding="utf-8")
    card.write_text("Mine.", encoding="utf-8")
    assert regard("train", tmp_path / "model").code == 0
    assert card.read_text(encoding="utf-8") == "Mine."
    card.unlink()
    assert regard("train", tmp_path / "model").code == 0
    assert card.read_text(encoding="utf-8") == written


def test_a_shortlist_that_was_interrupted_is_learned_the_next_time_and_no_more(begin, regard, tmp_path, monkeypatch):
    from regard.interop import engines, proof

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(engines, "pick", lambda *_, **__: engines.Picked(None, ""))
    monkeypatch.setattr(proof, "give_shortlist", interrupted)
    assert begin().code == 1
    proved = []
    monkeypatch.setattr(proof, "give_shortlist", lambda folder, *_, **__: proved.append(folder) or "Left out.")
    for _ in range(2):
        assert regard("train", tmp_path / "model").code == 0
    assert proved == [tmp_path / "model"]
    assert regard("train", tmp_path / "model", "--updates=3").code == 0
    assert len(proved) == 2


def test_a_shortlist_goes_with_its_weights_though_no_other_can_be_learned(begin, regard, tmp_path, monkeypatch):
    from regard.interop import engines

    monkeypatch.setattr(engines, "pick", lambda *_, **__: engines.Picked(None, "there is a graphics card"))
    assert begin().code == 0
    shortlist = tmp_path / "model" / engines.SHORTLIST
    shortlist.write_bytes(b"of the weights before")
    assert regard("train", tmp_path / "model", "--updates=3").code == 0
    assert not shortlist.exists()


def test_the_threads_that_are_asked_for_hold_in_the_proof_too(begin, monkeypatch):
    from regard.interop import engines, proof

    asked = []
    monkeypatch.setattr(engines, "pick", lambda *_, threads: asked.append(threads) or engines.Picked(None, ""))
    monkeypatch.setattr(proof, "give_shortlist", lambda *_, threads: asked.append(threads) or "Left out.")
    assert begin("--threads=3").code == 0
    assert asked == [3, 3]


def test_a_training_that_diverges_fails_with_a_line(begin):
    ran = begin("--set=training.learning_rate=1e300", "--set=training.warmup=1")
    assert ran.code == 1
    assert ran.err.splitlines()[-1].startswith("regard train: diverged at update 1: ")
