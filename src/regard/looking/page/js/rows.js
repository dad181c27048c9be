// S2, beside the matrix: one row read out. Beside each weight stands what it carries, and what its word is worth.
import { carriedBy, groupAt, layersOf } from "./look.js";
import { escape, inProse, label, plain } from "./wording.js";
import { fixed, plus } from "./number.js";
import { faithfulness, leftOut, replacedEffect } from "./worth.js";
import { headMatters, unmeasured, whereTo } from "./saying.js";

const MOST = 26; // words that a row lists before it keeps to the largest

// The columns of the table: a measure for each word that is looked at, null where there is none.
export function rowMeasures(at, m, row) {
  const { look, worth, block, state } = at, target = targetOf(at, m, row), source = block.kind !== "decoder";
  const sourceWord = m.cols.map(c => (source ? groupAt(look.sides.source.words, c.start) : -1));
  const share = block.kind === "cross" ? look.attribution?.source : block.kind === "decoder" ? look.attribution?.prefix : null;
  const columns = [
    { key: "looks", kind: "a", values: m.values[row], most: 1, show: x => fixed(x, 2) },
    { key: "carries", kind: "v", values: carriedBy(block, state.head, m.rows[row], m.cols), show: x => fixed(x, 2) },
  ];
  if (share && state.unit === "words") columns.push({ key: "alti", kind: "q", values: share[target], most: 1, show: x => fixed(x, 2) });
  if (source && worth) {
    columns.push({ key: "replaced", kind: "e", pair: true, values: sourceWord.map(j => replacedEffect(worth, j, target)), show: x => fixed(x, 2) });
    columns.push({ key: "left", kind: "e", pair: true, values: sourceWord.map(j => leftOut(worth, j)?.delta[target] ?? null), show: x => plus(x) });
  }
  const paired = columns.filter(c => c.pair).flatMap(c => c.values.map(x => Math.abs(x ?? 0)));
  for (const c of columns) c.most ??= c.pair ? Math.max(0.5, ...paired) : Math.max(1e-9, ...c.values);
  return { columns, target };
}

// The written word that worth is told of: the row's own, or, in the encoder, the chosen one.
function targetOf(at, m, row) {
  const { look, block, state } = at, words = look.sides.writes.words;
  if (block.kind === "encoder") return groupAt(words, state.t);
  return groupAt(words, state.sem === "reads" ? m.rows[row].stop - 1 : m.rows[row].start);
}

export function rowView(at, m, row) {
  const { look, worth, block, state, t, live } = at, { columns, target } = rowMeasures(at, m, row);
  const names = m.cols.map(c => c.text), where = whereTo(t, m.values[row], names), word = inProse(m.rows[row].text, t);
  const place = { kind: block.kind, layer: state.layer, head: state.head }, written = look.sides.writes.words[target].text;
  const step = state.sem === "reads" ? m.rows[row].stop - 1 : m.rows[row].start;
  const read = look.sides.reads.words[groupAt(look.sides.reads.words, step)].text;
  const title = block.kind === "encoder" ? t("row.encoder", { word, where }) : t("row.decoder", { read: inProse(read, t), written: inProse(written, t), where });
  const sub = block.kind === "decoder" ? t("row.sub.decoder") : worth ? t("row.sub", { word: `<i>${escape(plain(written, t))}</i>` }) : t("row.sub.decoder");
  return `<p class="row-title">${title}</p><p class="row-matter">${headMatters(t, look, worth, place, target) ?? unmeasured(t, live)}</p><p class="row-sub">${sub}</p>` +
    rowTable(at, m, row, columns) + trust(at, m);
}

