"""Figures: what stands in them (SVG is text), that every kind of trace can be drawn, and that mistakes are told."""

import dataclasses
import inspect
import re
import struct
import sys
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

import numpy as np
import pytest

from regard.errors import InputError
from regard.looking.antecedents import Antecedents
from regard.looking.plots import plot, plot_antecedents
from regard.looking.plots.row import number_text
from regard.looking.plots.sides import label, sides
from regard.looking.pronouns import Hits
from regard.looking.swaps import Counterfactual
from regard.looking.words import Word

KINDS = ["encoder", "decoder", "cross"]


@pytest.fixture(scope="module")
def trace(learned):
    return learned.look("ba be bi", direction="fr-en")


def texts(figure):
    """The texts of a figure, in their order; its SVG is well-formed."""
    found = ElementTree.fromstring(figure.svg()).iter("{http://www.w3.org/2000/svg}text")
    return ["".join(one.itertext()) for one in found]


def size(png):
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


def test_a_map_names_its_head_and_the_words_of_both_sides_and_writes_the_weights(trace):
    said = texts(plot(trace, kind="cross", layer=1, head=2))
    assert said[0] == "Cross-attention, layer 1, head 2"
    rows = said[said.index("reads") + 1 :]
    assert rows[:8] == ["nab", "start", "neb", "nab", "nib", "neb", "end", "nib"], "what is written, and what was read"
    assert rows[8:13] == ["<2en>", "ba", "be", "bi", "end"]
    weights = trace.attention("cross", 1).weights[1]
    large = ["1" if w >= 0.995 else f"{w:.2f}"[1:] for w in weights.ravel() if w >= 0.095]
    assert rows[13 : 13 + len(large)] == large


def test_rows_can_be_called_by_what_is_read(trace):
    said = texts(plot(trace, "map", kind="decoder", head=1, rows="reads"))
    rows = said[said.index("writes") + 1 :]
    assert rows[:8] == ["start", "nab", "nab", "neb", "neb", "nib", "nib", "end"]


def test_pieces_are_merged_into_words_unless_pieces_are_asked_for(fresh):
    trace = fresh().look("the animal zzz", "un chien")
    merged, pieces = (sides(trace, "cross", unit, "writes") for unit in ("words", "pieces"))
    assert len(merged.keys) < len(pieces.keys) == len(trace.source_pieces)
    block = trace.attention("cross", 3)
    assert pieces.weights(block, 1) == pytest.approx(block.weights[1])
    assert merged.weights(block, 1).sum(axis=1) == pytest.approx(1)
    assert "zzz" in texts(plot(trace, "map"))
    assert "zzz" not in texts(plot(trace, "map", unit="pieces"))


def test_what_may_not_be_looked_at_stays_empty(trace):
    weights = sides(trace, "decoder", "pieces", "reads").weights(trace.attention("decoder", 1), 0)
    assert np.array_equal(np.isnan(weights), ~np.tri(*weights.shape, dtype=bool))


def test_all_heads_are_drawn_with_how_sure_they_are(fresh):
    trace = fresh().look("a dog ran", "un chien")
    said = texts(plot(trace))
    assert [one for one in said if "ttention" in one] == [
        "Encoder self-attention", "Decoder self-attention", "Cross-attention",
    ]  # fmt: skip
    assert (said.count("layer 2"), said.count("layer 3")) == (3, 2), "two layers of encoder, three of decoder"
    first = sides(trace, "encoder", "words", "writes").weights(trace.attention("encoder", 1), 0)
    assert f"{first.max(axis=1).mean():.2f}" in said


def test_the_heads_of_one_layer_are_drawn_with_words(trace):
    said = texts(plot(trace, kind="encoder", layer=1))
    assert said[0] == "Encoder self-attention, layer 1"
    assert [one for one in said if one.startswith("head")] == ["head 1", "head 2", "head 3", "head 4"]
    assert said.count("be") == 1 + 4


def test_lines_are_as_thick_as_the_weights(trace):
    svg = plot(trace, "lines", kind="cross", head=3).svg()
    weights = trace.attention("cross", 1).weights[2]
    drawn = [w for w in weights.ravel() if w >= 0.02]
    assert len(re.findall(r"\bM [\d. ]+\s+C ", svg)) == len(drawn), "a curve for each weight"
    thickest = max(0.4, 7 * float(weights.max()))
    assert f"stroke-width: {thickest:.2f}"[:17] in svg


def test_the_lines_of_a_word_are_stressed(trace):
    plain, stressed = (plot(trace, "lines", kind="cross", head=3, word=word).svg() for word in (None, "neb"))
    row = trace.attention("cross", 1).weights[2][1]
    assert plain.count("#00685c") > stressed.count("#00685c") == int((row >= 0.02).sum())


