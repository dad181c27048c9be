"""Models and sentences of odd shapes: deep and shallow, long, from right to left, beyond letters."""

import numpy as np
import pytest

from regard.looking.documents import document
from regard.looking.export import Shown, alti_data, page_data
from regard.looking.shell import page as page_of
from regard.looking.worth import worth

HEBREW, ARABIC = "הכלב לא חצה את הרחוב", "الكلب لم يعبر الشارع"
PICTURES = ["👩‍👩‍👧‍👦 🇫🇷 e\u0301te\u0301 👍🏽", "🦊 ate 🍎"]


@pytest.fixture
def open_trace(visit, tmp_path):
    """Opens the page of a trace."""

    def open_trace(trace, place="#open=1", **settings):
        (tmp_path / "page.html").write_text(
            page_of(page_data([Shown(trace, None, alti_data(trace))])), encoding="utf-8"
        )
        return visit(tmp_path / "page.html", place, **settings)

    return open_trace


def ok(page):
    return page.locator("#check .check").get_attribute("data-ok") == "true"


@pytest.mark.parametrize(("above", "below"), [(12, 1), (1, 4)])
def test_encoder_and_decoder_need_not_be_equally_deep(fresh, open_trace, turn, above, below):
    translator = fresh(model__n_encoder_layers=above, model__n_decoder_layers=below, model__n_heads=2)
    trace = translator.look("the animal did not cross the street", "un chien a couru")
    page = open_trace(trace, f"#look=encoder.{above}.2&row=3&open=1")
    counts = {kind: page.locator(f"[data-kind={kind}] .open").count() for kind in ("encoder", "decoder", "cross")}
    assert counts == {"encoder": 2 * above, "decoder": 2 * below, "cross": 2 * below}
    assert page.locator("#head-title").inner_text() == f"Encoder, layer {above}, head 2"
    assert ok(page)
    page.keyboard.press("}")
    assert page.locator("#head-title").inner_text() == "Encoder, layer 1, head 2"
    page.locator("#head-bar button", has_text="cross-attention").click()
    assert page.locator("#head-title").inner_text().endswith(f"layer {below}, head 2") or below > 1
    assert ok(page)
    assert f"{above} + {below} layers" in page.locator("#foot").inner_text()
    row = trace.attention("cross", below).weights[1, 2]
    turn(page, f"#look=cross.{below}.2&row=2&open=1")
    assert page.locator(f"#thumb-cross-{below}-2 .a").inner_text() == f"{row.max():.2f}"


@pytest.fixture(scope="module")
def long(fresh, tmp_path_factory):
    """A look at a sentence of 100 words, with what they are worth."""
    words = " ".join(["the animal did not cross the street", "it was too tired", "a dog ran"]).split()
    chance = np.random.default_rng(1)
    source, target = (" ".join(chance.choice(words, 100)) for _ in range(2))
    translator = fresh(text__tokenizer="word", model__n_decoder_layers=1, text__max_length=211)
    trace = translator.look(source, target)
    path = tmp_path_factory.mktemp("long") / "page.html"
    some = worth(trace, count=1, beam_size=1, max_length=3)
    path.write_text(page_of(page_data([Shown(trace, some.record(), alti_data(trace))])), encoding="utf-8")
    return trace, path


@pytest.mark.parametrize("width", [1440, 360])
def test_a_sentence_of_a_hundred_words_is_shown_whole(visit, long, width):
    trace, path = long
    page = visit(path, "#look=cross.1.2&row=50&open=1", viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#source-line .tok").count() == len(trace.source_words) == 101
    assert page.locator("#target-line .tok").count() == len(trace.target_words)
    assert ok(page)
    lanes = page.locator("#lanes svg").bounding_box()["height"]
    assert lanes < 2500  # lanes that nothing lies on are folded
    assert "lanes" not in page.locator("#lanes text", has_text="{").all_text_contents()


def test_a_large_matrix_is_one_picture_that_keys_move_over(visit, long):
    trace, path = long
    page = visit(path, "#look=cross.1.2&row=50&col=7")
    weights = trace.head("cross", layer=1, head=2).words()
    assert weights.size > 10_000
    assert page.locator("#matrix .cell").count() == 0
    page.locator("#sheet").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert page.locator("#live").text_content().endswith(f"head 2, {weights[51, 8]:.2f}")
    page.keyboard.press("Enter")
    assert page.locator("#word").is_visible()
    box = page.locator("#sheet-canvas").bounding_box()
    rows, columns = weights.shape
    page.mouse.click(box["x"] + 20.5 * box["width"] / columns, box["y"] + 60.5 * box["height"] / rows)
    assert "row=60&col=20" in page.url


def test_a_sentence_of_one_word_has_a_page(fresh, open_trace):
    page = open_trace(fresh().look("a", "tu"))
    assert page.locator("#source-line bdi").all_text_contents() == ["a"]
    assert ok(page)


def test_words_from_right_to_left_stand_in_their_own_direction(fresh, open_trace):
    translator = fresh([HEBREW], [ARABIC], text__tokenizer="word")
    page = open_trace(translator.look(HEBREW, ARABIC))
    assert page.locator("#source-line bdi").all_text_contents() == HEBREW.split()
    assert page.locator("#target-line bdi").all_text_contents() == ARABIC.split()
    directions = page.locator(".line bdi").evaluate_all("words => words.map(w => getComputedStyle(w).direction)")
    assert directions == ["rtl"] * len(f"{HEBREW} {ARABIC}".split())
    assert ok(page)
    assert page.locator("#student-table th bdi").all_text_contents()[: len(HEBREW.split())] == HEBREW.split()


def test_pictures_and_letters_of_several_signs_stay_whole(fresh, open_trace):
    translator = fresh(PICTURES, PICTURES, text__tokenizer="word")
    page = open_trace(translator.look(PICTURES[0], PICTURES[1]))
    assert page.locator("#source-line bdi").all_text_contents() == PICTURES[0].split()
    assert page.locator("#target-line bdi").all_text_contents() == PICTURES[1].split()
    assert PICTURES[0].split()[0] in page.locator("#row-table").inner_text()
    assert ok(page)


def test_a_picture_that_the_vocabulary_lacks_is_one_word_of_four_bytes(fresh, open_trace):
    trace = fresh().look("a 🦊 ran", "un chien")
    page = open_trace(trace, "#unit=pieces")
    assert page.locator("#source-line bdi").all_text_contents() == ["a", "🦊", "ran"]
    assert page.locator("#matrix text.col", has_text="<0x").count() >= 4


def test_layers_that_were_left_out_are_not_offered(fresh, visit, tmp_path):
    trace = fresh(model__n_encoder_layers=3).look("a dog ran", "un chien a couru")
    path = tmp_path / "some.html"
    path.write_text(document(trace, measure=False, layers=[2, 3]), encoding="utf-8")
    page = visit(path, "#look=encoder.1.1&row=1&open=1")
    assert page.locator("[data-kind=encoder] .open").count() == 2 * 3
    assert page.locator("#head-title").inner_text() == "Encoder, layer 3, head 1"
    assert ok(page)


@pytest.mark.parametrize("place", ["#open=1", "#open=1&look=decoder.1.1&view=lines", "#band=worth&tour=10&open=1"])
def test_a_word_longer_than_the_screen_is_broken(fresh, open_trace, place):
    long = "x" * 150
    trace = fresh([long], [long], text__tokenizer="word").look(f"{long} {long}", f"{long} {long}")
    page = open_trace(trace, place, viewport={"width": 360, "height": 740})
    page.locator("#target-line .tok").first.click()
    page.locator("#source-line .tok").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
