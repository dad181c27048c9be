// A look: one trace with names on everything. Tensors are read when they are first asked for. Knows neither the page nor
// the network. A row is the word that looks, a column is looked at; the rows of the decoder may be called by the word
// that is written or by the word that is read, and shown by words or by pieces.
import { numbers } from "./tensor.js";

export const KINDS = ["encoder", "decoder", "cross"];

export function openLook(raw) {
  const blocks = raw.blocks.map(openBlock);
  const words = side => raw[side].words.map(([text, start, stop]) => ({ text, start, stop }));
  const pieces = side => raw[side].pieces.map((text, i) => ({ text, start: i, stop: i + 1 }));
  const sides = Object.fromEntries(["source", "reads", "writes"].map(s => [s, { words: words(s), pieces: pieces(s) }]));
  return { ...raw, blocks, sides, cache: new Map() };
}

function openBlock(raw) {
  const [heads, rows, cols, dk, dv] = raw.shape, block = { ...raw, heads, rows, cols, dk, dv, causal: raw.kind === "decoder" };
  for (const name of ["q", "k", "v", "context"]) lazy(block, name, () => raw[name] && numbers(raw[name], raw.type));
  for (const name of ["w_o", "b_o", "sum", "peaks"]) lazy(block, name, () => raw[name] && numbers(raw[name], "f4"));
  lazy(block, "weights", () => (raw.weights ? numbers(raw.weights, raw.type) : weightsOf(block)));
  return block;
}

function lazy(block, name, make) {
  let found;
  Object.defineProperty(block, name, { get: () => (found ??= make() ?? null), enumerable: true });
}

// softmax(q k / sqrt(d_k)) of all heads, where the model's own weights were too many to travel.
function weightsOf({ q, k, heads, rows, cols, dk, causal }) {
  const found = new Float64Array(heads * rows * cols), scale = 1 / Math.sqrt(dk);
  for (let row = 0; row < heads * rows; row++) {
    const head = Math.floor(row / rows), open = causal ? Math.min(cols, (row % rows) + 1) : cols, start = row * cols;
    let top = -Infinity, sum = 0;
    for (let j = 0; j < open; j++) {
      let score = 0;
      for (let d = 0; d < dk; d++) score += q[row * dk + d] * k[(head * cols + j) * dk + d];
      found[start + j] = score * scale;
      top = Math.max(top, found[start + j]);
    }
    for (let j = 0; j < open; j++) sum += found[start + j] = Math.exp(found[start + j] - top);
    for (let j = 0; j < open; j++) found[start + j] /= sum;
  }
  return found;
}

export function layersOf(look, kind) {
  return look.blocks.filter(b => b.kind === kind).map(b => b.layer);
}

export function blockOf(look, kind, layer) {
  return look.blocks.find(b => b.kind === kind && b.layer === layer) ?? null;
}

// Who looks, and who is looked at. unit: "words" or "pieces"; rows: "writes" or "reads".
export function rowsOf(look, kind, unit, rows = "writes") {
  return look.sides[kind === "encoder" ? "source" : rows][unit];
}

export function colsOf(look, kind, unit) {
  return look.sides[kind === "decoder" ? "reads" : "source"][unit];
}

// The group, word or piece, in which a piece stands.
export function groupAt(groups, piece) {
  const found = groups.findIndex(g => piece >= g.start && piece < g.stop);
  return found < 0 ? groups.length - 1 : found;
}

export function weightAt(block, head, i, j) {
  return block.weights[(head * block.rows + i) * block.cols + j];
}

// Weights between words: the sum over the pieces that are looked at, the mean over those that look.
export function grouped(look, block, head, unit, rowNames = "writes") {
  const key = `${block.kind}.${block.layer}.${head}.${unit}.${rowNames}`;
  if (look.cache.has(key)) return look.cache.get(key);
  const rows = rowsOf(look, block.kind, unit, rowNames), cols = colsOf(look, block.kind, unit);
  const values = rows.map(r => cols.map(c => {
    let sum = 0;
    for (let i = r.start; i < r.stop; i++) for (let j = c.start; j < c.stop; j++) sum += weightAt(block, head, i, j);
    return sum / (r.stop - r.start);
  }));
  look.cache.set(key, values);
  return values;
}

// A cell that nobody may look at: every piece of the column comes after every piece of the row.
export function isMasked(block, row, col) {
  return block.causal && col.start >= row.stop;
}

export function peakOf(values) {
  return values.reduce((best, x, j) => (x > values[best] ? j : best), 0);
}

export function largestFirst(values) {
  return Array.from(values, (_, d) => d).sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]));
}

// What the columns of a row carry: weight times the length of v through W_O, with the weight spread over pieces.
export function carriedBy(block, head, row, cols) {
  return cols.map(c => {
    let sum = 0;
    for (let i = row.start; i < row.stop; i++)
      for (let j = c.start; j < c.stop; j++) sum += weightAt(block, head, i, j) * block.carried[head][j];
    return sum / (row.stop - row.start);
  });
}

// log p of a word: the sum over its pieces.
export function logProbOf(look, word) {
  return look.log_probs.slice(word.start, word.stop).reduce((s, x) => s + x, 0);
}

// The best other piece in the place where a word begins: what the model would rather have written instead.
export function rivalOf(look, word) {
  const own = look.writes.pieces[word.start];
  return look.alternatives[word.start]?.find(([piece]) => piece !== own) ?? null;
}

// A piece as people read it: what a space begins with is shown only where pieces are shown.
export function bare(piece) {
  return piece.replace(/^\u2581/, "") || piece;
}
