// S0. One word, one lane, from the source through encoder and decoder to what is written. Each column of looks shows one
// head and, above it, what that head is worth to the chosen word: no path is drawn without its own ablation.
import { blockOf, groupAt, grouped, layersOf, logProbOf, rivalOf, bare } from "./look.js";
import { svgLabel } from "./wording.js";
import { fixed, plus } from "./number.js";
import { headOff, mostNeeded, replacedEffect } from "./worth.js";

const TOP = 76, COLUMNS = 5, ROOMY = 26;

// Where each lane lies. Of long sentences only the lanes with something on them keep their height; a run of others is
// one thin line that says how many they are.
export function laneFold(count, keep, pitch, top) {
  const y = new Array(count).fill(null), gaps = [];
  let at = top;
  for (let i = 0; i < count; ) {
    let run = 0;
    while (i + run < count && !keep(i + run)) run++;
    if (run > 1) { gaps.push({ y: at + 9, count: run }); at += 18; i += run; continue; }
    y[i] = at + pitch / 2;
    at += pitch;
    i++;
  }
  return { y, gaps, bottom: at };
}

function curve(x1, y1, x2, y2) {
  const c = (x2 - x1) / 2;
  return `M${x1} ${y1.toFixed(1)}C${x1 + c} ${y1.toFixed(1)} ${x2 - c} ${y2.toFixed(1)} ${x2} ${y2.toFixed(1)}`;
}

// The head of each encoder layer whose loss costs the word most; none where nothing was measured.
function trailOf(look, worth, target, columns) {
  const found = layersOf(look, "encoder").map(layer => mostNeeded(worth, "encoder", target, layer)).filter(Boolean);
  const needed = [...found].sort((a, b) => Math.abs(b.delta) - Math.abs(a.delta)).slice(0, columns).map(f => f.layer);
  return found.filter(f => needed.includes(f.layer));
}

// How much of the look is followed into each lane, before each encoder layer on the trail, from the last to the first.
export function followed(look, trail, row) {
  const steps = [];
  let mass = row.slice();
  for (const { layer, head } of [...trail].reverse()) {
    const weights = grouped(look, blockOf(look, "encoder", layer), head, "words"), links = [], next = mass.map(m => m * 0.5);
    mass.forEach((m, i) => {
      if (m < 0.06) return;
      weights[i].forEach((a, j) => {
        links.push({ from: j, to: i, weight: a, shown: m * a });
        next[j] = Math.max(next[j], m * a);
      });
    });
    steps.unshift(links);
    mass = next;
  }
  return { steps, mass };
}

function layout(width, columns) {
  if (width < 700) return { small: true, word: 84, e0: 94, e2: 94, d: width - 134, writes: width - 116, p: width, end: width };
  const writes = width - 236, d = Math.round(Math.min(width * 0.6, writes - 176));
  return {
    small: false, word: 96, e0: 108, e2: columns ? 108 + Math.round((d - 108) * (columns > 2 ? 0.62 : 0.5)) : 108, d,
    reads: d + 18, arcs: d + 100, writes, p: width - 112, next: width - 98, end: width,
  };
}

export function drawLanes(at, { width, target }) {
  const { look, worth, state, t } = at, trail = width < 700 ? [] : trailOf(look, worth, target, COLUMNS);
  const block = blockOf(look, "cross", state.cl), row = grouped(look, block, state.ch, "words")[target];
  const { steps, mass } = followed(look, trail, row), X = layout(width, trail.length);
  const effect = row.map((_, j) => replacedEffect(worth, j, target)), most = Math.max(0.5, ...effect.map(x => x ?? 0));
  const n = row.length, m = look.sides.writes.words.length, long = Math.max(n, m) > (width < 700 ? 18 : ROOMY), pitch = long ? 24 : 29;
  const near = i => Math.abs(i - target) < 3;
  const source = laneFold(n, j => !long || row[j] > 0.02 || mass[j] > 0.1 || (effect[j] ?? 0) > 0.2, pitch, TOP);
  const written = laneFold(m, i => !long || near(i), pitch, TOP + (long ? Math.max(0, (source.bottom - TOP) / 2 - 4 * pitch) : 0));
  const figure = { at, X, target, trail, row, mass, effect, most, steps, source, written, pitch, block, worthy: state.band === "worth" };
  const body = [...rules(figure), ...trailLooks(figure), ...crossLooks(figure), ...arcs(figure), ...sourceWords(figure), ...targetWords(figure), ...headings(figure)];
  const height = Math.max(source.bottom, written.bottom) + 8;
  return `<svg class="lanes" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${t("lanes.alt")}">${body.join("")}</svg>`;
}

