// The page at work: it draws what is to be seen, follows pointer and keys, and keeps the address up to date.
import { blockOf, openLook } from "./look.js";
import { openWorth } from "./worth.js";
import { escape, speaker } from "./wording.js";
import { scales } from "./colour.js";
import { begun, fromHash, settled, START, toHash } from "./state.js";
import { headline, headlinePaint, lettersOf } from "./headline.js";
import { finderGrids, finderPeek } from "./finder.js";
import { paintLines, paintSheet, paintThumbs, placesIn } from "./paint.js";
import { matrixOf } from "./matrix.js";
import { rowView } from "./rows.js";
import { wordRow, wordView } from "./oneword.js";
import { asCsv, asLatex, asPython } from "./arithmetic.js";
import { tourView } from "./tour.js";
import { cellKey, cellUnder, headKey, rovingKey } from "./keys.js";
import { $, all, emptied, fill, fillTexts, scrollTo } from "./places.js";
import { liveServer } from "./wire.js";
import { headName } from "./saying.js";
import { savePicture } from "./save.js";
import { cellSaid, chosenColumn, chosenRow, compareView, effectsView, finderView, footView, headChange, headView, limitsView, sentenceView, tableView, topView, whatifView } from "./view.js";

const ratio = () => Math.min(2, devicePixelRatio || 1), read = id => JSON.parse($(id).textContent);
let texts, looks, worths, live, colours, state = { ...START }, hover = null, painted = "", gridsPainted = "", later = 0, resized = 0, goal = null;

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

function update(patch, keep = {}) {
  const { at: section, ...rest } = patch;
  const s = Math.min(looks.length - 1, Math.max(0, rest.s ?? state.s));
  state = settled(state, { ...rest, ...("s" in rest ? { s } : {}) }, looks[s], worths[s]);
  hover = null;
  remember();
  render();
  if (section) scrollTo($(section));
  if (keep.cell) focusCell();
}

function render() {
  if (!looks?.length) return;
  const root = document.documentElement;
  root.dataset.theme = state.theme;
  const style = getComputedStyle(root), dark = style.colorScheme === "dark", key = `${dark}`;
  if (painted !== key) { colours = scales(name => style.getPropertyValue(name).trim()); painted = key; }
  const now = at();
  root.lang = now.t.lang;
  fillTexts(now.t);
  fill(topView(now, Object.keys(texts.languages), dark));
  $("theme").dataset.go = JSON.stringify({ theme: dark ? "light" : "dark" });
  renderSentence(now);
  renderHead(now);
  renderWord(now);
  renderTour(now);
  cancelAnimationFrame(later);
  later = requestAnimationFrame(() => setTimeout(renderRest, 0, now, `${dark}`)); // what is seen first comes first
}

function renderRest(now, dark) {
  if (now.state !== state) return;
  fill({ ...finderView(now), grids: finderGrids(now) });
  paintGrids(now, dark);
  fill({ ...compareView(now, $("compare-figure").clientWidth), ...effectsView(now), ...limitsView(now), foot: footView(now) });
  if (live && !$("whatif").contains(document.activeElement)) fill({ whatif: whatifView(now) });
  $(goal)?.scrollIntoView({ behavior: "instant" }); // a place that the address named, once all above it is there
  goal = null;
}

function renderSentence(now) {
  const { source, target } = headline(now.look, now.t), letters = lettersOf(now.look);
  fill({ "source-line": source, "target-line": target, ...sentenceView(now, $("lanes").clientWidth) });
  for (const id of ["source-line", "target-line"]) { $(id).style.setProperty("--letters", letters); $(id).classList.toggle("long", letters > 84); }
  paintHeadline(now);
  document.title = `${now.look.text.slice(0, 60)} \u2013 regard`;
}

function paintHeadline(now) {
  const shown = { asked: hover?.asked ?? (hover?.t === undefined ? state.asked : -1), t: hover?.t ?? state.t }, p = headlinePaint(now, shown);
  paintLines($("source-line"), $("target-line"), p);
  $("sentence").classList.toggle("asking", p.matter === null);
  fill({ lead: p.lead, ...(p.matter === null ? {} : { matter: p.matter }) });
}