function rowTable(at, m, row, columns) {
  const { t } = at, bar = (x, of, kind) => `<i class="bar ${kind}" style="--x:${Math.min(1, Math.abs(x) / of).toFixed(4)}"></i>`;
  const cell = (c, x) => (x === null || x === undefined ? `<td class="none">\u2013</td>` : `<td${Math.abs(x) < c.most * 0.02 ? ' class="tiny"' : ""}>${bar(x, c.most, c.kind)}<span>${c.show(x)}</span></td>`);
  const low = j => columns.every(c => Math.abs(c.values[j] ?? 0) < c.most * 0.02);
  const kept = m.cols.map((_, j) => j).filter(j => !m.shut[row][j]), long = kept.length > MOST && !at.state.all;
  const size = j => Math.max(...columns.map(c => Math.abs(c.values[j] ?? 0) / c.most)), shown = long ? [...kept].sort((a, b) => size(b) - size(a)).slice(0, MOST - 8) : kept;
  const body = m.cols.map((c, j) => (!shown.includes(j) ? "" : `<tr data-key="${c.start}" class="${j === m.col ? "on" : ""}${low(j) ? " low" : ""}"><th scope="row">${label(c.text, t)}</th>${columns.map(k => cell(k, k.values[j])).join("")}</tr>`)).join("");
  const head = columns.map(c => `<th scope="col" title="${escape(t(`column.${c.key}.tip`))}"><small>${t(`column.${c.key}`)}</small>${t(`column.${c.key}.sign`)}</th>`).join("");
  const rest = long ? `<tr class="rest"><th scope="row">${t("student.rest", { count: kept.length - shown.length })}</th><td>${fixed(kept.reduce((s, j) => s + (shown.includes(j) ? 0 : m.values[row][j]), 0), 2)}</td><td colspan="${columns.length - 1}"><button type="button" class="link" data-go='{"all":1}'>${t("row.all")}</button></td></tr>` : "";
  const hidden = m.mass ? `<tr class="rest" id="hidden-mass"><th scope="row">${t("matrix.mass")}</th><td>${fixed(m.mass[row], 2)}</td><td colspan="${columns.length - 1}"></td></tr>` : "";
  return `<div class="scroll rows" tabindex="0" role="region" aria-label="${escape(t("row.table"))}"><table class="row-table" id="row-table"><thead><tr><th scope="col"><span class="live">${t("rows.looked")}</span></th>${head}</tr></thead><tbody>${body}${hidden}${rest}</tbody></table></div>`;
}

// How far to trust this head's weights, measured on the sentence shown.
function trust(at, m) {
  const { worth, block, t, state } = at;
  if (block.kind !== "cross" || state.unit !== "words" || state.sem !== "writes") return "";
  const r = faithfulness(worth, m.values);
  return r === null ? "" : `<p class="row-trust" data-trust="${r.toFixed(4)}">${t("row.trust", { r: `<strong>${plus(r)}</strong>` })}</p>`;
}

export function headBar(at) {
  const { look, state, block, t } = at, pressed = (key, value) => `aria-pressed="${state[key] === value}"`;
  const go = (patch, text, on) => `<button type="button" data-go='${JSON.stringify(patch)}' ${on}>${text}</button>`;
  const group = (name, inner) => `<div class="choices" role="group" aria-label="${escape(name)}"><span>${name}</span>${inner}</div>`;
  const few = block.heads <= 8 && layersOf(look, state.kind).length <= 8;
  const kinds = ["encoder", "decoder", "cross"].filter(kind => layersOf(look, kind).length);
  const numbers = (key, list) => (few || list.length <= 8 ? list.map(n => go({ [key]: n }, n + 1, pressed(key, n))).join("") : stepper(t, key, list, state[key]));
  const bars = [
    group(t("bar.attention"), kinds.map(k => go({ kind: k }, t(`kind.${k}`), pressed("kind", k))).join("")),
    group(t("finder.layer"), numbers("layer", layersOf(look, state.kind))), group(t("finder.head"), numbers("head", Array.from({ length: block.heads }, (_, h) => h))),
    group(t("bar.view"), ["matrix", "lines"].map(v => go({ view: v }, t(`bar.${v}`), pressed("view", v))).join("")),
    group(t("bar.unit"), ["words", "pieces"].map(u => go({ unit: u }, t(`bar.${u}`), pressed("unit", u))).join("")),
  ];
  bars.push(group(t("bar.marks"), ["shown", "hidden"].map(m => go({ marks: m }, t(`bar.${m}`), pressed("marks", m))).join("")));
  if (block.kind !== "encoder") bars.push(group(t("bar.rows"), ["writes", "reads"].map(s => go({ sem: s }, t(`bar.${s}`), pressed("sem", s))).join("")));
  return bars.join("");
}

function stepper(t, key, list, now) {
  const place = list.indexOf(now), to = d => list[(place + d + list.length) % list.length];
  const step = (d, sign) => `<button type="button" data-go='${JSON.stringify({ [key]: to(d) })}' aria-label="${t(d < 0 ? "bar.before" : "bar.after")}">${sign}</button>`;
  return `${step(-1, "\u2039")}<b>${now + 1}</b><span>/ ${Math.max(...list) + 1}</span>${step(1, "\u203a")}`;
}
