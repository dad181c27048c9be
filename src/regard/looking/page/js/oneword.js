// S3 as a whole: the word as numbers, the table, one score, one number of z, W_O, the lane, and the check.
import { colsOf, groupAt, largestFirst, layersOf, rowsOf } from "./look.js";
import { blockSum, differences, retrace, through, tolerance } from "./arithmetic.js";
import { numbers } from "./tensor.js";
import { escape, inProse, label } from "./wording.js";
import { figures, fixed } from "./number.js";
import { outputTable, scoreTable, strip, studentTable, valueTable } from "./student.js";

export function wordRow(at) {
  const { look, block, state } = at, row = retrace(block, state.head, state.row);
  const pieces = colsOf(look, block.kind, "pieces"), words = colsOf(look, block.kind, "words");
  const names = pieces.map((p, j) => { const w = words[groupAt(words, j)]; return w.stop - w.start === 1 ? w.text : p.text; });
  return { row, names };
}

export function wordView(at, width) {
  const { look, block, state, t } = at, { row, names } = wordRow(at), narrow = width < 760;
  const rows = rowsOf(look, block.kind, "words"), own = rows[groupAt(rows, state.row)], word = inProse(own.text, t);
  const byZ = largestFirst(row.z), dim = state.dim >= 0 && state.dim < block.dv ? state.dim : byZ[0], all = state.all === 1;
  const given = { row, block, head: state.head, col: state.col, names, t, narrow, all, dim };
  const half = (title, text, inner, extra = "") => `<div${extra}><h3>${title}</h3><p>${text}</p>${inner}</div>`;
  return `<p class="question">${t("word.title", { word })}</p>${piecesBar(at, own)}${embedding(at)}` +
    `<p class="formula" aria-hidden="true"><span><b class="z">z</b></span><span>=</span><span>\u03a3<small>j</small> <b class="a">a<small>j</small></b> <b class="v">v<small>j</small></b></span><span class="wide"></span><span><b class="a">a</b></span><span>=</span><span>softmax<small>j</small> ( <b class="q">q</b>\u00b7<b class="k">k<small>j</small></b> / \u221a${block.dk} )</span></p>` +
    `<div class="scroll" tabindex="0" role="region" aria-label="${escape(t("student.caption"))}">${studentTable(given)}</div>` +
    `<div class="details">${half(t("word.score", { word: inProse(names[state.col], t) }), t("word.score.text", { count: block.dk }), scoreTable(given) + more(at))}` +
    half(t("word.z", { dim: dim + 1 }), t("word.z.text"), valueTable(given) + dims(at, byZ, dim)) +
    outside(at, row, half) + `<div>${lane(at, row, half, own)}<div class="sum" id="check">${checkLine(at, row)}${copies(t)}</div></div></div>`;
}

// A word of several pieces has a row for each: choose which.
function piecesBar(at, own) {
  const { look, state, block, t } = at;
  if (own.stop - own.start < 2) return "";
  const pieces = rowsOf(look, block.kind, "pieces").slice(own.start, own.stop);
  return `<div class="choices pieces" role="group" aria-label="${escape(t("word.pieces"))}"><span>${t("word.pieces")}</span>${pieces.map(p => `<button type="button" data-go='{"row":${p.start}}' aria-pressed="${p.start === state.row}">${escape(p.text)}</button>`).join("")}</div>`;
}

// Where the row begins: the word as the stack is given it. In a higher layer, it is the lane of the layer below.
function embedding(at) {
  const { look, block, state, t } = at, stack = block.kind === "encoder" ? "encoder" : "decoder", text = look.embedded?.[stack];
  if (!text) return "";
  const d = look.model.d_model, x = Array.from(numbers(text, "f2").subarray(state.row * d, (state.row + 1) * d));
  const read = rowsOf(look, block.kind, "pieces", "reads")[state.row].text;
  const shown = x.slice(0, 4).map(v => fixed(v, 2)).join(", ");
  return `<div class="embedded" data-tour="embedding"><p>${t(state.layer || block.kind === "cross" ? "word.lane" : "word.embedding", { piece: `“${label(read.replace(/^\u2581/, "") || read, t)}”`, count: d, numbers: shown })}</p>${strip(x, "x", { width: Math.min(512, d * 4), height: 30 })}</div>`;
}

const more = at => `<button type="button" class="link under" data-go='{"all":${at.state.all ? 0 : 1}}' aria-expanded="${at.state.all === 1}">${at.state.all ? at.t("word.fewer") : at.t("word.all", { count: at.block.dk })}</button>`;