function paintGrids(now, dark) {
  const key = `${dark} ${state.s} ${state.order} ${state.t} ${state.kind === "encoder" ? state.row : ""} ${state.cl}.${state.ch} ${$("grids").clientWidth} ${Boolean(now.worth)}`;
  if (key === gridsPainted && all("#grids canvas").every(c => c.width > 300)) return peek(state.kind, state.layer, state.head);
  gridsPainted = key;
  for (const canvas of all("#grids canvas")) paintThumbs(canvas, placesIn(canvas.parentElement), now, canvas.dataset.kind, ratio());
  return peek(state.kind, state.layer, state.head);
}

const peek = (kind, layer, head) => fill({ peek: finderPeek(at(), kind, layer, head) });

function matrixWidth() {
  const split = $("head").querySelector(".split"), { look, block } = at(), many = Math.max(block.cols, block.rows, look.source.pieces.length) > 34;
  split.classList.toggle("stacked", many);
  return split.clientWidth < 760 || many ? split.clientWidth : Math.min(600, split.clientWidth - 410);
}

function renderHead(now) {
  fill(headView(now, matrixWidth()));
  if ($("as-table").open) fill({ "as-table-body": tableView(now) });
  if ($("sheet-canvas")) paintSheet($("sheet-canvas"), matrixOf(now), colours, ratio());
  $("unfold").dataset.go = JSON.stringify({ open: state.open ? 0 : 1, ...(state.open ? {} : { at: "word" }) });
}

// A look at another cell, without choosing it.
function previewCell(i, j) {
  const now = at();
  fill({ row: rowView(now, { ...matrixOf(now), row: i, col: j }, i) });
  for (const el of all("[data-row], [data-col]", $("matrix"))) el.classList.toggle("on", Number(el.dataset.row ?? NaN) === i || Number(el.dataset.col ?? NaN) === j);
  if ($(`c-${i}-${j}`)) $("row-mark").setAttribute("y", $(`c-${i}-${j}`).y.baseVal.value - 1);
}

function renderWord(now) {
  $("word").hidden = !state.open;
  if (state.open) fill({ "word-main": wordView(now, $("word-main").clientWidth || $("lanes").clientWidth) });
}

function focusCell() {
  const m = matrixOf(at());
  ($(`c-${m.row}-${m.col}`) ?? $("sheet"))?.focus({ preventScroll: true });
}

const say = text => ($("live").textContent = text);
// ---- the tour
function renderTour(now) {
  for (const el of all(".pointed")) el.classList.remove("pointed");
  $("tour").hidden = !texts.tour[state.tour];
  $("tour").setAttribute("aria-label", now.t("tour.start"));
  fill({ tour: tourView(now, texts.tour) });
  const { point } = texts.tour[state.tour] ?? {};
  return point && document.querySelector(`[data-tour="${point}"]`)?.classList.add("pointed");
}

function tourTo(step) {
  const next = texts.tour[step];
  update({ tour: step, ...(next?.go ?? {}) });
  if (!next) return $("tour-start").focus();
  scrollTo(document.querySelector(`[data-tour="${next.point}"]`) ?? $(next.at), "center");
  return $("tour-title")?.focus({ preventScroll: true });
}

// ---- the live page
const server = liveServer({ first: () => looks[0], failed: error => { say(error.message); fill({ lead: escape(error.message) }); } });

function retranslate(given = {}) {
  server.look({ text: $("ask-text").value, direction: $("ask-direction").value || null }, data => {
    begin(data, { ...START, theme: state.theme, lang: state.lang, ...given });
    measure();
  });
}

function compareWith(change) {
  return server.change(change, data => {
    looks = [looks[0], openLook({ ...data.look, change: data.effect.change, delta: data.effect.delta })];
    worths = [worths[0], null];
    update({ s: 0, other: 1, at: "compare-lead" });
    say(looks[1].translation);
  });
}

function measure() {
  server.worth(progress => {
    if (progress.done < progress.total || !progress.worth) return say(at().t("matter.progress", progress));
    worths[0] = openWorth(progress.worth, looks[0]);
    looks[0].cache.clear();
    gridsPainted = "";
    return update({});
  });
}

function begin(data, start) {
  looks = data.looks.map(openLook);
  worths = looks.map(look => openWorth(look.worth, look));
  state = begun(start, looks, worths);
  gridsPainted = "";
  emptied();
  document.body.classList.remove("empty");
  remember();
  render();
}

function remember() {
  try { history.replaceState(null, "", toHash(state)); } catch { /* a notebook's frame has no address */ }
}

