// The one module that touches the page: it fills the places, follows pointer and keys, and keeps the address up to date.
import { blockOf, openLook } from "./look.js";
import { openWorth } from "./worth.js";
import { escape, speaker } from "./wording.js";
import { scales } from "./colour.js";
import { fromHash, settled, START, toHash } from "./state.js";
import { headline, headlinePaint, sizeOf } from "./headline.js";
import { finderGrids, finderPeek } from "./finder.js";
import { paintSheet, paintThumbs } from "./paint.js";
import { matrixOf } from "./matrix.js";
import { rowView } from "./rows.js";
import { wordRow, wordView } from "./oneword.js";
import { asCsv, asLatex, asPython } from "./arithmetic.js";
import { tourView } from "./tour.js";
import { cellKey, headKey, rovingKey } from "./keys.js";
import { askChange, askLook, askWorth } from "./wire.js";
import { headName } from "./saying.js";
import { cellSaid, chosenColumn, chosenRow, compareView, effectsView, finderView, footView, headChange, headView, limitsView, sentenceView, tableView, topView, whatifView } from "./view.js";

const $ = id => document.getElementById(id), all = (selector, root = document) => [...root.querySelectorAll(selector)];
const read = id => JSON.parse($(id).textContent), filled = new Map();
let texts, looks, worths, live, colours, state = { ...START }, hover = null, painted = "", asking = 0;

// Everything that a view needs to know.
function at() {
  const strings = texts.languages[language()] ?? {}, t = Object.assign(speaker(strings, texts.languages.en), { lang: language() });
  const look = looks[state.s];
  return { looks, look, worth: worths[state.s], state, t, colours, live: Boolean(live), block: blockOf(look, state.kind, state.layer) };
}

function language() {
  const known = Object.keys(texts.languages), wished = [state.lang, ...navigator.languages.map(l => l.slice(0, 2))];
  return wished.find(l => known.includes(l)) ?? "en";
}

// Fills places whose content has changed; the focus stays on what has the same name.
function fill(places) {
  for (const [id, html] of Object.entries(places)) {
    if (filled.get(id) === html) continue;
    const place = $(id), here = document.activeElement, held = place.contains(here) && here !== place ? here.id || here.dataset.go : null;
    place.innerHTML = html;
    filled.set(id, html);
    if (held) (document.getElementById(held) ?? all("[data-go]", place).find(el => el.dataset.go === held))?.focus({ preventScroll: true });
  }
}

function update(patch, keep = {}) {
  const { at: section, ...rest } = patch;
  const s = Math.min(looks.length - 1, Math.max(0, rest.s ?? state.s));
  state = settled(state, { ...rest, ...("s" in rest ? { s } : {}) }, looks[s], worths[s]);
  hover = null;
  history.replaceState(null, "", toHash(state));
  render();
  if (section) scrollTo(section);
  if (keep.cell) focusCell();
}

function scrollTo(section) {
  $(section)?.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth", block: "start" });
}

function render() {
  const root = document.documentElement;
  if (state.theme) root.dataset.theme = state.theme; else delete root.dataset.theme;
  const style = getComputedStyle(root), dark = style.colorScheme === "dark", key = `${dark}`;
  if (painted !== key) { colours = scales(name => style.getPropertyValue(name).trim()); painted = key; }
  const now = at();
  root.lang = now.t.lang;
  for (const el of all("[data-t]")) fillText(el, now.t(el.dataset.t));
  fill(topView(now, Object.keys(texts.languages), dark));
  $("theme").dataset.go = JSON.stringify({ theme: dark ? "light" : "dark" });
  renderSentence(now);
  fill({ ...finderView(now), grids: finderGrids(now) });
  paintGrids(now, `${dark}`);
  renderHead(now);
  renderWord(now);
  fill({ ...compareView(now, $("compare-figure").clientWidth), ...effectsView(now), ...limitsView(now), foot: footView(now) });
  if (live && !$("whatif").contains(document.activeElement)) fill({ whatif: whatifView(now) });
  renderTour(now);
}

function fillText(el, html) {
  if (filled.get(el) !== html) { el.innerHTML = html; filled.set(el, html); }
}

function renderSentence(now) {
  const lines = headline(now.look, now.t);
  fill({ "source-line": lines.source, "target-line": lines.target, ...sentenceView(now, $("lanes").clientWidth) });
  for (const id of ["source-line", "target-line"]) { $(id).classList.remove("long", "longer"); if (sizeOf(now.look)) $(id).classList.add(sizeOf(now.look)); }
  paintHeadline(now);
  document.title = `${now.look.text.slice(0, 60)} \u2013 regard`;
}