function dims(at, byZ, dim) {
  const step = byZ.indexOf(dim), next = byZ[(step + 1) % byZ.length];
  return `<button type="button" class="link under" data-go='{"dim":${next}}'>${at.t("word.nextDim", { dim: next + 1 })}</button>`;
}

// W_O: the head's z becomes what is added to the lane.
function outside(at, row, half) {
  const { block, state, t } = at;
  if (!block.w_o) return half(t("word.out.title"), t("word.out.absent"), "");
  const added = through(block, state.head, row.z), order = largestFirst(added);
  const picture = `<div class="added">${strip(added, "z", { width: 300, height: 30 })}<span>${t("word.out.strip", { count: added.length })}</span></div>`;
  const given = { row, block, head: state.head, dim: order[0], t, all: state.all === 1 };
  return half(t("word.out", { dim: order[0] + 1 }), t("word.out.text", { head: state.head + 1 }), picture + outputTable(given), ' data-tour="output"');
}

// The lane of the word: how long it is before, what each head adds, what the feed-forward layer adds after it.
function lane(at, row, half, own) {
  const { block, state, t, look } = at, i = state.row, word = inProse(own.text, t);
  const items = [[t("lane.before"), block.lane[i], "soft"], ...block.added.map((h, n) => [t("lane.head", { head: n + 1 }), h[i], n === state.head ? "on" : ""]), [t("lane.after"), block.after[i], "soft"]];
  if (block.fed) items.push([t("lane.fed"), block.fed[i], "soft"]);
  const shown = items.length > 14 ? items.filter(([, , kind], n) => kind || n < 4) : items, most = Math.max(...items.map(x => x[1]), 1e-9);
  const table = `<table class="small reach" id="lane-table"><caption class="live">${t("lane.title")}</caption><tbody>` + shown.map(([name, x, kind]) => `<tr class="${kind}"><th scope="row">${name}</th><td class="long"><i style="--x:${(x / most).toFixed(4)}"></i></td><td>${fixed(x, 2)}</td></tr>`).join("") + "</tbody></table>";
  const layers = layersOf(look, block.kind), next = layers[layers.indexOf(state.layer) + 1];
  const up = next === undefined ? "" : `<button type="button" class="link under" data-go='{"layer":${next}}' data-tour="next">${t("lane.next", { layer: next + 1 })}</button>`;
  return half(t("lane.title"), t("lane.text", { word }), table + up, ' data-tour="lane"');
}

// The row once more, from q, k and v alone, in float64; how far the model's own float32 is from it.
export function checkLine(at, row) {
  const { block, state, t } = at, off = differences(block, state.head, state.row, row), limit = tolerance(block);
  const gaps = Object.entries(off).filter(([, x]) => x !== null), worst = Math.max(...gaps.map(([, x]) => x));
  const scale = Math.max(1, ...row.z.map(Math.abs)), ok = worst <= limit * scale;
  const said = gaps.map(([name, x]) => t(`check.${name}`, { off: `<output>${figures(x, 2)}</output>`, count: name === "weights" ? row.lanes.length : name === "z" ? block.dv : block.b_o.length }));
  return `<p class="check" data-off="${worst}" data-ok="${ok}"><b>${t(ok ? "check.yes" : "check.no")}</b> ${t("check.text")} ${said.join(", ")}.${block.type === "f2" ? ` ${t("check.half")}` : ""}</p>`;
}

function copies(t) {
  return `<div class="choices copy" role="group" aria-label="${escape(t("copy.row"))}"><span>${t("copy.row")}</span>${[["csv", "CSV"], ["latex", "LaTeX"], ["python", "Python"]].map(([how, name]) => `<button type="button" data-copy="${how}" id="copy-${how}">${name}</button>`).join("")}</div>`;
}

// The same over all rows and heads of all blocks: the largest difference, for those who want the whole proof.
export function checkAll(look) {
  let weights = 0, sum = 0;
  for (const block of look.blocks) for (let i = 0; i < block.rows; i++) {
    for (let head = 0; head < block.heads; head++) weights = Math.max(weights, differences({ ...own(block), sum: null }, head, i, retrace(block, head, i)).weights);
    if (block.sum) blockSum(block, i).total.forEach((x, m) => (sum = Math.max(sum, Math.abs(x - block.sum[i * block.b_o.length + m]))));
  }
  return { weights, sum };
}

function own(block) {
  const { heads, rows, cols, dk, dv, causal, weights, peaks, context } = block;
  return { heads, rows, cols, dk, dv, causal, weights, peaks, context };
}
