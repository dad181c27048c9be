"""The gallery of the page: every screen, photographed in the system's Chromium.

    python docs/gallery/make.py MODEL [FOLDER]

MODEL is the one that `regard demo` trains. Needs the extras `dev` (playwright) and `plots` (pillow), and a Chromium
on the path.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

import regard
from regard.looking.comparing import with_sentence

TIRED = "The animal did not cross the street because it was too tired."
WIDE = TIRED.replace("tired", "wide")
LARGEST = 300_000  # bytes of a picture
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Picture(NamedTuple):
    """One screen: what is open, and how wide, dark and in which language the page is."""

    name: str
    place: str
    part: str = ""  # an element; none: what a screen shows
    width: int = 1280
    height: int = 900
    scheme: str = "light"
    locale: str = "en-GB"


PICTURES = [
    Picture("sentence", "#look=cross.2.3&row=13"),
    Picture("sentence-worth", "#look=cross.2.3&row=13&band=worth", "#sentence .main"),
    Picture("finder", "#look=cross.2.3&row=13&at=finder", "#finder"),
    Picture("head", "#look=cross.2.3&row=13", "#head"),
    Picture("head-lines", "#look=encoder.2.1&row=9&view=lines", "#head"),
    Picture("word", "#look=encoder.2.1&row=9&open=1", "#word"),
    Picture("compare", "#look=cross.2.3&row=13", "#compare"),
    Picture("limits", "#look=cross.2.3&row=13", "#limits"),
    Picture("tour", "#look=encoder.2.1&row=9&open=1&tour=5&at=word"),
    Picture("dark", "#look=cross.2.3&row=13", scheme="dark"),
    Picture("dark-word", "#look=encoder.2.1&row=9&open=1", "#word", scheme="dark"),
    Picture("korean", "#look=cross.2.3&row=13", locale="ko-KR"),
    Picture("phone", "#look=cross.2.3&row=13", width=360, height=780),
    Picture("phone-word", "#look=encoder.2.1&row=9&open=1&at=word", width=360, height=780),
]


def make(model: Path, folder: Path) -> None:
    """Takes every picture."""
    trace = regard.load(model).look(TIRED, direction="en-fr")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as started:
        page = Path(place) / "look.html"
        trace.html(page, others=[with_sentence(trace, WIDE)])
        found = next(filter(None, map(shutil.which, BROWSERS)), None)
        browser = started.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        for picture in PICTURES:
            size = take(browser, page, picture, folder / f"{picture.name}.png")
            sys.stdout.write(f"{picture.name}: {size // 1000} kB\n")
            if size > LARGEST:
                raise SystemExit(f"{picture.name} has {size} bytes; at most {LARGEST} go into the repository.")
        browser.close()


def take(browser: Browser, page: Path, picture: Picture, path: Path) -> int:
    """One picture; its size in bytes."""
    view = browser.new_page(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme=picture.scheme,
        locale=picture.locale,
        reduced_motion="reduce",
    )
    view.goto(page.as_uri() + picture.place)
    view.locator("#notes li").first.wait_for()
    view.wait_for_timeout(300)  # the canvases are painted after the text
    (view.locator(picture.part) if picture.part else view).screenshot(path=path)
    view.close()
    with Image.open(path) as image:  # few colours, and the rare ones are those that mean something
        image.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path)
    return path.stat().st_size


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    make(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).parent)
