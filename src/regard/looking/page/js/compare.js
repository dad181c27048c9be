// S4. The same head twice, and the second minus the first; words that only one sentence has leave a gap in the other.
import { blockOf, grouped } from "./look.js";
import { escape, inProse, svgLabel } from "./wording.js";
import { fixed, plus } from "./number.js";
import { changedWords } from "./saying.js";
import { leftOut, replacements } from "./worth.js";

// Two lists of words side by side: the longest common subsequence in step, what lies between in pairs, then alone.
export function aligned(a, b) {
  const best = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) best[i][j] = a[i] === b[j] ? best[i + 1][j + 1] + 1 : Math.max(best[i + 1][j], best[i][j + 1]);
  const pairs = [], onlyA = [], onlyB = [];
  const flush = () => {
    while (onlyA.length && onlyB.length) pairs.push({ a: onlyA.shift(), b: onlyB.shift() });
    for (const i of onlyA.splice(0)) pairs.push({ a: i, b: null });
    for (const j of onlyB.splice(0)) pairs.push({ a: null, b: j });
  };
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { flush(); pairs.push({ a: i++, b: j++ }); }
    else if (j >= b.length || (i < a.length && best[i + 1][j] >= best[i][j + 1])) onlyA.push(i++);
    else onlyB.push(j++);
  }
  flush();
  return pairs;
}

const texts = (look, side) => look.sides[side].words.map(w => w.text);

export function compareLead(at, other) {
  const { look, t } = at, changes = other.change?.how === "swapped" ? changeName(at, other.change) : changedWords(t, look.text, other.text, 4), became = changedWords(t, look.translation, other.translation, 4);
  const source = changes ? t("compare.source", { changes }) : t(other.change ? "compare.head" : "compare.same", { what: changeName(at, other.change) });
  return source + " " + (became ? t("compare.target", { changes: became }) : t("compare.stays"));
}

export function changeName(at, change) {
  const { t, look } = at;
  if (!change) return t("compare.second");
  if (change.what === "heads") {
    const [kind, layer, head] = change.heads[0], name = t(`kind.${kind}`);
    if (change.heads.length === 1) return t(`change.${change.how}`, { what: t("head.name", { kind: name, layer: layer + 1, head: head + 1 }) });
    return t(`change.${change.how}`, { what: t("change.all", { kind: name, count: change.heads.length }) });
  }
  const words = (change.words ?? []).map(j => inProse(look.sides.source.words[j]?.text ?? "", t));
  return t(`change.${change.how ?? "text"}`, { word: words[0], other: words[1] ?? "", by: inProse(change.by ?? "", t) });
}

function panels(at, other, layer, head) {
  const first = blockOf(at.look, "cross", layer), second = blockOf(other, "cross", layer);
  if (!first || !second || head >= second.heads) return null;
  const A = grouped(at.look, first, head, "words"), B = grouped(other, second, head, "words");
  const rows = aligned(texts(at.look, "writes"), texts(other, "writes")), cols = aligned(texts(at.look, "source"), texts(other, "source"));
  const cell = (M, i, j) => (i === null || j === null ? null : M[i][j]);
  return { rows, cols, first: rows.map(r => cols.map(c => cell(A, r.a, c.a))), second: rows.map(r => cols.map(c => cell(B, r.b, c.b))) };
}

export function drawCompare(at, other, width) {
  const { look, state, t, colours } = at, p = panels(at, other, state.cl, state.ch);
  if (!p) return `<p class="note">${t("compare.shape")}</p>`;
  const small = width < 640, one = small || p.cols.length > 26, count = one ? 1 : 3, left = small ? 84 : 128, tail = other.delta ? (small ? 58 : 112) : 4, gap = one ? 0 : 22, top = 86;
  const cell = Math.max(small ? 6 : 5, Math.min(30, Math.floor((width - left - tail - gap * count) / (p.cols.length * count)))), pitch = p.rows.length > 30 ? 18 : small ? 22 : Math.max(Math.min(cell, 27), 24);
  const x = (n, j) => left + n * (p.cols.length * cell + gap) + j * cell, y = i => top + i * pitch, out = [];
  const names = { rows: [texts(look, "writes"), texts(other, "writes")], cols: [texts(look, "source"), texts(other, "source")] };
  const most = Math.max(1, ...(other.delta ?? []).map(Math.abs));
  p.rows.forEach((r, i) => {
    out.push(`<line class="lane" x1="${left}" x2="${width}" y1="${y(i) + pitch - 0.5}" y2="${y(i) + pitch - 0.5}"/>`, rowName(r, names.rows, t, left - 12, y(i) + pitch / 2 + 5, small));
    for (let n = 0; n < count; n++) p.cols.forEach((_, j) => out.push(compareCell(one ? 2 : n, p.first[i][j], p.second[i][j], { x: x(n, j), y: y(i) + 1, w: cell - (cell > 8 ? 1 : 0.4), h: pitch - 3 }, colours)));
    out.push(deltaBar(r.a === null ? null : (other.delta?.[r.a] ?? null), most, width - 2, y(i), pitch));
  });
  for (let n = 0; n < count; n++) {
    const kind = one ? 2 : n, titles = [t("compare.first"), t("compare.second"), t("compare.minus")];
    out.push(`<text class="head strong" x="${x(n, 0)}" y="14">${titles[kind]}</text>`);
    p.cols.forEach((c, j) => out.push(columnName(c, names.cols, kind, t, x(n, j) + cell / 2 + 4, top - 8, cell)));
  }
  if (other.delta) out.push(`<text class="head strong" x="${width - 2}" y="${top - 26}" text-anchor="end">${t("delta")}</text>` + (small ? "" : `<text class="head" x="${width - 2}" y="${top - 10}" text-anchor="end">${t("compare.delta")}</text>`));
  const height = top + p.rows.length * pitch + 8;
  return `<svg class="compare" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(t("compare.alt"))}">${out.join("")}</svg>`;
}