function paintHeadline(now) {
  const shown = { asked: hover?.asked ?? (hover ? -1 : state.asked), t: hover?.t ?? state.t }, p = headlinePaint(now, shown);
  const paint = (line, list) => [...line.children].forEach((el, i) => {
    const w = list[i] ?? { w: 0 };
    el.style.setProperty("--w", w.w.toFixed(4));
    el.querySelector("em").textContent = w.text ?? "";
    for (const name of ["seen", "on", "asked"]) el.classList.toggle(name, Boolean(w[name]));
    el.setAttribute("aria-pressed", Boolean(w.on ?? w.asked));
  });
  paint($("source-line"), p.source);
  paint($("target-line"), p.target);
  for (const line of [$("source-line"), $("target-line")]) [...line.children].forEach((el, i, list) => (el.tabIndex = (list.some(x => x.classList.contains("on")) ? el.classList.contains("on") : i === 0) ? 0 : -1));
  $("sentence").classList.toggle("asking", p.matter === null);
  fill({ lead: p.lead, ...(p.matter === null ? {} : { matter: p.matter }) });
}

let gridsPainted = "";
function paintGrids(now, dark) {
  const key = `${dark} ${state.s} ${state.order} ${state.t} ${state.kind === "encoder" ? state.row : ""} ${state.cl}.${state.ch} ${$("grids").clientWidth} ${Boolean(now.worth)}`;
  if (key === gridsPainted && all("#grids canvas").every(c => c.width > 300)) return peek(state.kind, state.layer, state.head);
  gridsPainted = key;
  for (const canvas of all("#grids canvas")) {
    const box = canvas.getBoundingClientRect();
    const places = all(".thumb", canvas.parentElement).map(el => {
      const r = el.getBoundingClientRect(), [layer, head] = el.dataset.place.split(" ").map(Number);
      return { x: r.left - box.left, y: r.top - box.top, size: r.width, layer, head };
    });
    paintThumbs(canvas, places, now, canvas.dataset.kind, Math.min(2, devicePixelRatio || 1));
  }
  return peek(state.kind, state.layer, state.head);
}

function peek(kind, layer, head) {
  fill({ peek: finderPeek(at(), kind, layer, head) });
}

function matrixWidth() {
  const wide = $("head").querySelector(".split").clientWidth;
  return wide < 700 ? wide : Math.min(640, wide - 334);
}

function renderHead(now) {
  fill(headView(now, matrixWidth()));
  if ($("as-table").open) fill({ "as-table-body": tableView(now) });
  const sheet = $("sheet-canvas"), m = sheet && matrixOf(now);
  if (sheet) paintSheet(sheet, m.values.map((row, i) => row.map((a, j) => (m.shut[i][j] ? null : a))), colours, Math.min(2, devicePixelRatio || 1));
  $("unfold").dataset.go = JSON.stringify({ open: state.open ? 0 : 1, ...(state.open ? {} : { at: "word" }) });
}

// A look at another cell, without choosing it.
function previewCell(i, j) {
  const now = at(), m = matrixOf(now);
  fill({ row: rowView(now, { ...m, row: i, col: j }, i) });
  for (const el of all("[data-row], [data-col]", $("matrix"))) el.classList.toggle("on", Number(el.dataset.row ?? NaN) === i || Number(el.dataset.col ?? NaN) === j);
  const cell = $(`c-${i}-${j}`), mark = $("row-mark");
  if (cell) mark.setAttribute("y", cell.y.baseVal.value - 1);
}

function renderWord(now) {
  $("word").hidden = !state.open;
  if (state.open) fill({ "word-main": wordView(now, $("word-main").clientWidth || $("lanes").clientWidth) });
}

function focusCell() {
  const m = matrixOf(at());
  ($(`c-${m.row}-${m.col}`) ?? $("sheet"))?.focus({ preventScroll: true });
}

function say(text) {
  $("live").textContent = text;
}

// ---- the tour
function renderTour(now) {
  for (const el of all(".pointed")) el.classList.remove("pointed");
  $("tour").hidden = state.tour < 0;
  if (state.tour < 0) return fill({ tour: "" });
  $("tour").setAttribute("aria-label", now.t("tour.start"));
  fill({ tour: tourView(now, texts.tour) });
  const point = texts.tour[state.tour]?.point;
  const found = point && document.querySelector(`[data-tour="${point}"]`);
  return found?.classList.add("pointed");
}