// ---- hands
function onClick(event) {
  const el = event.target.closest?.("[data-go], [data-target], [data-source], [data-cell], [data-line], [data-key], [data-copy], [data-save], [data-tour-to], [data-whatif]");
  if (!el) return;
  const d = el.dataset, words = side => looks[state.s].sides[side].words;
  if (d.go) update(JSON.parse(d.go));
  else if (d.target) update({ kind: "cross", layer: state.cl, head: state.ch, row: words("writes")[d.target].start });
  else if (d.source) update({ asked: state.asked === Number(d.source) ? -1 : Number(d.source) });
  else if (d.cell) pin(...d.cell.split(" ").map(Number));
  else if (d.line) update({ row: chosenRow(at(), Number(d.line)) });
  else if (d.key) update({ col: Number(d.key), ...(el.closest("#word-main") ? {} : { open: 1 }) });
  else if (d.copy) copy(d.copy);
  else if (d.save) savePicture($("matrix").querySelector("svg"), getComputedStyle(document.body).backgroundColor, `regard-${state.kind}-${state.layer + 1}-${state.head + 1}`, d.save);
  else if (d.tourTo) tourTo(Number(d.tourTo));
  else if (d.whatif === "text") compareWith({ what: "sentence", text: $("whatif-text").value });
  else if (d.whatif) compareWith(headChange(state, d.whatif));
}

const pin = (i, j) => update({ row: chosenRow(at(), i), col: chosenColumn(at(), j), open: 1 }, { cell: true });

function copy(how) {
  const { row, names } = wordRow(at()), text = { csv: asCsv, latex: asLatex, python: asPython }[how](row, names), { t } = at();
  (navigator.clipboard?.writeText(text) ?? Promise.reject(new Error())).then(() => say(t("copy.done", { how })), () => say(t("copy.refused")));
}

function onOver(event) {
  const was = hover;
  hover = pointed(event.target);
  if (hover.cell && hover.cell !== was?.cell) previewCell(...hover.cell);
  if (hover.head && hover.head !== was?.head) peek(...hover.head);
  if (hover.line !== was?.line) paintHeadline(at());
  if (was?.cell && !hover.cell) { const m = matrixOf(at()); previewCell(m.row, m.col); }
  if (was?.head && !hover.head) peek(state.kind, state.layer, state.head);
}

// What lies under the pointer: a word of either line, a cell, a head.
function pointed(target) {
  const d = target.closest?.("[data-target], [data-source], [data-cell], [data-head]")?.dataset ?? {};
  if (d.target) return { line: `t${d.target}`, t: looks[state.s].sides.writes.words[d.target].start };
  if (d.source) return { line: `s${d.source}`, asked: Number(d.source) };
  if (d.cell) return { cell: d.cell.split(" ").map(Number) };
  return d.head ? { head: d.head.split(" ").map(x => (/\d/.test(x) ? Number(x) : x)) } : {};
}

function onKey(event) {
  if (!looks?.length || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
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
  else { const next = $(`c-${to.i}-${to.j}`); event.target.setAttribute("tabindex", "-1"); next.setAttribute("tabindex", "0"); next.focus(); previewCell(to.i, to.j); for (const axis of ["x", "y"]) $("cell-mark").setAttribute(axis, next[axis].baseVal.value - 1); }
  say(cellSaid(now, to.i, to.j));
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
  const box = event.target.getBoundingClientRect(), m = matrixOf(at());
  const { i, j } = cellUnder(m, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
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
  addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(render, 80); });
  addEventListener("hashchange", () => { if (looks) { state = begun(fromHash(location.hash), looks, worths); hover = null; render(); } });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", render);
}

// A live page begins empty: with its own texts, and the sentence that it was opened with, or none.
function waitForLook(given) {
  state = { ...START, ...given };
  document.body.classList.add("empty");
  const t = speaker(texts.languages[language()], texts.languages.en);
  fillTexts(t);
  if (live?.text) retranslate(given);
  else $("ask-text").focus();
}

function start() {
  texts = read("texts");
  const data = read("data"), given = fromHash(location.hash);
  goal = new URLSearchParams(location.hash.slice(1)).get("at");
  live = data.live ?? null;
  listen();
  if (live) {
    $("ask").hidden = $("whatif").hidden = false;
    $("ask-direction").hidden = live.directions.length < 2;
    $("ask-direction").innerHTML = live.directions.map(d => `<option>${escape(d)}</option>`).join("");
    Object.assign($("ask-text"), { value: live.text ?? "" });
    if (live.direction) $("ask-direction").value = live.direction;
  }
  if (data.looks.length) begin(data, { ...START, ...given });
  else waitForLook(given);
}
start();
