// What is shown, as plain values: read from the address, written back to it, and kept possible whatever is asked for.
// Layers, heads and pieces count from 0 here; in the address, layers and heads count from 1, as people count.
import { blockOf, groupAt, layersOf, peakOf, weightAt } from "./look.js";
import { ORDERS } from "./finder.js";
import { mostNeeded } from "./worth.js";

export const START = {
  s: 0, kind: "cross", layer: -1, head: -1, row: -1, col: -1, t: -1, cl: -1, ch: -1, asked: -1, open: 0, all: 0, dim: -1,
  view: "matrix", sem: "writes", unit: "words", marks: "shown", order: "model", band: "looks", what: "left", other: 1, tour: -1, theme: "", lang: "",
};
const SHOWN = ["s", "row", "col", "t", "asked", "open", "all", "dim", "view", "sem", "unit", "marks", "order", "band", "what", "other", "tour", "theme", "lang"];

const WORDS = { // that an address may say; a language is looked for where the texts are
  view: ["matrix", "lines"], sem: ["writes", "reads"], unit: ["words", "pieces"], marks: ["shown", "hidden"], order: ORDERS,
  band: ["looks", "worth"], what: ["left", "replaced"], theme: ["light", "dark"],
};

export function fromHash(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, "")), patch = {};
  for (const [key, value] of given) {
    if (!SHOWN.includes(key)) continue;
    const number = Number(value);
    if (typeof START[key] === "string") { if (WORDS[key]?.includes(value) ?? true) patch[key] = value; }
    else if (Number.isInteger(number)) patch[key] = number;
  }
  const look = /^(encoder|decoder|cross)\.(\d+)\.(\d+)$/.exec(given.get("look") ?? "");
  if (look) Object.assign(patch, { kind: look[1], layer: look[2] - 1, head: look[3] - 1 });
  return patch;
}

export function toHash(state) {
  const out = new URLSearchParams({ look: `${state.kind}.${state.layer + 1}.${state.head + 1}` });
  for (const key of SHOWN) if (state[key] !== START[key]) out.set(key, state[key]);
  return `#${out}`;
}

// What a page begins with at an address: of the look that it names, if there is one.
export function begun(start, looks, worths) {
  const s = Math.min(looks.length - 1, Math.max(0, start.s ?? 0));
  return settled({ ...START }, { ...start, s }, looks[s], worths[s]);
}

// The state after a change. Where a change leaves something open, the most telling is taken: the row's largest weight,
// the word that the encoder was asked about, the head whose loss costs a word most.
export function settled(before, patch, look, worth) {
  patch = { ...patch };
  for (const key of ["col", "row", "layer", "head", "t"]) if (patch[key] < 0) delete patch[key];
  const state = { ...before, ...patch }, moved = ["s", "kind", "layer", "head", "row"].some(key => key in patch);
  if ("s" in patch && patch.s !== before.s) Object.assign(state, { cl: -1, ch: -1, asked: -1, ...(patch.row === undefined ? { row: -1, t: -1 } : {}) });
  if (state.layer < 0 || state.row < 0) Object.assign(state, { ...opening(look, worth), ...known(patch, ["kind", "layer", "head", "row"]) });
  if (state.t < 0) state.t = opening(look, worth).t;
  possible(state, look);
  if (state.cl < 0 || !blockOf(look, "cross", state.cl)) Object.assign(state, crossFor(state, look, worth));
  if (patch.kind !== undefined && patch.row === undefined && patch.kind !== before.kind) state.row = rowFor(state, look);
  const block = blockOf(look, state.kind, state.layer);
  state.row = Math.min(Math.max(0, state.row), block.rows - 1);
  if (state.kind !== "encoder") state.t = state.row;
  state.t = Math.min(Math.max(0, state.t), look.writes.pieces.length - 1);
  if (state.kind === "cross") Object.assign(state, { cl: state.layer, ch: state.head });
  if (patch.col === undefined && (moved || state.col < 0)) state.col = peakAt(block, state.head, state.row);
  state.col = Math.min(Math.max(0, state.col), block.cols - 1);
  if (patch.row !== undefined || patch.t !== undefined) state.asked = patch.asked ?? -1;
  if (state.asked >= look.sides.source.words.length) state.asked = -1;
  return state;
}

function known(patch, keys) {
  return Object.fromEntries(keys.filter(key => patch[key] >= 0 || typeof patch[key] === "string").map(key => [key, patch[key]]));
}

function possible(state, look) {
  const kinds = ["cross", "decoder", "encoder"].filter(kind => layersOf(look, kind).length);
  if (!kinds.includes(state.kind)) state.kind = kinds[0];
  const layers = layersOf(look, state.kind);
  if (!layers.includes(state.layer)) state.layer = layers[layers.length - 1];
  state.head = Math.min(Math.max(0, state.head), blockOf(look, state.kind, state.layer).heads - 1);
}

export function peakAt(block, head, row) {
  return peakOf(Array.from({ length: block.cols }, (_, j) => weightAt(block, head, row, j)));
}

function rowFor(state, look) {
  if (state.kind !== "encoder") return state.t;
  if (state.cl < 0) return 0;
  return state.asked >= 0 ? look.sides.source.words[state.asked].start : peakAt(blockOf(look, "cross", state.cl), state.ch, state.t);
}

function crossFor(state, look, worth) {
  const layers = layersOf(look, "cross");
  if (!layers.length) return { cl: -1, ch: -1 };
  const best = mostNeeded(worth, "cross", groupAt(look.sides.writes.words, state.t));
  return best ? { cl: best.layer, ch: best.head } : { cl: layers[layers.length - 1], ch: 0 };
}

// Where a page begins: at the word that loses most when one head of cross-attention is switched off, or, where nothing
// was measured, at the sharpest look of the last layer.
export function opening(look, worth) {
  const words = look.sides.writes.words, layers = layersOf(look, "cross"), last = layers[layers.length - 1];
  let best = null;
  words.forEach((word, i) => {
    const found = i ? mostNeeded(worth, "cross", i) : null;
    if (found && (!best || found.delta < best.delta) && blockOf(look, "cross", found.layer)) best = { ...found, row: word.start };
  });
  if (best) return { kind: "cross", layer: best.layer, head: best.head, row: best.row, t: best.row };
  const block = blockOf(look, "cross", last);
  if (!block) return { kind: look.blocks[0].kind, layer: look.blocks[0].layer, head: 0, row: 0, t: 0 };
  let found = { row: 0, head: 0, weight: -1 };
  for (let head = 0; head < block.heads; head++) for (let row = 0; row < block.rows - 1; row++) {
    const weight = weightAt(block, head, row, peakAt(block, head, row));
    if (weight > found.weight) found = { row, head, weight };
  }
  return { kind: "cross", layer: last, head: found.head, row: found.row, t: found.row };
}
