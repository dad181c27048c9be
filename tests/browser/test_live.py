"""The live page: a sentence typed, words changed, heads switched off; the model knows a toy language by heart."""

import json
import urllib.request

import pytest

ATTACK = "</script><img/src=x/onerror=window.ran=1>"


@pytest.fixture
def page(visit, live):
    """The live page, once it shows the sentence that it was opened with."""
    page = visit(live)
    yield page
    assert visit.asked
    assert [address for address in visit.asked if not address.startswith((live, "data:"))] == []


def line(page, side):
    return page.locator(f"#{side}-line bdi").all_text_contents()


def type_in(page, text):
    page.locator("#ask-text").fill(text)
    page.locator("#ask-text").press("Enter")
    page.wait_for_function("text => document.title.startsWith(text + ' \\u2013')", arg=text)


def ask(live, path, body):
    """What the server says when it is asked without a browser."""
    request = urllib.request.Request(f"{live}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def changed(page):
    """The words of the second look, after the page was asked for one."""
    page.wait_for_selector("#looks button:nth-of-type(2)")
    page.locator("#looks button").nth(1).click()
    return line(page, "source"), line(page, "target")


def try_word(page, how, word, by=None):
    page.wait_for_selector("#whatif-word")
    page.select_option("#whatif-word", label=word)
    page.select_option("#whatif-how", how)
    if by:
        page.locator("#whatif-by").fill(by)
    page.locator("#whatif-go").click()


def test_the_page_begins_with_the_sentence_that_it_was_opened_with(page, toy):
    assert page.locator("#ask-text").input_value() == "ba be bi"
    assert line(page, "source") == ["ba", "be", "bi"]
    assert line(page, "target") == toy.translate("ba be bi").split()


def test_a_sentence_that_is_typed_is_translated_anew(page, toy):
    type_in(page, "du do di")
    assert line(page, "source") == ["du", "do", "di"]
    assert line(page, "target") == toy.translate("du do di").split() == ["nud", "nod", "nid"]
    page.locator("#unfold").click()
    assert page.locator("#check .check").get_attribute("data-ok") == "true"


def test_the_other_direction_can_be_chosen(page):
    page.select_option("#ask-direction", "en-fr")
    type_in(page, "nab neb")
    assert line(page, "target") == ["ba", "be"]


def test_a_word_that_is_dropped_is_translated_no_more(page):
    try_word(page, "dropped", "be")
    assert changed(page) == (["ba", "bi"], ["nab", "nib"])


def test_a_word_that_is_swapped_with_the_next_is_translated_later(page):
    try_word(page, "swapped", "ba")
    assert changed(page) == (["be", "ba", "bi"], ["neb", "nab", "nib"])


def test_a_word_that_is_replaced_has_its_translation_replaced_and_the_difference_is_shown(page, live):
    try_word(page, "replaced", "be", by="du")
    page.wait_for_selector("#compare-figure svg")
    lead = page.locator("#compare-lead").inner_text()
    assert lead == "In the source, du instead of be. The model now writes nud instead of neb."
    assert page.locator("#compare-figure text.col.changed").all_text_contents() == ["be", "du", "be/du"]
    change = {"what": "text", "how": "replaced", "word": 2, "by": "du"}
    asked = {"text": "ba be bi", "direction": "fr-en", "target": "nab neb nib", "forced": False, "change": change}
    told = ask(live, "api/change", asked)["effect"]["delta"]
    bars = [text.replace("\u2212", "-") for text in page.locator("#compare-figure text.num").all_text_contents()]
    assert [float(bar) for bar in bars] == pytest.approx([d if abs(d) >= 0.05 else 0 for d in told], abs=6e-3)
    assert told[1] < -1
    assert changed(page) == (["ba", "du", "bi"], ["nab", "nud", "nib"])


def test_another_sentence_can_stand_beside_the_first(page):
    page.wait_for_selector("#whatif-text")
    page.locator("#whatif-text").fill("ba be du")
    page.locator("#whatif-sentence").click()
    assert changed(page) == (["ba", "be", "du"], ["nab", "neb", "nud"])


@pytest.mark.parametrize("how", ["off", "uniform", "stack"])
def test_a_head_that_is_switched_changes_what_the_server_says_it_changes(page, live, how):
    page.locator("#thumb-cross-1-2").click()
    page.wait_for_selector(f"#whatif-{how}")
    page.locator(f"#whatif-{how}").click()
    page.wait_for_selector("#compare-figure svg")
    place = {"layer": 1, "head": 2} if how != "stack" else {}
    change = {"what": "heads", "how": "uniform" if how == "uniform" else "off", "kind": "cross", **place}
    asked = {"text": "ba be bi", "direction": "fr-en", "target": "nab neb nib", "forced": False, "change": change}
    effect = ask(live, "api/change", asked)["effect"]
    assert page.locator("#compare-lead").inner_text().startswith("The source is the same, with ")
    source, target = changed(page)
    assert source == ["ba", "be", "bi"]
    assert target == effect["translation"].split()
    if how == "stack":
        assert target != ["nab", "neb", "nib"]
    if how == "uniform":
        page.locator("#thumb-cross-1-2").click()
        weights = page.locator("#matrix .cell").evaluate_all("cells => cells.map(c => c.getAttribute('aria-label'))")
        assert {label.rpartition(", ")[2] for label in weights} == {"0.20"}  # the tag, three words, the end


def test_what_heads_and_words_are_worth_comes_in_the_background(page, live):
    page.wait_for_selector("#effect-table td.heat")
    assert "off" in page.locator("#matter").inner_text().lower()
    assert page.locator("#note-path").count() == 1
    worth = page.locator("#effect-table td.heat").evaluate_all("cells => cells.map(c => c.title)")
    assert len(worth) == 3 * 4  # words left out, words written and the end


def test_html_that_is_typed_is_shown_as_text(visit, serve, fresh):
    page = visit(serve(fresh()), drawn="#ask-text")
    type_in(page, f"{ATTACK} ran")
    assert "".join(line(page, "source")) == f"{ATTACK}ran"
    try_word(page, "replaced", "ran", by="<b>ran</b>")
    source, _ = changed(page)
    assert "".join(source) == f"{ATTACK}<b>ran</b>"
    assert page.locator("img, b:text-is('ran')").count() == 0
    assert page.evaluate("window.ran") is None


def test_the_page_says_what_was_wrong_with_a_question_and_stays(page, visit):
    type_in(page, "ba bu")
    page.locator("#ask-text").fill("ba " * 1500)
    page.locator("#ask-text").press("Enter")
    page.wait_for_function("() => document.querySelector('#live').textContent.includes('4,500 characters')")
    assert line(page, "source") == ["ba", "bu"]
    assert ["400" in said for said in visit.said] == [True]  # the browser notes that it was refused
    visit.said.clear()


def test_a_page_without_a_sentence_waits_for_one(visit, serve, learned):
    page = visit(serve(learned), drawn="#ask-text")
    assert page.evaluate("document.activeElement.id") == "ask-text"
    assert [page.locator(f"#{name}").is_visible() for name in ("sentence", "finder", "head", "limits")] == [
        True, False, False, False,
    ]  # fmt: skip
    type_in(page, "bo")
    assert line(page, "target") == ["nob"]
    assert page.locator("#finder").is_visible()