function rules({ X, source, written, target, at }) {
  const line = (x1, x2, y, on) => (y === null ? "" : `<line class="lane${on ? " on" : ""}" x1="${x1}" x2="${x2}" y1="${y}" y2="${y}"/>`);
  const gap = (x, g, anchor) => `<text class="mark" x="${x}" y="${g.y + 3}" text-anchor="${anchor}">${at.t("lanes.folded", { count: g.count })}</text>`;
  return [
    ...source.y.map(y => line(X.e0, X.e2, y)), ...written.y.map((y, i) => line(X.d, X.small ? X.p : X.p + 4, y, i === target)),
    ...source.gaps.map(g => gap(X.word, g, "end")), ...written.gaps.map(g => gap(X.writes, g, "start")),
  ];
}

const columnX = (X, trail, n) => X.e0 + ((X.e2 - X.e0) * n) / Math.max(1, trail.length);

function trailLooks({ X, trail, steps, source, worthy }) {
  if (worthy) return [];
  return steps.flatMap((links, n) => links.map(l => {
    const y1 = source.y[l.from], y2 = source.y[l.to];
    if (y1 === null || y2 === null || l.shown < 0.012) return "";
    return `<path class="thread${l.from === l.to ? " stays" : ""}" d="${curve(columnX(X, trail, n), y1, columnX(X, trail, n + 1), y2)}" stroke-width="${Math.max(0.6, l.shown * 15).toFixed(2)}"/>`;
  }));
}

// The looks of the chosen head, side by side where they arrive; or, asked for worth, what each word is worth instead.
function crossLooks({ at, X, source, written, row, effect, most, target, block, pitch, worthy }) {
  const { look, state } = at, out = [], all = grouped(look, block, state.ch, "words"), band = pitch - 5;
  if (!worthy) all.forEach((weights, i) => i !== target && weights.forEach((a, j) => {
    if (a > 0.15 && source.y[j] !== null && written.y[i] !== null) out.push(`<path class="faint" d="${curve(X.e2, source.y[j], X.d, written.y[i])}" stroke-width="${(a * 2.2).toFixed(2)}"/>`);
  }));
  const sizes = worthy ? effect.map(x => (x ?? 0) / most) : row, sum = sizes.reduce((s, x) => s + x, 0) || 1;
  const from = worthy ? X.e0 : X.e2, scale = Math.min(1, 1 / sum);
  let y = written.y[target] - (sum * scale * band) / 2;
  sizes.forEach((size, j) => {
    const thick = size * scale * band;
    if (size > 0.004 && source.y[j] !== null) out.push(`<path class="${worthy ? "effect" : "thread"}" d="${curve(from, source.y[j], X.d, y + thick / 2)}" stroke-width="${Math.max(0.6, thick).toFixed(2)}"/>`);
    y += thick;
  });
  const h = band / 2;
  out.push(`<path class="${worthy ? "tip" : "point"}" d="M${X.d - 0.5} ${written.y[target] - h}L${X.d + 10} ${written.y[target]}L${X.d - 0.5} ${written.y[target] + h}Z"/>`);
  return out;
}

// The decoder's look at itself, which comes before its look at the source: the head that this word needs most.
function selfHead(at, target) {
  return mostNeeded(at.worth, "decoder", target);
}

function arcs({ at, X, target, written, worthy }) {
  if (X.small || worthy) return [];
  const self = selfHead(at, target), block = self && blockOf(at.look, "decoder", self.layer);
  if (!block) return [];
  const row = grouped(at.look, block, self.head, "words")[target];
  return row.map((a, j) => {
    const to = written.y[j];  // lane j reads what lane j - 1 wrote: column j of the decoder is the word read in lane j
    if (a < 0.02 || to === null || j === target) return "";
    const reach = Math.min(44, 8 + Math.abs(target - j) * 5);
    return `<path class="arc" d="M${X.arcs} ${written.y[target]}C${X.arcs + reach} ${written.y[target]} ${X.arcs + reach} ${to} ${X.arcs} ${to}" stroke-width="${(a * 6).toFixed(2)}"/>`;
  });
}

function sourceWords({ at, X, source, row, mass, effect, worthy }) {
  return at.look.sides.source.words.map((w, j) => {
    if (source.y[j] === null) return "";
    const lit = worthy ? (effect[j] ?? 0) > 0.2 : (X.small ? row[j] : mass[j]) > 0.06 ? " lit" : "";
    return `<text class="word${lit ? " lit" : ""}" x="${X.word}" y="${source.y[j] + 5}" text-anchor="end">${svgLabel(w.text, at.t, X.small ? 10 : 12)}</text><circle class="node${lit ? " lit" : ""}" cx="${X.e0}" cy="${source.y[j]}" r="2"/>`;
  });
}