function tourTo(step) {
  const next = texts.tour[step];
  update({ tour: step, ...(next?.go ?? {}) });
  if (!next) return $("tour-start").focus();
  const target = document.querySelector(`[data-tour="${next.point}"]`) ?? $(next.at);
  target?.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth", block: "center" });
  return $("tour-title")?.focus({ preventScroll: true });
}

// ---- the live page
function asked() {
  const look = looks[0];
  return { text: look.text, direction: look.model.direction, target: look.translation, forced: look.forced };
}

async function waiting(what, work) {
  document.body.setAttribute("aria-busy", "true");
  try { await work(); } catch (error) { say(error.message); fill({ lead: escape(error.message) }); } finally { document.body.removeAttribute("aria-busy"); }
}

function retranslate() {
  return waiting("look", async () => {
    const data = await askLook({ text: $("ask-text").value, direction: $("ask-direction").value || null });
    begin(data, { ...START, theme: state.theme, lang: state.lang });
    say(looks[0].translation);
    measure();
  });
}

function compareWith(change) {
  return waiting("change", async () => {
    const data = await askChange({ ...asked(), change });
    looks = [looks[0], openLook(data.look)];
    worths = [worths[0], null];
    update({ s: 0, other: 1, at: "compare-lead" });
    say(looks[1].translation);
  });
}

function measure() {
  const mine = ++asking, look = looks[0];
  askWorth(asked(), progress => {
    if (progress.done < progress.total) return say(at().t("matter.progress", progress));
    worths[0] = openWorth(progress.worth, look);
    look.worth = progress.worth;
    look.cache.clear();
    gridsPainted = "";
    return update({});
  }, () => mine === asking).catch(error => say(error.message));
}

function begin(data, start) {
  looks = data.looks.map(openLook);
  worths = looks.map(look => openWorth(look.worth, look));
  const s = Math.min(looks.length - 1, start.s);
  state = settled({ ...START }, { ...start, s }, looks[s], worths[s]);
  gridsPainted = "";
  filled.clear();
  history.replaceState(null, "", toHash(state));
  render();
}

// ---- hands
function onClick(event) {
  const el = event.target.closest?.("[data-go], [data-target], [data-source], [data-cell], [data-line], [data-key], [data-copy], [data-tour-to], [data-whatif]");
  if (!el) return;
  const d = el.dataset, words = side => looks[state.s].sides[side].words;
  if (d.go) update(JSON.parse(d.go));
  else if (d.target) update({ kind: "cross", layer: state.cl, head: state.ch, row: words("writes")[d.target].start });
  else if (d.source) update({ asked: state.asked === Number(d.source) ? -1 : Number(d.source) });
  else if (d.cell) pin(...d.cell.split(" ").map(Number));
  else if (d.line) update({ row: chosenRow(at(), Number(d.line)) });
  else if (d.key) update({ col: Number(d.key), ...(el.closest("#word-main") ? {} : { open: 1 }) });
  else if (d.copy) copy(d.copy);
  else if (d.tourTo) tourTo(Number(d.tourTo));
  else if (d.whatif === "text") compareWith({ what: "sentence", text: $("whatif-text").value });
  else if (d.whatif) compareWith(headChange(state, d.whatif));
}

function pin(i, j) {
  update({ row: chosenRow(at(), i), col: chosenColumn(at(), j), open: 1 }, { cell: true });
}

function copy(how) {
  const { row, names } = wordRow(at()), text = { csv: asCsv, latex: asLatex, python: asPython }[how](row, names), { t } = at();
  (navigator.clipboard?.writeText(text) ?? Promise.reject(new Error())).then(() => say(t("copy.done", { how })), () => say(t("copy.refused")));
}

