// S1. Which head shall I open? A small picture for each head, one canvas a kind; what heads are called and ordered by.
import { blockOf, colsOf, groupAt, grouped, layersOf, peakOf, rowsOf, weightAt } from "./look.js";
import { escape, inProse, plain, shortened } from "./wording.js";
import { fixed, plus } from "./number.js";
import { faithfulness, headOff } from "./worth.js";
import { capital, headMatters, headName, unmeasured, whereTo } from "./saying.js";

// Measures of a head by which heads can be ordered: what they are of one head, and how they are shown.
export const ORDERS = ["model", "needed", "focused", "spread", "previous", "self", "next", "trust"];
const SIGNED = new Set(["needed", "trust"]);

export function measured(look, worth, block, head, target) {
  const key = `measures.${block.kind}.${block.layer}.${head}`;
  if (!look.cache.has(key)) look.cache.set(key, { ...shape(look, block, head), trust: trustOf(look, worth, block, head) });
  return { ...look.cache.get(key), needed: headOff(worth, block.kind, block.layer, head)?.delta[target] ?? null };
}

function trustOf(look, worth, block, head) {
  return block.kind === "cross" ? faithfulness(worth, grouped(look, block, head, "words")) : null;
}

// focused: the mean of the rows' largest weights, the end left out; spread: their entropy in bits; previous, self, next:
// the weight on the neighbour of that side, among rows that have one.
function shape(look, block, head) {
  let focused = 0, spread = 0;
  const beside = { previous: [0, 0], self: [0, 0], next: [0, 0] }, rows = Math.max(1, block.rows - 1);
  for (let i = 0; i < rows; i++) {
    let top = 0;
    for (let j = 0; j < block.cols; j++) {
      const a = weightAt(block, head, i, j);
      if (a > top) top = a;
      if (a > 0) spread -= (a * Math.log2(a)) / rows;
    }
    focused += top / rows;
    if (block.kind === "cross") continue;
    for (const [name, step] of [["previous", -1], ["self", 0], ["next", 1]])
      if (i + step >= 0 && i + step < block.cols && !(block.causal && step > 0)) { beside[name][0] += weightAt(block, head, i, i + step); beside[name][1]++; }
  }
  const mean = ([sum, count]) => (count ? sum / count : null);
  return { focused, spread, previous: mean(beside.previous), self: mean(beside.self), next: mean(beside.next) };
}

function listOf(at, kind, row) {
  const { look, worth, state } = at, target = groupAt(look.sides.writes.words, state.t);
  const list = layersOf(look, kind).flatMap(layer => {
    const block = blockOf(look, kind, layer);
    return Array.from({ length: block.heads }, (_, head) => {
      const weights = Array.from({ length: block.cols }, (_, j) => weightAt(block, head, row, j)), top = peakOf(weights);
      return { kind, layer, head, piece: top, weight: weights[top], ...measured(look, worth, block, head, target) };
    });
  });
  const size = h => (h[state.order] === null ? -Infinity : state.order === "needed" ? Math.abs(h.needed) : h[state.order]);
  return state.order === "model" ? list : list.sort((a, b) => size(b) - size(a));
}

// The row that the captions of a kind speak of: the chosen word; in the encoder, the word that was looked at.
export function finderRow(at, kind) {
  const { look, state } = at;
  if (kind !== "encoder") return state.t;
  if (state.kind === "encoder") return state.row;
  const block = blockOf(look, "cross", state.cl);
  return block ? peakOf(Array.from({ length: block.cols }, (_, j) => weightAt(block, state.ch, state.t, j))) : 0;
}

export function finderOrders(at) {
  const { t, state } = at;
  return `<span>${t("finder.by")}</span>` + ORDERS.map(o => `<button type="button" data-go='{"order":"${o}"}' aria-pressed="${state.order === o}" title="${escape(t(`order.${o}.tip`))}">${t(`order.${o}`)}</button>`).join("");
}

function shownMeasure(at, h) {
  const name = at.state.order === "model" ? "needed" : at.state.order, value = h[name];
  if (value === null || value === undefined) return `<span>\u2013</span>`;
  const loud = name === "needed" && Math.abs(value) > 0.5 ? (value < 0 ? ' class="big"' : ' class="big up"') : "";
  return `<span${loud}>${SIGNED.has(name) ? plus(value) : fixed(value, 2)}</span>`;
}