def test_a_row_is_drawn_step_by_step_with_its_numbers(trace):
    said = texts(plot(trace, word="neb", layer=1, head=2))
    steps = trace.word("neb").table(layer=1, head=2)[0]
    assert said[0] == "neb, having read nab"
    assert "÷ √8" in said
    for column in (steps.scores, steps.scaled):
        assert {number_text(value) for value in column} <= set(said)
    assert {f"{weight:.2f}" for weight in steps.weights} <= set(said)


def test_keys_behind_the_mask_have_no_numbers(trace):
    said = texts(plot(trace, word="nab", kind="decoder", layer=1, head=1))
    assert said.count("1.00") == 1, "the start looks at itself alone"
    assert "0.00" not in said


def test_a_word_of_several_pieces_has_a_strip_for_each(fresh):
    trace = fresh().look("a dog", "zzz chien")
    count = len(trace.target_words[0].pieces)
    assert count > 1
    one, other = (size(plot(trace, word=word, layer=1, head=1).png(72)) for word in ("zzz", "</s>"))
    assert one[1] > count * (other[1] - 26) > other[1]


@pytest.mark.parametrize(
    "odd", ["</text><script>alert(1)</script>", "$x^2$ & $\\frac", "<s>", "\x00\ud7a3 한국어 🙂 שלום"]
)
def test_words_of_any_kind_stay_words(trace, odd):
    words = [Word(odd, word.pieces) for word in trace.source_words]
    strange = dataclasses.replace(trace, source_words=words)
    for what in ("map", "lines"):
        figure = plot(strange, what)
        assert label(odd).text in texts(figure)
        assert "<script" not in figure.svg()
        assert size(figure.png(50))[0] > 0


def test_the_same_trace_gives_the_same_file(trace, tmp_path):
    for name in ("one.svg", "other.svg", "one.PNG", "other.PNG"):
        plot(trace, "map").save(tmp_path / name)
    for ending in ("svg", "PNG"):
        assert (tmp_path / f"one.{ending}").read_bytes() == (tmp_path / f"other.{ending}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.PNG", "one.svg", "other.PNG", "other.svg"]


def test_a_notebook_shows_a_figure_as_svg(trace):
    figure = plot(trace, "map")
    assert figure._repr_svg_() == figure.svg()
    assert escape("<2en>") in figure.svg()


def test_a_long_sentence_is_drawn_small(fresh):
    trace = fresh({"text.max_length": 137}).look(" ".join(["dog"] * 67), " ".join(["chien"] * 59))
    width, height = size(plot(trace, "map", kind="encoder").png(72))
    assert width < 1000
    assert height < 1000
    assert len(plot(trace).png(30)) > 1000


def test_what_there_is_not_is_told(trace, tmp_path):
    mistakes = [
        (dict(what="pie"), "no figure 'pie'; there are map, heads, lines, steps"),
        (dict(kind="cross", layer=2, head=1), "no layer 2"),
        (dict(kind="cross", head=5), "no head 5"),
        (dict(kind="middle"), "no kind of attention 'middle'"),
        (dict(kind="middle", head=1), "no kind of attention 'middle'"),
        (dict(unit="letters"), "no unit 'letters'"),
        (dict(what="steps"), "say which"),
        (dict(word="nought"), "no word 'nought'"),
    ]
    unchecked = inspect.unwrap(plot)  # beartype would be quicker to say some of it
    for given, said in mistakes:
        with pytest.raises(InputError, match=said):
            unchecked(trace, **given)
    with pytest.raises(InputError, match=r"one of these endings"):
        plot(trace).save(tmp_path / "figure.jpg")
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_the_extra_that_has_it_is_named(trace, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(InputError, match=r"pip install 'regard\[plots\]'"):
        plot(trace)


def test_the_antecedents_are_a_dot_for_each_share_and_what_decides():
    found = Antecedents(
        7,
        [
            Hits("weights", "cross 1.1, writing the pronoun", 0.25, None, None),
            Hits("weights", "cross 1.2, writing the pronoun", 0.5, None, None),
            Hits("norms", "decoder 1.1, reading the pronoun", None, 0.75, None),
        ],
        [Hits("occlusion-unk", "", 0.5, 0.25, 0.9), Hits("replaced, anew", "", 0.97, None, None)],
        Counterfactual(1.0, 0.99, 5, 6),
    )
    figure = plot_antecedents(found)
    said = texts(figure)
    assert "In how many of 7 sentences the right noun gets more than the other, by each head and method." in said
    rows = {name: said[said.index(name) + 1] for name in ("cross, writing the pronoun", "decoder, reading the pronoun")}
    assert rows == {"cross, writing the pronoun": "25 to 50 %", "decoder, reading the pronoun": "75 to 75 %"}
    assert said[said.index("occlusion-unk") + 1] == "90 %"
    assert said[said.index("the pronoun follows its own noun") + 1] == "100 %"
    assert said[said.index("and does not follow the other") + 1] == "99 %"
