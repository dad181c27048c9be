"""Which engine translates, and how it comes to lie in the model directory."""

import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

import regard
from regard.config import EOS
from regard.decoding.directory import WEIGHTS, load_config, save
from regard.disk import hash_of
from regard.errors import InputError
from regard.interop import engines
from regard.interop.ctranslate2 import CTranslate2Engine
from regard.interop.engines import HOME, SHORTLIST, key, load, pick, ready
from regard.interop.shortlist import Rest, Shortlist

LINE = "the animal did not cross the street"


def made(folder):
    """The engines that lie in the directory, whole or not."""
    return sorted((folder / HOME).iterdir())


def before_opening(monkeypatch, *events):
    """Has these happen, one each time an engine is about to be opened, with its directory."""
    left, opens = list(events), CTranslate2Engine.__init__

    def init(self, place, *given):
        if left:
            left.pop(0)(place)
        opens(self, place, *given)

    monkeypatch.setattr(CTranslate2Engine, "__init__", init)


def test_an_engine_is_made_on_first_use_and_used_again(saved):
    folder = saved()
    expected = load(folder, engine="ctranslate2").translate(LINE)
    (place,) = made(folder)
    assert place.name == key(folder)
    stamp = (place / "model.bin").stat().st_mtime_ns
    assert load(folder, engine="ctranslate2").translate(LINE) == expected
    assert (place / "model.bin").stat().st_mtime_ns == stamp


@pytest.mark.parametrize("file", ["model.bin", "config.json"])
@pytest.mark.parametrize("left", [None, b"{{"])
def test_a_damaged_engine_is_made_anew(saved, file, left):
    folder = saved()
    expected = load(folder, engine="ctranslate2").translate(LINE)
    (place,) = made(folder)
    (place / file).unlink()
    if left:
        (place / file).write_bytes(left)
    assert load(folder, engine="ctranslate2").translate(LINE) == expected
    assert made(folder) == [place]
    assert (place / file).read_bytes() != left


def test_who_finds_a_damaged_engine_leaves_alone_what_another_process_made_in_its_place(saved, monkeypatch):
    folder = saved()
    expected = load(folder, engine="ctranslate2").translate(LINE)
    (place,) = made(folder)
    (place / "model.bin").write_bytes(b"{{")
    mended = []

    def another_was_quicker(_):
        load(folder, engine="ctranslate2")
        mended.append(place.stat().st_mtime_ns)
        raise RuntimeError("damaged")  # as was what this one read

    before_opening(monkeypatch, another_was_quicker)
    assert load(folder, engine="ctranslate2").translate(LINE) == expected
    assert [path.stat().st_mtime_ns for path in made(folder)] == mended


def test_an_engine_that_others_take_away_before_it_is_opened_is_made_again(saved, monkeypatch):
    folder = saved()
    expected = load(folder, engine="ctranslate2").translate(LINE)
    before_opening(monkeypatch, *[shutil.rmtree] * 2)
    assert load(folder, engine="ctranslate2").translate(LINE) == expected
    assert [path.name for path in made(folder)] == [key(folder)]


def test_weights_that_change_while_the_engine_is_made_do_not_leave_it_under_the_key_of_those_before(
    saved, random_translator, monkeypatch
):
    folder, make = saved(), engines._make
    before = key(folder)

    def meanwhile(folder, tokenizer, place):
        (place / key(folder)).touch()
        save(random_translator(ends=3.0), folder)
        make(folder, tokenizer, place)

    monkeypatch.setattr(engines, "_make", meanwhile)
    load(folder, engine="ctranslate2")
    (place,) = made(folder)
    assert place.name == key(folder) != before
    assert not (place / before).exists()  # what was made of the weights before is gone


