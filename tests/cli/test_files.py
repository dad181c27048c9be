"""What `regard look` leaves: files of every kind, and the live page."""

import csv
import json
import signal
import struct
import sys
import urllib.request
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from regard.cli import files
from regard.decoding.translator import Translator
from regard.looking.trace import Trace


def test_every_kind_of_file_is_written_in_one_call_and_no_page_is_served(regard, two_way, tmp_path):
    wanted = [f"--{name}={tmp_path / f'look.{name}'}" for name in files.FILES]
    ran = regard("look", two_way, "ba du be", *wanted)
    assert (ran.code, ran.out) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"look.{name}" for name in files.FILES)
    assert len(ran.err.splitlines()) == len(files.FILES)
    page = (tmp_path / "look.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "nab nud neb" in page
    told = json.loads((tmp_path / "look.json").read_text(encoding="utf-8"))
    assert told["looks"][0]["translation"] == "nab nud neb"
    trace = Trace.load(tmp_path / "look.npz")
    assert trace.translation == "nab nud neb"
    with (tmp_path / "look.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert np.array([float(row["weight"]) for row in rows]) == pytest.approx(
        np.array([record["weight"] for record in trace.table()])
    )
    assert (tmp_path / "look.png").read_bytes().startswith(b"\x89PNG")
    assert "Encoder self-attention" in (tmp_path / "look.svg").read_text(encoding="utf-8")


def svg_texts(path):
    root = ElementTree.parse(path)
    return ["".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize(
    ("options", "title"),
    [
        (["--layer", "1", "--head", "3"], "Cross-attention, layer 1, head 3"),
        (["--kind", "decoder", "--layer", "1", "--head", "2"], "Decoder self-attention, layer 1, head 2"),
        (["--kind", "encoder", "--layer", "1"], "Encoder self-attention, layer 1"),
        (["--word", "nud", "--layer", "1", "--head", "2"], "nud, having read nab"),
    ],
)
def test_a_figure_is_of_the_head_or_the_word_that_is_asked_for(regard, two_way, tmp_path, options, title):
    ran = regard("look", two_way, "ba du be", "--quiet", "--svg", tmp_path / "figure", *options)
    assert (ran.code, ran.err) == (0, "")
    assert svg_texts(tmp_path / "figure")[0] == title
    assert bool(ran.out) == ("--word" in options), "of a word, the numbers are printed too"


def test_numbers_of_one_head_alone_can_be_asked_for(regard, two_way, tmp_path):
    options = ("--kind", "cross", "--layer", 1, "--head", 2, "--csv", tmp_path / "head.csv")
    assert regard("look", two_way, "ba du be", *options).code == 0
    lines = (tmp_path / "head.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 4 * 5
    assert all(line.startswith("cross,1,2,") for line in lines[1:])


def test_a_forced_translation_stands_in_the_file(regard, two_way, tmp_path):
    regard("look", two_way, "ba", "--target", "nud nud", "--npz", tmp_path / "look.npz")
    trace = Trace.load(tmp_path / "look.npz")
    assert (trace.translation, trace.forced) == ("nud nud", True)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (["--html", "look.html"], 'Which sentence? regard look MODEL "..." --html FILE'),
        (["ba", "--svg", "a.svg", "--layer", "2"], "no layer 2: cross attention has layers 1 to 1."),
        (["ba", "--csv", "a.csv", "--head", "5"], "no head 5"),
        (["ba", "--html", "a.html", "--layers", "7"], "There are no layers 7 in this model."),
        (["ba", "--npz", "."], ". is a folder; a file is wanted."),
        (["ba", "--svg", f"{__file__}/a.svg"], f"cannot be written: {__file__} is no folder."),
        ([""], "the sentence is empty."),
        (["", "--html", "a.html"], "the sentence is empty."),
        (["   "], "the sentence is empty."),
        (["ba", "--direction", "fr-de", "--npz", "a.npz"], "There is no direction 'fr-de'"),
        (["ba", "--no-open", "--port", "99999"], "The port 99999 cannot be had."),
        (["ba " * 40, "--no-open"], "this model reads 23 at once"),
    ],
)
def test_what_cannot_be_done_is_said_and_no_file_is_left(regard, two_way, tmp_path, monkeypatch, options, wrong):
    monkeypatch.chdir(tmp_path)
    ran = regard("look", two_way, *options)
    assert (ran.code, ran.out) == (2, "")
    assert wrong.replace("MODEL", str(two_way)) in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [["--npz", "."], ["--html", "a.html", "--layers", "1", "7"]])
def test_what_cannot_be_written_is_refused_before_the_work(regard, two_way, monkeypatch, options):
    monkeypatch.setattr(Translator, "look", lambda *_, **__: pytest.fail("this is the work"))
    assert regard("look", two_way, "ba du", *options).code == 2


def test_without_a_sentence_one_that_the_model_knows_is_taken(regard, two_way, tmp_path, monkeypatch):
    asked = ("look", two_way, "--npz", tmp_path / "look.npz")
    assert regard(*asked).code == 2, "these words are a heap of letters to it"
    monkeypatch.setattr(files, "EXAMPLES", {"de-en": "ba", "en-fr": "nud nod nub", "fr-en": "du do"})
    for options, text, direction in (((), "nud nod nub", "en-fr"), (("--direction", "fr-en"), "du do", "fr-en")):
        assert regard(*asked, *options).code == 0
        trace = Trace.load(tmp_path / "look.npz")
        assert (trace.text, trace.model.direction) == (text, direction)


def test_where_nothing_serves_a_page_it_is_a_file_beside_the_model(regard, two_way, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastapi", None)
    for name in [name for name in sys.modules if name.startswith("regard.serving")]:
        monkeypatch.delitem(sys.modules, name)
    ran = regard("look", two_way, "ba be", "--no-open")
    beside = two_way.with_name(f"{two_way.name}-look.html")
    assert (ran.code, ran.out) == (0, f"{beside}\n")
    assert "pip install 'regard[serve]'" in ran.err
    assert "nab neb" in beside.read_text(encoding="utf-8")
    beside.unlink()


def test_the_live_page_answers_until_it_is_interrupted(process, two_way):
    with process("look", two_way, "ba be", "--direction", "fr-en", "--no-open") as looking:
        said = looking.stdout.readline().decode()
        address = said.removeprefix("The page is at ").split()[0]
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(address, timeout=30) as answer:
            assert '"text":"ba be","direction":"fr-en"' in answer.read().decode()
        body = json.dumps({"text": "du", "direction": "fr-en"}).encode()
        asked = urllib.request.Request(f"{address}api/look", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert json.load(answer)["looks"][0]["translation"] == "nud"
        looking.send_signal(signal.SIGINT)
        assert looking.wait(30) == 0
        assert looking.stderr.read() == b""


def test_a_png_has_the_size_of_its_figure_at_200_dots_an_inch(regard, two_way, tmp_path):
    for name in ("png", "svg"):
        regard("look", two_way, "ba du", "--layer", 1, "--head", 1, f"--{name}", tmp_path / f"a.{name}")
    width, height = struct.unpack(">II", (tmp_path / "a.png").read_bytes()[16:24])
    points = ElementTree.parse(tmp_path / "a.svg").getroot()
    for pixels, name in ((width, "width"), (height, "height")):
        assert pixels == pytest.approx(float(points.get(name).removesuffix("pt")) * 200 / 72, abs=1)