function rowName(r, [a, b], t, x, y, small) {
  const first = r.a === null ? null : a[r.a], second = r.b === null ? null : b[r.b];
  if (first === second) return `<text class="word" x="${x}" y="${y}" text-anchor="end">${svgLabel(first, t, 13)}</text>`;
  const shown = [first, second].map(w => (w === null ? "\u2013" : svgLabel(w, t, small ? 9 : 8)));
  return `<text class="word changed" x="${x}" y="${y}" text-anchor="end">${small ? shown[0] : shown.join('<tspan class="mark" dx="4">/</tspan> ')}</text>`;
}

function columnName(c, [a, b], kind, t, x, y, cell) {
  const first = c.a === null ? null : a[c.a], second = c.b === null ? null : b[c.b], same = first === second;
  const shown = kind === 0 ? first : kind === 1 ? second : same ? first : `${first ?? "\u2013"}/${second ?? "\u2013"}`;
  const size = cell < 12 ? ` style="font-size:${Math.max(8, cell)}px"` : "";
  return `<text class="col${same ? "" : " changed"}"${size} transform="translate(${x} ${y}) rotate(-58)">${svgLabel(shown ?? "\u2013", t, 16)}</text>`;
}

function compareCell(kind, a, b, { x, y, w, h }, colours) {
  const value = kind === 0 ? a : kind === 1 ? b : a === null || b === null ? null : b - a;
  if (value === null) return `<line class="gap" x1="${x + 1}" x2="${x + w - 1}" y1="${y + h / 2}" y2="${y + h / 2}"/>`;
  const fill = kind < 2 ? colours.weight(value) : colours.difference(value), sign = kind === 2 && Math.abs(value) > 0.3 && w > 7;
  return `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="${fill}"/>` + (sign ? `<text class="sign" x="${x + w / 2}" y="${y + h / 2 + 4}" text-anchor="middle">${value > 0 ? "+" : "\u2212"}</text>` : "");
}

function deltaBar(d, most, zero, y, pitch) {
  if (d === null) return "";
  const w = (Math.abs(d) / most) * 44;
  if (Math.abs(d) < 0.05) return `<text class="num soft" x="${zero}" y="${y + pitch / 2 + 3.5}" text-anchor="end">0</text>`;
  return `<rect class="delta ${d < 0 ? "less" : "more"}" x="${zero - w}" y="${y + 6}" width="${w}" height="${pitch - 13}"/><text class="num strong" x="${zero - w - 6}" y="${y + pitch / 2 + 3.5}" text-anchor="end">${plus(d)}</text>`;
}

// Every source word in turn, left out or replaced: what each written word loses by it, and what is written then.
export function wordEffects(at) {
  const { look, worth, state } = at, list = [];
  look.sides.source.words.forEach((word, j) => {
    const found = state.what === "left" ? [leftOut(worth, j)].filter(Boolean) : replacements(worth, j);
    found.forEach(effect => list.push({ word: word.text, j, effect }));
  });
  return list;
}

const LONG = 30, QUIET = 0.1; // changes that are listed one by one; what changes less everywhere is counted

// Never the full colour, so that the number in the cell stays readable.
function heat(share, colours) {
  const { background, ink } = colours.readable(share * (share > 0 ? 0.65 : 0.8));
  return `background:${background};color:${ink}`;
}

export function effectTable(at) {
  const { look, t, colours } = at, list = wordEffects(at), targets = texts(look, "writes"), wide = targets.length <= 30;
  const most = Math.max(1, ...list.flatMap(e => e.effect.delta.map(Math.abs))), long = list.length > LONG && !at.state.all;
  const shown = long ? list.filter(e => !e.effect.same || e.effect.delta.some(d => Math.abs(d) >= QUIET)) : list, hidden = list.length - shown.length;
  const cell = d => `<td class="heat" style="${heat(d / most, colours)}" title="${plus(d)}">${Math.abs(d) >= 0.5 ? fixed(d, 1) : `<span class="live">${plus(d)}</span>`}</td>`;
  const line = ({ word, effect }) => `<tr><th scope="row"><span>${escape(word)}</span>${effect.change.by ? ` <i>${escape(effect.change.by)}</i>` : ""}</th>${wide ? effect.delta.map(cell).join("") : ""}<td class="anew">${effect.same ? `<span class="quiet">${t("effects.same")}</span>` : changedWords(t, look.translation, effect.translation)}</td></tr>`;
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escape(t("effects.title"))}"><table class="effects" id="effect-table"><caption class="live">${t("effects.title")}</caption><thead><tr><th scope="col">${t(`effects.${at.state.what}`)}</th>${wide ? targets.map(w => `<th scope="col" class="up"><span>${escape(w === "</s>" ? t("mark.end") : w)}</span></th>`).join("") : ""}<th scope="col" class="anew">${t("effects.anew")}</th></tr></thead><tbody>${shown.map(line).join("")}</tbody></table></div>` +
    (hidden ? `<p class="note">${t("effects.quiet", { count: hidden, most: QUIET })} <button type="button" class="link" data-go='{"all":1}'>${t("row.all")}</button></p>` : "");
}