function thumb(at, h, names, dense) {
  const { state, t } = at, on = h.kind === state.kind && h.layer === state.layer && h.head === state.head, looked = names[groupAt(names, h.piece)].text;
  const place = dense || state.order !== "model" ? `${h.layer + 1}.${h.head + 1}` : `<span class="wordy">${t("finder.head")} </span>${h.head + 1}`;
  return `<button type="button" class="open" id="thumb-${h.kind}-${h.layer + 1}-${h.head + 1}" data-go='${JSON.stringify({ kind: h.kind, layer: h.layer, head: h.head })}' data-head="${h.kind} ${h.layer} ${h.head}" aria-pressed="${on}" tabindex="${on ? 0 : -1}">` +
    `<span class="live">${escape(headName(t, h.kind, h.layer, h.head))}: </span><span class="thumb" data-place="${h.layer} ${h.head}"></span>` +
    (dense ? "" : `<span class="value"><q>${escape(shortened(plain(looked, t), 9))}</q><span class="a">${fixed(h.weight, 2)}</span></span>`) +
    `<span class="value"><span>${place}</span>${shownMeasure(at, h)}</span></button>`;
}

export function finderGrids(at) {
  const { look, state, t } = at;
  return ["cross", "encoder", "decoder"].filter(kind => layersOf(look, kind).length).map(kind => {
    const row = finderRow(at, kind), names = colsOf(look, kind, "words"), rows = rowsOf(look, kind, "words");
    const list = listOf(at, kind, row), heads = blockOf(look, kind, layersOf(look, kind)[0]).heads, dense = heads > 8;
    const paired = heads === 4 && layersOf(look, kind).length > 1, byLayer = state.order === "model";
    const cells = list.map((h, n) => (byLayer && !dense && n % heads === 0 ? `<span class="layer">${t("finder.layer")} ${h.layer + 1}</span>` : "") + thumb(at, h, names, dense)).join("");
    const layout = byLayer ? (paired ? "paired" : "by-layer") : "flat";
    return `<div class="kind" data-kind="${kind}"><h3>${t(`kind.title.${kind}`)}<span>${t("finder.where", { word: inProse(rows[groupAt(rows, row)].text, t) })}</span></h3>` +
      `<div class="thumbs ${layout}${dense ? " dense" : ""}" style="--heads:${Math.min(heads, dense ? 16 : 8)}" role="group" aria-label="${escape(t(`kind.title.${kind}`))}">${paired && byLayer ? pairedCells(list, at, names, heads) : cells}</div><canvas aria-hidden="true" data-kind="${kind}"></canvas></div>`;
  }).join("");
}

// Two layers side by side where a layer has four heads.
function pairedCells(list, at, names, heads) {
  let html = "";
  for (let n = 0; n < list.length; n += 2 * heads) {
    const halves = [list.slice(n, n + heads), list.slice(n + heads, n + 2 * heads)].filter(half => half.length);
    html += halves.map((half, side) => `<div class="half${side ? " second" : ""}"><span class="layer">${at.t("finder.layer")} ${half[0].layer + 1}</span>${half.map(h => thumb(at, h, names, false)).join("")}</div>`).join("");
  }
  return html;
}

// In one line, what a head does with the chosen word, and whether that matters.
export function finderPeek(at, kind, layer, head) {
  const { look, worth, t, live, state } = at, block = blockOf(look, kind, layer), rows = rowsOf(look, kind, "words");
  const row = groupAt(rows, finderRow(at, kind)), target = groupAt(look.sides.writes.words, state.t);
  const where = whereTo(t, grouped(look, block, head, "words")[row], colsOf(look, kind, "words").map(w => w.text));
  return t("finder.peek", { head: capital(headName(t, kind, layer, head)), word: inProse(rows[row].text, t), where }) + " " +
    (headMatters(t, look, worth, { kind, layer, head }, target) ?? unmeasured(t, live));
}

// A head as a picture, a pixel a weight: red, green, blue and opacity, row by row. What is masked stays clear.
export function headPixels(block, head, table) {
  const pixels = new Uint8ClampedArray(4 * block.rows * block.cols), start = head * block.rows * block.cols, weights = block.weights;
  for (let i = 0; i < block.rows; i++) for (let j = 0; j < block.cols; j++) {
    if (block.causal && j > i) continue;
    const n = i * block.cols + j, colour = table[Math.min(255, Math.max(0, Math.round(weights[start + n] * 255)))];
    pixels[4 * n] = colour[0];
    pixels[4 * n + 1] = colour[1];
    pixels[4 * n + 2] = colour[2];
    pixels[4 * n + 3] = 255;
  }
  return pixels;
}
