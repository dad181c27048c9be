"""What a page must not do: ask anybody for anything, or run what was not written for it."""

import re

import pytest

from regard.decoding.directory import load
from regard.looking.documents import document

ATTACK = "</script><img/src=x/onerror=window.ran=1>"
SENTENCE = f"{ATTACK} <b>ba</b> &lt; '\" ${{1}}"


@pytest.fixture(scope="module")
def trace(fresh):
    """A look at a sentence of which every word is an attack."""
    return fresh([SENTENCE, "a b"], [SENTENCE, "a b"], text__tokenizer="word").look(SENTENCE, SENTENCE)


@pytest.fixture(scope="module")
def attacked(trace, tmp_path_factory):
    path = tmp_path_factory.mktemp("safety") / "attacked.html"
    path.write_text(document(trace, measure=False), encoding="utf-8")
    return path


def test_the_file_asks_for_nothing_but_itself(visit, attacked):
    page = visit(attacked, "#open=1")
    page.locator("#target-line .tok").first.click()
    page.locator("#languages button").nth(1).click()
    assert [address for address in visit.asked if not address.startswith("data:,")] == [attacked.as_uri()]


def test_words_that_are_html_are_shown_as_text_everywhere(visit, attacked):
    page = visit(attacked, "#open=1")
    words = page.locator("#source-line bdi").all_text_contents()
    assert words == SENTENCE.split()
    for place in ("view=lines&open=1", "unit=pieces&open=1", "band=worth", "tour=0&open=1", "asked=0"):
        page.goto(f"{attacked.as_uri()}#{place}")
        page.reload()
        page.wait_for_selector("#notes li", state="attached")
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        page.wait_for_selector("#matrix-table")
        assert page.locator("img, main b:text-is('ba'), script:not([type]):not(:only-of-type) ~ img").count() == 0
    assert ATTACK in page.locator("#matrix-table").inner_text()
    assert page.evaluate("window.ran") is None


def test_a_script_that_somebody_put_into_the_page_does_not_run(visit, attacked, tmp_path):
    html = attacked.read_text(encoding="utf-8")
    changed = html.replace("</body>", "<img src=x onerror='window.ran = 1'><script>window.ran = 1</script></body>")
    assert changed != html
    (tmp_path / "changed.html").write_text(changed, encoding="utf-8")
    page = visit(tmp_path / "changed.html")
    assert page.evaluate("window.ran") is None
    assert page.locator("#source-line .tok").count() > 0
    refused = [said for said in visit.said if "Content Security Policy" in said]
    assert len(refused) == len(visit.said) == 3, visit.said  # the script, the picture, and its handler
    visit.said.clear()


def test_the_pages_own_script_may_fetch_nothing(visit, attacked):
    page = visit(attacked)
    answer = page.evaluate("fetch('data:text/plain,x').then(() => 'came', error => error.name)")
    assert answer == "TypeError"
    assert ["Content Security Policy" in said for said in visit.said] == [True] * len(visit.said) != []
    visit.said.clear()


def test_a_page_changed_by_one_letter_does_not_run(visit, attacked, tmp_path):
    html = attacked.read_text(encoding="utf-8")
    changed = html.replace("const inflated = async", "const  inflated = async")
    assert changed != html
    (tmp_path / "changed.html").write_text(changed, encoding="utf-8")
    page = visit(tmp_path / "changed.html", drawn="#lead")
    assert page.locator("#lead").inner_text() == ""
    assert re.search("Content Security Policy", visit.said[0])
    visit.said.clear()


def test_a_model_called_by_html_is_shown_by_its_name(visit, two_way, tmp_path):
    name = "<img src=x onerror=window.ran=1>"
    translator = load(two_way)
    object.__setattr__(translator, "name", name)
    path = tmp_path / "named.html"
    path.write_text(document(translator.look("ba be", direction="fr-en"), measure=False), encoding="utf-8")
    page = visit(path)
    assert page.locator("#foot").inner_text().startswith(name)
    assert page.evaluate("window.ran") is None


def test_a_notebook_shows_the_page_in_a_frame_that_reaches_nothing(visit, trace, tmp_path):
    path = tmp_path / "notebook.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><p id=cell>{trace._repr_html_()}", encoding="utf-8")
    page = visit(path, drawn="iframe")
    frame = page.frame_locator("iframe")
    assert frame.locator("#source-line bdi").all_text_contents() == SENTENCE.split()
    frame.locator("#target-line .tok").nth(1).click()
    assert frame.locator("#target-line [aria-pressed=true]").inner_text().startswith("<b>")
    assert page.frames[-1].evaluate(
        "(() => { try { return parent.document.title; } catch (e) { return e.name; } })()"
    ) == ("SecurityError")
    assert [address for address in visit.asked if address.startswith("http")] == []
