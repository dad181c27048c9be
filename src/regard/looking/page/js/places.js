// The page's places: found by id, and filled only when what stands in them has changed.
const filled = new Map();

export const $ = id => document.getElementById(id);

export function all(selector, root = document) {
  return [...root.querySelectorAll(selector)];
}

// Fills places whose content has changed; the focus stays on what has the same name.
export function fill(places) {
  for (const [id, html] of Object.entries(places)) {
    if (filled.get(id) === html) continue;
    const place = $(id), here = document.activeElement, held = place.contains(here) && here !== place ? here.id || here.dataset.go : null;
    place.innerHTML = html;
    filled.set(id, html);
    if (held) (document.getElementById(held) ?? all("[data-go]", place).find(el => el.dataset.go === held))?.focus({ preventScroll: true });
  }
}

// What the page itself says, wherever an element names its string.
export function fillTexts(t) {
  for (const el of all("[data-t]")) {
    const html = t(el.dataset.t);
    if (filled.get(el) !== html) { el.innerHTML = html; filled.set(el, html); }
  }
}

// Everything is to be filled anew.
export function emptied() {
  filled.clear();
}

export function scrollTo(el, block = "start") {
  el?.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth", block });
}
