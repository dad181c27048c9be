"""Light and dark, wide and narrow, moving or still, in three languages; and whom the page keeps out."""

import json
import re

import pytest

from regard.looking.comparing import compared
from regard.looking.documents import document
from regard.looking.interventions import dropped
from regard.looking.shell import LANGUAGES, PAGE

SECTIONS = ["sentence", "finder", "head", "word", "compare", "limits"]
PLACES = [
    "#open=1",
    "#look=encoder.1.2&open=1&view=lines&unit=pieces",
    "#open=1&tour=3&band=worth&what=replaced&order=needed",
]


@pytest.fixture(scope="module")
def path(learned, tmp_path_factory):
    trace = learned.look("ba be bi bo bu", direction="fr-en")
    path = tmp_path_factory.mktemp("looks") / "page.html"
    path.write_text(document(trace, others=[compared(trace, dropped(trace, "bi"))]), encoding="utf-8")
    return path


@pytest.fixture
def trespasses(axe):
    """What axe-core calls serious or critical on a page as it is."""

    def find(page):
        page.evaluate(axe)
        found = page.evaluate("() => axe.run({ resultTypes: ['violations'] })")
        assert found["passes"]
        return [
            (problem["id"], node["html"][:200])
            for problem in found["violations"]
            if problem["impact"] in ("serious", "critical")
            for node in problem["nodes"]
        ]

    return find


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
def test_nobody_is_kept_out_of_any_screen(visit, turn, trespasses, path, scheme, width):
    page = visit(path, "#open=1", color_scheme=scheme, viewport={"width": width, "height": 800})
    assert [section for section in SECTIONS if not page.locator(f"#{section}").is_visible()] == []
    for place in PLACES:
        turn(page, place)
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        assert trespasses(page) == [], place


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out_of_the_live_page(visit, trespasses, live, scheme):
    page = visit(live, color_scheme=scheme)
    page.wait_for_selector("#effect-table td.heat")
    page.wait_for_selector("#whatif-go")
    assert trespasses(page) == []


def test_nobody_is_kept_out_of_the_page_that_waits_for_a_sentence(visit, trespasses, serve, learned):
    assert trespasses(visit(serve(learned), drawn="#ask-text")) == []


def background(page):
    return sum(map(int, page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3)")))


def test_the_page_is_dark_where_the_reader_wishes_it_and_can_be_turned(visit, path):
    light, dark = visit(path, color_scheme="light"), visit(path, color_scheme="dark")
    assert background(light) > 650 > 150 > background(dark)

    def fill(page, choose):
        cells = "[...document.querySelectorAll('#matrix .cell')].map(c => c.getAttribute('fill'))"
        return page.evaluate(f"{choose}(...{cells}.map(f => f.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0)))")

    assert light.evaluate("document.querySelector('#matrix .cell').getAttribute('fill')").startswith("rgb")
    assert fill(light, "Math.max") > 650  # what has no weight is as the paper
    assert fill(dark, "Math.min") < 200
    dark.locator("#theme").click()
    assert background(dark) == background(light)
    assert fill(dark, "Math.max") == fill(light, "Math.max")


@pytest.mark.parametrize("place", PLACES)
def test_360_pixels_are_wide_enough(visit, path, place):
    page = visit(path, place, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator("#target-line .tok").nth(1).tap()
    assert page.locator("#target-line [aria-pressed=true]").count() == 1
    reach = "[...document.querySelectorAll('main button')].filter(b => b.offsetWidth && !b.closest('.scroll'))"
    assert page.evaluate(f"Math.max(...{reach}.map(b => b.getBoundingClientRect().right))") <= 360


def test_nothing_moves_for_those_who_wish_it(visit, path):
    moving = "document.getAnimations().length"
    durations = """[...document.querySelectorAll('*')].map(e => getComputedStyle(e)).filter(style =>
        [style.transitionDuration, style.animationDuration].some(list =>
            list.split(', ').some(d => parseFloat(d) > .01))).length"""
    assert visit(path, reduced_motion="no-preference").evaluate(durations) > 0
    page = visit(path, reduced_motion="reduce")
    assert page.evaluate(durations) == 0
    page.locator("#target-line .tok").nth(2).click()
    assert page.evaluate(moving) == 0
    page.locator("#tour-start").click()
    page.locator("#tour-next").click()
    before = page.evaluate("scrollY")
    assert before > 0
    assert (
        page.evaluate("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(scrollY))))")
        == before
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_whole_page_speaks_the_language_that_is_chosen(visit, path, language):
    texts = json.loads((PAGE / "texts" / f"{language}.json").read_text(encoding="utf-8"))
    page = visit(path, "#open=1")
    page.locator("#languages button", has_text=language.upper()).click()
    assert page.evaluate("document.documentElement.lang") == language
    page.wait_for_function(
        "said => document.querySelector('#effects h3').textContent === said", arg=texts["effects.title"]
    )
    for section in SECTIONS:
        assert page.locator(f"#t-{section}").inner_text() == texts[f"section.{section}"]
    assert page.locator("#check b").first.inner_text() == texts["check.yes"]
    seen = page.locator("body").inner_text()
    assert not [key for key in texts if "." in key and key in seen]
    assert "{" not in seen.replace("{ }", "").replace("{\n}", "")


@pytest.mark.parametrize(("locale", "language"), [("fr-CA", "fr"), ("ko-KR", "ko"), ("de-DE", "en")])
def test_the_page_begins_in_the_readers_own_language(visit, path, locale, language):
    assert visit(path, locale=locale).evaluate("document.documentElement.lang") == language


def test_the_languages_have_the_same_strings_with_the_same_slots():
    read = {name: json.loads((PAGE / "texts" / f"{name}.json").read_text(encoding="utf-8")) for name in LANGUAGES}
    slots = {
        name: {key: set(re.findall(r"\{(\w+)\}", text)) for key, text in texts.items()} for name, texts in read.items()
    }
    assert slots["fr"] == slots["en"]
    assert slots["ko"] == slots["en"]