function onOver(event) {
  const el = event.target.closest?.("[data-target], [data-source], [data-cell], [data-head]"), was = hover;
  hover = null;
  if (el?.dataset.target) hover = { t: looks[state.s].sides.writes.words[el.dataset.target].start };
  else if (el?.dataset.source) hover = { asked: Number(el.dataset.source) };
  else if (el?.dataset.cell) { hover = { cell: el.dataset.cell }; if (was?.cell !== hover.cell) previewCell(...hover.cell.split(" ").map(Number)); }
  else if (el?.dataset.head) { const [kind, layer, head] = el.dataset.head.split(" "); hover = { head: el.dataset.head }; if (was?.head !== hover.head) peek(kind, Number(layer), Number(head)); }
  if ((was?.t ?? was?.asked) !== (hover?.t ?? hover?.asked) || Boolean(was?.t) !== Boolean(hover?.t)) paintHeadline(at());
  if (was?.cell && !hover?.cell) { const m = matrixOf(at()); previewCell(m.row, m.col); }
  if (was?.head && !hover?.head) peek(state.kind, state.layer, state.head);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const now = at(), head = headKey(event.key, now.look, state);
  if (head) { update(head, { cell: Boolean(event.target.closest?.("#matrix")) }); say(headName(now.t, state.kind, state.layer, state.head)); return; }
  if (event.key === "Escape") { update(state.tour >= 0 ? { tour: -1 } : { open: 0, asked: -1 }); say(now.t("said.unpinned")); return; }
  if (event.target.closest?.(".cell") || event.target.id === "sheet") onCellKey(event, now);
  else onRovingKey(event);
}

function onCellKey(event, now) {
  const m = matrixOf(now), sheet = event.target.id === "sheet", [i, j] = sheet ? [m.row, m.col] : event.target.dataset.cell.split(" ").map(Number);
  if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pin(i, j); say(now.t("said.pinned")); return; }
  const to = cellKey(event.key, m, i, j);
  if (!to) return;
  event.preventDefault();
  if (sheet) update({ row: chosenRow(now, to.i), col: chosenColumn(now, to.j) }, { cell: true });
  else { const next = $(`c-${to.i}-${to.j}`); event.target.setAttribute("tabindex", "-1"); next.setAttribute("tabindex", "0"); next.focus(); previewCell(to.i, to.j); markCell(next); }
  say(cellSaid(now, to.i, to.j));
}

function markCell(cell) {
  $("cell-mark").setAttribute("x", cell.x.baseVal.value - 1);
  $("cell-mark").setAttribute("y", cell.y.baseVal.value - 1);
}

function onRovingKey(event) {
  const group = event.target.closest?.("[data-roving]"), list = group ? all("button", group) : [], to = group && rovingKey(event.key, list.indexOf(event.target), list.length);
  if (to === null || !list[to] || list[to] === event.target) return;
  event.preventDefault();
  list.forEach((el, i) => (el.tabIndex = i === to ? 0 : -1));
  list[to].focus();
  onOver({ target: list[to] });
}

function onSheet(event) {
  if (event.target.id !== "sheet-canvas") return;
  const box = event.target.getBoundingClientRect(), m = matrixOf(at()), place = (x, size, n) => Math.min(n - 1, Math.max(0, Math.floor((x / size) * n)));
  const i = place(event.clientY - box.top, box.height, m.rows.length), j = place(event.clientX - box.left, box.width, m.cols.length);
  if (event.type === "click" && !m.shut[i][j]) pin(i, j);
  else if (!m.shut[i][j]) previewCell(i, j);
}

function listen() {
  document.addEventListener("click", event => (event.target.id === "sheet-canvas" ? onSheet(event) : event.target.id === "tour-start" ? tourTo(0) : onClick(event)));
  document.addEventListener("pointerover", onOver);
  document.addEventListener("pointermove", onSheet);
  document.addEventListener("keydown", onKey);
  document.addEventListener("submit", event => {
    event.preventDefault();
    if (event.target.id === "ask") retranslate();
    else compareWith({ what: "text", how: $("whatif-how").value, word: Number($("whatif-word").value), by: $("whatif-by").value });
  });
  $("as-table").addEventListener("toggle", () => renderHead(at()));
  let timer;
  addEventListener("resize", () => { clearTimeout(timer); timer = setTimeout(render, 80); });
  addEventListener("hashchange", () => { state = settled({ ...START }, fromHash(location.hash), looks[0], worths[0]); render(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", render);
}

function start() {
  texts = read("texts");
  const data = read("data"), given = fromHash(location.hash);
  live = data.live ?? null;
  listen();
  if (live) {
    $("ask").hidden = $("whatif").hidden = false;
    $("ask-direction").hidden = live.directions.length < 2;
    $("ask-direction").innerHTML = live.directions.map(d => `<option>${escape(d)}</option>`).join("");
    if (data.looks.length) { $("ask-text").value = data.looks[0].text; $("ask-direction").value = data.looks[0].model.direction ?? ""; }
  }
  if (data.looks.length) begin(data, { ...START, ...given });
  if (live && data.looks.length && !worths[0]) measure();
  const section = new URLSearchParams(location.hash.slice(1)).get("at");
  if (section) $(section)?.scrollIntoView({ behavior: "instant" });
}
start();
