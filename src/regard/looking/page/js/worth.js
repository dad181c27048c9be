// What heads and words are worth: the records that were measured, found by what was changed. Unknown is null, never 0.
import { asLine } from "./wording.js";

export function openWorth(raw, look) {
  if (!raw) return null;
  const heads = new Map(), stacks = new Map(), left = new Map(), other = new Map();
  for (const e of raw.heads ?? []) heads.set(e.change.heads[0].join("."), e);
  for (const e of raw.stacks ?? []) stacks.set(e.change.heads[0][0], e);
  for (const e of raw.left_out ?? []) left.set(e.change.words[0], e);
  for (const e of raw.replaced ?? []) other.set(e.change.words[0], [...(other.get(e.change.words[0]) ?? []), e]);
  return { heads, stacks, left, other, written: look.sides.writes.words.map(w => w.text), look };
}

export function headOff(worth, kind, layer, head) {
  return worth?.heads.get(`${kind}.${layer}.${head}`) ?? null;
}

export function stackOff(worth, kind) {
  return worth?.stacks.get(kind) ?? null;
}

export function leftOut(worth, word) {
  return worth?.left.get(word) ?? null;
}

export function replacements(worth, word) {
  return worth?.other.get(word) ?? [];
}

// E |change of log p| of a written word where this source word is replaced by others (Kim et al., 2020).
export function replacedEffect(worth, word, target) {
  const found = replacements(worth, word);
  return found.length ? found.reduce((s, e) => s + Math.abs(e.delta[target]), 0) / found.length : null;
}

// The head of a kind whose loss costs a written word most; over one layer, or over all.
export function mostNeeded(worth, kind, target, layer = null) {
  let best = null;
  for (const [key, effect] of worth?.heads ?? []) {
    const [k, l, h] = key.split(".");
    if (k !== kind || (layer !== null && +l !== layer)) continue;
    if (!best || effect.delta[target] < best.delta) best = { kind, layer: +l, head: +h, delta: effect.delta[target] };
  }
  return best;
}

export function splitWords(line) {
  return line.match(/(?:\p{L}{1,6}['\u2019](?=\p{L}))|[\p{L}\p{N}\p{M}]+(?:['\u2019][\p{L}\p{M}]+)?|[^\s\p{L}\p{N}]/gu) ?? [];
}

// How one line becomes another: runs of words that gave way to others (longest common subsequence).
export function edits(before, after) {
  const a = splitWords(before), b = splitWords(after);
  const best = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) best[i][j] = a[i] === b[j] ? best[i + 1][j + 1] + 1 : Math.max(best[i + 1][j], best[i][j + 1]);
  const runs = [];
  let i = 0, j = 0, run = null;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { run = null; i++; j++; continue; }
    if (!run) runs.push((run = { from: [], to: [] }));
    if (j >= b.length || (i < a.length && best[i + 1][j] >= best[i][j + 1])) run.from.push(a[i++]);
    else run.to.push(b[j++]);
  }
  return runs.map(r => ({ from: asLine(r.from), to: asLine(r.to) }));
}

// Spearman's rank correlation; equals share the mean of their ranks; null where one side is all equal.
export function rankCorrelation(xs, ys) {
  const a = ranks(xs), b = ranks(ys), mean = (xs.length - 1) / 2;
  let xy = 0, xx = 0, yy = 0;
  a.forEach((x, i) => { xy += (x - mean) * (b[i] - mean); xx += (x - mean) ** 2; yy += (b[i] - mean) ** 2; });
  return xx && yy ? xy / Math.sqrt(xx * yy) : null;
}

function ranks(values) {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]), found = new Array(values.length);
  for (let i = 0; i < order.length; ) {
    let j = i;
    while (j + 1 < order.length && values[order[j + 1]] === values[order[i]]) j++;
    for (let k = i; k <= j; k++) found[order[k]] = (i + j) / 2;
    i = j + 1;
  }
  return found;
}

// How far the weights of a head rank the source words as replacing them does: the mean over the words written.
export function faithfulness(worth, weights) {
  if (!worth || !worth.other.size) return null;
  const words = [...worth.other.keys()], found = [];
  weights.forEach((row, target) => {
    if (worth.written[target] === "</s>") return;
    const r = rankCorrelation(words.map(j => row[j]), words.map(j => replacedEffect(worth, j, target)));
    if (r !== null) found.push(r);
  });
  return found.length ? found.reduce((s, r) => s + r, 0) / found.length : null;
}
