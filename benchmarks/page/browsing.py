"""The page in Chromium: when it is there, and how its frames come while the pointer moves."""

import contextlib
import itertools
import shutil
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
WATCH = """
window.seen = {};
new PerformanceObserver(list => { for (const { renderTime } of list.getEntries()) window.seen.lane ??= renderTime; })
    .observe({ type: 'element', buffered: true });
const look = () => {
    document.querySelector('#lead')?.setAttribute('elementtiming', 'lead');  // drawn with the lanes, right above them
    if (!document.querySelector('#notes li') || 'whole' in window.seen) return;
    window.seen.whole = 0;
    requestAnimationFrame(() => setTimeout(() => { window.seen.whole = performance.now(); }));
};
new MutationObserver(look).observe(document, { childList: true, subtree: true });
"""
FRAMES = """
window.frames = [];
window.counting = true;
const step = time => { window.frames.push(time); if (window.counting) requestAnimationFrame(step); };
requestAnimationFrame(step);
"""


@contextlib.contextmanager
def browsing() -> Iterator[Browser]:
    """The system's Chromium."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise SystemExit("No Chromium on the path. Install it: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


def opened(browser: Browser, path: Path) -> dict[str, float]:
    """Milliseconds from the start of the navigation: to the first lane painted, and to all of the page."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, locale="en-GB")
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(path.as_uri())
    page.wait_for_function("() => window.seen.lane && window.seen.whole", timeout=60_000)
    seen = page.evaluate("window.seen")
    context.close()
    return {"opens_ms": seen["lane"], "whole_ms": seen["whole"]}


def hovered(browser: Browser, path: Path) -> dict[str, float]:
    """How long the frames are while the pointer goes over the small pictures of the finder, row by row."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, locale="en-GB")
    page = context.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("#notes li", state="attached", timeout=60_000)
    page.evaluate("document.querySelector('#grids').scrollIntoView({ behavior: 'instant' })")
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)
    idle = _frames(page, lambda: page.wait_for_timeout(2000))
    boxes = page.evaluate("""[...document.querySelectorAll('#grids .open')].map(e => e.getBoundingClientRect())
        .filter(b => b.top >= 0 && b.bottom <= innerHeight).map(b => [b.x + b.width / 2, b.y + b.height / 2])""")
    passed = [boxes[n % len(boxes)] for n in range(min(len(boxes), 300))]

    def move() -> None:
        for x, y in passed:
            page.mouse.move(x, y, steps=2)

    moving = _frames(page, move)
    context.close()
    found = {f"frame_{name}": value for name, value in moving.items()} | {"frame_idle": idle["median"]}
    return {"heads": len(passed), **found}


def _frames(page: Page, act: Callable[[], None]) -> dict[str, float]:
    """The times between frames while something is done, in milliseconds."""
    page.evaluate(FRAMES)
    act()
    times = page.evaluate("(window.counting = false, window.frames)")
    gaps = sorted(b - a for a, b in itertools.pairwise(times))
    late = sum(gap > 1.5 * 1000 / 60 for gap in gaps)
    return {
        "count": len(gaps),
        "median": statistics.median(gaps),
        "p95": gaps[int(0.95 * (len(gaps) - 1))],
        "p99": gaps[int(0.99 * (len(gaps) - 1))],
        "longest": gaps[-1],
        "late": late / len(gaps),
    }