def test_weights_that_never_stop_changing_are_an_error_that_says_so(saved, monkeypatch):
    folder, settings = saved(), []

    def meanwhile(folder, _, place):
        settings.append((folder / "config.json").read_bytes())
        (folder / "config.json").write_bytes(settings[-1] + b"\n")
        (place / "model.bin").touch()

    monkeypatch.setattr(engines, "_make", meanwhile)
    with pytest.raises(InputError, match="its files change while they are read"):
        load(folder, engine="ctranslate2")
    assert len(settings) == engines.TRIES
    assert made(folder) == []


@pytest.mark.parametrize("by", ["other weights", "nobody"])
def test_a_shortlist_is_built_into_the_engine_of_the_weights_that_it_was_proved_for_and_no_other(
    saved, random_translator, by
):
    folder, listed = saved(), np.arange(EOS, 288)
    pieces, width = len(load(folder).tokenizer.target), load(folder).config.model.d_model
    rest = Rest(np.zeros(width, np.float32), 0.0, copies=2)
    Shortlist(listed, rest, hash_of(folder / WEIGHTS)).save(folder / SHORTLIST)
    assert written(folder) == 290
    if by == "nobody":  # as those of before were
        Shortlist(listed, rest).save(folder / SHORTLIST)
    else:  # of a training that goes on, or copied here by hand
        save(random_translator(ends=3.0), folder)
    assert written(folder) == pieces > 290


