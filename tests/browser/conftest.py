"""The page in a real browser, the system's Chromium. Whatever a page says on its console or asks for is kept."""

import contextlib
import itertools
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, sync_playwright

from regard.config import configure
from regard.decoding.directory import load, new_model
from regard.decoding.translator import Translator
from regard.serving.look import listen, look_app
from regard.text.formats import Pairs
from regard.text.tokenizer import Tokenizer

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
AXE = "axe-core@4.14.1"
DRAWN = "#notes li"  # what is drawn last
TURNS = itertools.count()

SHAPE = {
    "model.n_encoder_layers": 2,
    "model.n_decoder_layers": 3,
    "model.d_model": 22,
    "model.d_ff": 17,
    "model.n_heads": 3,
    "model.d_k": 7,
    "model.d_v": 5,
    "text.tokenizer": "bpe",
    "text.vocabulary": 320,
    "text.max_length": 131,
    "decoding.beam_size": 2,
    "decoding.max_ratio": 1.0,
}
LEFT = ["the animal did not cross the street", "it was too tired", "a dog ran", "you don't know it"]
RIGHT = ["l'animal n'a pas traversé la rue", "il était trop fatigué", "un chien a couru", "tu ne le sais pas"]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is. Where checks run for everybody (CI is set), it has to be there."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        missing = "no Chromium here; to run these tests: apt-get install chromium (or put a chromium on the PATH)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A browser for the tests of one module: while Playwright runs, no other event loop can run in this thread."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


class Visits:
    """Opens pages, and keeps what they say on their console and what they ask for."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.said: list[str] = []
        self.asked: list[str] = []

    def __call__(self, address: str | Path, place: str = "", *, drawn: str = DRAWN, **settings: Any) -> Page:
        """Opens a file or an address, at this place (#...), and waits for what is drawn last."""
        wished = {"viewport": {"width": 1440, "height": 1000}, "locale": "en-GB", "reduced_motion": "reduce"}
        page = self.browser.new_context(**(wished | settings)).new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto((address.as_uri() if isinstance(address, Path) else address) + place)
        page.wait_for_selector(drawn, state="attached")
        return page


@pytest.fixture(scope="module")
def visits(browser: Browser) -> Visits:
    """Opens pages that are there for all tests of a module."""
    return Visits(browser)


@pytest.fixture
def visit(visits: Visits) -> Iterator[Visits]:
    """Opens pages for one test; afterwards none has said anything on its console, unless the test emptied `said`."""
    before = list(visits.browser.contexts)
    visits.said.clear()
    visits.asked.clear()
    yield visits
    for context in visits.browser.contexts:
        if context not in before:
            context.close()
    assert visits.said == []


MOVE = """async place => {
    const told = new Promise(resolve => addEventListener('hashchange', resolve, { once: true }));
    location.hash = place;
    await told;
    await new Promise(resolve => requestAnimationFrame(() => setTimeout(() => setTimeout(resolve))));
}"""


@pytest.fixture
def turn(visit: Visits) -> Callable[[Page, str], Page]:
    """Turns a page that is open to another place (#...), as if it had been opened there."""

    def turn(page: Page, place: str) -> Page:
        page.mouse.move(0, 0)
        page.evaluate(MOVE, f"{place}&again={next(TURNS)}")  # even if it is there already
        return page

    return turn


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """axe-core, which looks for what keeps people out; from npm, for the time of the tests."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm here, from which axe-core is taken; it comes with Node.js")
    folder = tmp_path_factory.mktemp("axe")
    command = [npm, "install", "--no-save", "--no-audit", "--no-fund", "--prefix", str(folder), AXE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def fresh() -> Callable[..., Translator]:
    """A translator of the shape above but for these settings, that learned its words from these lines, and no more."""

    def make(left: list[str] = LEFT, right: list[str] = RIGHT, **settings: Any) -> Translator:
        config = configure(SHAPE | {name.replace("__", "."): value for name, value in settings.items()})
        words = Tokenizer.train(Pairs(left, right), config.text, 1)
        torch.manual_seed(1)
        model = new_model(config, words).eval()
        for name, weight in model.named_parameters():
            if name.endswith("bias"):  # a bias of 0 would hide that it is left out
                torch.nn.init.normal_(weight, std=0.3)
            if "w_q" in name or "w_k" in name:  # looks that can be told from one another
                weight.data *= 2.5
        return Translator(model, words, config, "fresh")

    return make


@pytest.fixture(scope="session")
def learned(two_way: Path) -> Translator:
    """A translator that knows the toy language, both ways."""
    return load(two_way)


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[..., str]]:
    """Serves the live page of a model, beginning with a sentence or without one; gives the address."""
    with contextlib.ExitStack() as stack:
        yield lambda translator, *begin: stack.enter_context(_served(look_app(translator, *begin)))


@contextlib.contextmanager
def _served(app: FastAPI) -> Iterator[str]:
    own = listen()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [own]})
    thread.start()
    yield f"http://127.0.0.1:{own.getsockname()[1]}/"
    server.should_exit = True
    thread.join(20)
    own.close()
    assert not thread.is_alive()


@pytest.fixture(scope="session")
def live(two_way: Path, serve: Callable[..., str]) -> str:
    """The address of the live page of a model that knows the toy language; it begins with a sentence."""
    return serve(load(two_way), "ba be bi", "fr-en")