function targetWords({ at, X, written, target, pitch }) {
  const { look, t } = at, words = look.sides.writes.words;
  return words.map((w, i) => {
    const y = written.y[i], on = i === target ? " on" : "", rival = rivalOf(look, w);
    if (y === null) return "";
    return `<g class="target${on}" data-target="${i}"><rect class="catch" x="${X.d - 30}" y="${y - pitch / 2}" width="${X.end - X.d + 30}" height="${pitch}"/>` +
      (X.small ? "" : `<text class="reads" x="${X.reads}" y="${y + 4}">${svgLabel(i ? words[i - 1].text : "<s>", t, 11)}</text>`) +
      `<text class="word${on}" x="${X.writes}" y="${y + 5}">${svgLabel(w.text, t, X.small ? 10 : 13)}</text>` +
      `<text class="num" x="${X.p}" y="${y + 4}" text-anchor="end">${fixed(Math.exp(logProbOf(look, w)), 2)}</text>` +
      (X.small || !rival ? "" : `<text class="rival" x="${X.next}" y="${y + 4}">${svgLabel(bare(rival[0]), t, 9)}<tspan class="num" dx="6">${fixed(rival[1], 3).replace(/^0/, "")}</tspan></text>`) + "</g>";
  });
}

// Above a column: its head, what the word loses without it, and a dot for each head of the layer, as large as its loss.
function columnHead(at, x, target, place, width) {
  const { look, worth, t } = at, block = blockOf(look, place.kind, place.layer), out = [];
  const delta = headOff(worth, place.kind, place.layer, place.head)?.delta[target];
  const loud = Math.abs(delta ?? 0) > 0.5 ? (delta < 0 ? " less" : " more") : "";
  out.push(`<text class="head" x="${x}" y="12" text-anchor="middle">${t(width < 118 ? `lanes.short.${place.kind}` : `lanes.${place.kind}`, { layer: place.layer + 1, head: place.head + 1 })}</text>`);
  out.push(`<text class="num${loud}" x="${x}" y="29" text-anchor="middle">${delta === undefined ? "\u2013" : t("lanes.off", { delta: plus(delta) })}</text>`);
  const step = Math.min(13, (width - 6) / block.heads), first = x - ((block.heads - 1) * step) / 2;
  for (let head = 0; head < block.heads; head++) {
    const loss = headOff(worth, place.kind, place.layer, head)?.delta[target] ?? 0, r = Math.min(step / 2, 1.2 + Math.sqrt(Math.abs(loss)) * 3.6);
    const tip = t("lanes.dot", { layer: place.layer + 1, head: head + 1, delta: plus(loss) });
    out.push(`<circle class="dot${loss < -0.05 ? " less" : loss > 0.05 ? " more" : ""}${head === place.head ? " here" : ""}" cx="${first + head * step}" cy="44" r="${r.toFixed(1)}" data-go='${JSON.stringify({ kind: place.kind, layer: place.layer, head })}'><title>${tip}</title></circle>`);
  }
  return out;
}

function headings({ at, X, trail, target, worthy }) {
  const { t, state } = at, text = (x, key, anchor) => `<text class="head" x="${x}" y="12" text-anchor="${anchor}">${t(key)}</text>`;
  const cross = { kind: "cross", layer: state.cl, head: state.ch }, self = selfHead(at, target);
  const right = [text(X.writes, "lanes.writes", "start"), text(X.p, "lanes.p", "end")];
  if (X.small) return [text(X.word, "lanes.source", "end"), ...right];
  const columns = trail.flatMap((place, n) => columnHead(at, (columnX(X, trail, n) + columnX(X, trail, n + 1)) / 2, target, place, (X.e2 - X.e0) / trail.length));
  const decoder = self && blockOf(at.look, "decoder", self.layer) ? columnHead(at, X.arcs + 24, target, self, 110) : [];
  return [
    text(X.word, "lanes.source", "end"), text(X.reads, "lanes.reads", "start"), ...right, text(X.next, "lanes.next", "start"),
    ...(worthy ? [`<text class="head strong" x="${(X.e0 + X.d) / 2}" y="12" text-anchor="middle">${t("lanes.worth")}</text>`]
      : [...columns, ...columnHead(at, (X.e2 + X.d) / 2, target, cross, 180), ...decoder]),
  ];
}

// Which head the decoder's arcs and the encoder's columns show, for the caption.
export function trailPlaces(at, target) {
  return { encoder: trailOf(at.look, at.worth, target, COLUMNS), self: selfHead(at, target) };
}

export function laneTarget(look, piece) {
  return groupAt(look.sides.writes.words, piece);
}