def written(folder):
    """How many target pieces the engine can write."""
    load(folder, engine="ctranslate2")
    (place,) = made(folder)
    (path,) = {*place.glob("shared_vocabulary.json"), *place.glob("target_vocabulary.json")}
    return len(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("there", [True, False])
def test_what_a_killed_process_left_half_made_goes_after_an_hour_and_not_before(saved, there):
    folder = saved()
    if there:
        load(folder, engine="ctranslate2")
    for name, minutes in ((".young", 50), (".old", 70)):
        (folder / HOME / name).mkdir(parents=True)
        (folder / HOME / name / "model.bin").touch()
        os.utime(folder / HOME / name, (time.time() - 60 * minutes,) * 2)
    load(folder, engine="ctranslate2")
    assert [path.name for path in made(folder)] == [".young", key(folder)]


def test_weights_that_are_not_those_of_the_settings_are_named(saved):
    folder = saved()
    described = (folder / "config.json").read_text()
    for was, now, wrong in (
        ('encoder_layers": 2', 'encoder_layers": 3', "lacks weight 'encoder.layers.2"),
        ('d_ff": 37', 'd_ff": 41', r"w_1.weight' has the shape \(37, 24\), but config.json wants \(41, 24\)"),
    ):
        (folder / "config.json").write_text(described.replace(was, now))
        with pytest.raises(InputError, match=rf"model.safetensors: .*{wrong}"):
            load(folder, engine="ctranslate2")


def test_other_weights_take_another_engine_and_the_stale_one_goes(saved, random_translator):
    folder = saved()
    before = load(folder, engine="ctranslate2").translate(LINE, beam_size=1)
    (old,) = made(folder)
    save(random_translator(ends=3.0), folder)
    after = load(folder, engine="ctranslate2").translate(LINE, beam_size=1)
    (new,) = made(folder)
    assert new != old
    assert after.pieces != before.pieces


def test_many_that_make_it_at_once_all_get_a_whole_one(saved):
    folder = saved()
    tokenizer = load(folder).tokenizer

    def make(_):
        with ready(folder, tokenizer) as place:
            return place, sorted(path.name for path in place.iterdir())

    with ThreadPoolExecutor(5) as several:
        found = list(several.map(make, range(5)))
    assert len(set(map(str, found))) == 1
    assert [path.name for path in made(folder)] == [key(folder)]


def test_what_breaks_off_leaves_nothing_behind(saved, monkeypatch):
    folder = saved()
    monkeypatch.setattr(engines, "_make", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError), ready(folder, load(folder).tokenizer):
        pass
    assert made(folder) == []


def test_a_directory_that_cannot_be_written_to_still_translates_quickly(saved):
    folder = saved()
    expected = load(folder, engine="ctranslate2").translate(LINE)
    shutil.rmtree(folder / "engines")
    (folder / "engines").write_text("in the way")
    quick = load(folder, engine="ctranslate2")
    assert quick.fast is not None
    assert quick.translate(LINE) == expected
    assert (folder / "engines").read_text() == "in the way"


def test_auto_takes_the_quick_engine_and_pytorch_where_it_cannot(saved, monkeypatch):
    folder = saved()
    assert pick(folder, "auto", "auto").why == ""
    assert pick(folder, "cpu", "torch").translator.fast is None
    monkeypatch.setattr(engines.importlib.util, "find_spec", lambda name: None)
    translator, why = pick(folder, "auto", "auto")
    assert translator.fast is None
    assert "pip install 'regard[fast]'" in why
    with pytest.raises(InputError, match=r"ctranslate2 cannot be used: .* pip install 'regard\[fast\]'"):
        load(folder, engine="ctranslate2")


def test_what_cannot_be_expressed_is_translated_by_pytorch_with_the_reason(saved):
    folder = saved(model__d_k=5, model__d_v=7)
    translator, why = pick(folder)
    assert translator.fast is None
    assert "d_k = d_v" in why
    assert translator.translate(LINE) == load(folder).translate(LINE)


def test_a_damaged_file_is_named(saved):
    folder = saved()
    (folder / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0nonsense")
    with pytest.raises(InputError, match=r"model.safetensors: not a whole safetensors file"):
        load(folder, engine="ctranslate2")


def test_a_translator_with_a_quick_engine_can_still_be_looked_at(saved):
    folder = saved()
    quick = regard.load(folder, engine="ctranslate2")
    assert quick.look(LINE).log_probs == regard.load(folder).look(LINE).log_probs
    assert quick.score([LINE], ["un chien"]) == regard.load(folder).score([LINE], ["un chien"])


@pytest.mark.parametrize("order", ["one by one", "a stream"])
def test_translating_does_not_import_pytorch(saved, order):
    folder = saved()
    expected = load(folder, engine="ctranslate2").translate([LINE, "a dog ran"])
    ask = "t.translate(lines)" if order == "one by one" else "list(t.stream(lines))"
    program = (
        "import json, sys, regard; "
        f"t = regard.load({str(folder)!r}, engine='ctranslate2'); lines = {[LINE, 'a dog ran']!r}; "
        f"print(json.dumps([[a.text for a in {ask}], 'torch' in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[answer.text for answer in expected], False]


def test_a_copy_of_the_directory_keeps_its_engine(saved, tmp_path):
    folder = saved()
    load(folder, engine="ctranslate2")
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    assert made(copy)[0].name == key(copy)


@pytest.mark.parametrize(("known", "told"), [("cuda", "there is a graphics card"), ("cpu", "")])
def test_a_graphics_card_is_pytorchs_where_pytorch_knows_of_it(saved, monkeypatch, known, told):
    monkeypatch.setattr("regard.interop.ctranslate2.graphics_cards", lambda: 1)
    monkeypatch.setattr("regard.device.pick_device", lambda name="auto": torch.device(known))
    folder = saved()
    config = load_config(folder)
    assert engines._why_not(config, "auto") == told
    assert engines._why_not(config, "cpu") == ""


@pytest.mark.parametrize(("threads", "one", "expected"), [(None, True, (1, 1)), (3, True, (1, 1)), (3, False, (3, 1))])
def test_cores_share_the_batches_and_no_sentence(saved, monkeypatch, threads, one, expected):
    shared, begin = [], CTranslate2Engine.__init__

    def noted(self, *given):
        shared.append(given[-1])
        begin(self, *given)

    monkeypatch.setattr(CTranslate2Engine, "__init__", noted)
    engines.pick(saved(), "cpu", "ctranslate2", threads=threads, one=one)
    assert shared == [expected]
