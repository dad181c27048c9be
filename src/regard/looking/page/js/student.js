// S3. The student's table: one row of one head, every number, from left to right. Each cell is text.
import { largestFirst } from "./look.js";
import { longest, sumOf } from "./arithmetic.js";
import { label } from "./wording.js";
import { figures, fixed } from "./number.js";

// A vector as a row of small bars around a zero line, in the colour of its kind.
export function strip(values, kind, { order = null, width = 112, height = 32, scale = 0 } = {}) {
  const n = values.length, w = width / n, mid = height / 2, of = scale || longest([values]), places = order ?? values.map((_, d) => d);
  const bars = places.map((d, i) => {
    const h = Math.min(mid, (Math.abs(values[d]) / of) * mid);
    return h < 0.05 ? "" : `<rect x="${(i * w).toFixed(2)}" y="${(values[d] > 0 ? mid - h : mid).toFixed(2)}" width="${Math.max(0.3, w * 0.74).toFixed(2)}" height="${h.toFixed(2)}"/>`;
  }).join("");
  return `<svg class="strip ${kind}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" aria-hidden="true"><line x1="0" x2="${width}" y1="${mid}" y2="${mid}"/>${bars}</svg>`;
}

const vec = name => `<b class="${name}">${name}</b>`;

export function studentTable({ row, col, names, block, t, narrow }) {
  const pick = row.lanes[col], wide = !narrow, byScore = largestFirst(pick.products), byZ = largestFirst(row.z);
  const scale = { k: longest(row.lanes.map(l => l.k)), p: longest(row.lanes.map(l => l.products)), z: longest(row.lanes.map(l => l.running)) };
  const seen = row.lanes.filter(l => !l.masked), masked = row.lanes.length - seen.length;
  const cells = l => [
    wide && `<td class="s">${strip(l.k, "k", { order: byScore, scale: scale.k })}</td><td class="s">${strip(l.products, "qk", { order: byScore, scale: scale.p })}</td>`,
    `<td>${fixed(l.score, 3)}</td><td>${fixed(l.scaled, 3)}</td>`, block.causal && `<td class="soft">+0</td>`, wide && `<td>${figures(l.exp, 4)}</td>`,
    `<td class="weight"><i class="bar a" style="--x:${l.weight.toFixed(4)}"></i><span>${figures(l.weight, 4)}</span></td>`,
    wide && `<td class="s">${strip(l.share, "v", { order: byZ, scale: scale.z })}</td><td class="s">${strip(l.running, "z", { order: byZ, scale: scale.z })}</td>`,
  ].filter(Boolean).join("");
  const lane = l => `<tr data-key="${l.j}" class="${l.j === col ? "on" : ""}" id="lane-${l.j}"><th scope="row">${label(names[l.j], t)}</th>${cells(l)}</tr>`;
  const span = block.causal ? 5 : 4;
  return `<table class="student" id="student-table"><caption class="live">${t("student.caption")}</caption><thead>${headRow(row, block, t, wide)}` +
    (wide ? `<tr class="query" data-tour="q"><th scope="row">${vec("q")}</th><td></td><td class="s">${strip(row.q, "q", { order: byScore })}</td><td colspan="${span}" class="aside">${t("student.query", { count: block.dk })}</td><td></td><td></td></tr>` : "") +
    `</thead><tbody>${seen.map(lane).join("")}</tbody>` +
    (wide ? `<tfoot><tr data-tour="z"><th scope="row">${vec("z")}</th><td colspan="${span + 2}" class="aside">${masked ? t("student.masked", { count: masked }) + " " : ""}${t("student.result", { count: block.dv })}</td><td></td><td class="s">${strip(row.z, "z", { order: byZ, scale: scale.z })}</td></tr></tfoot>` : "") + "</table>";
}

function headRow(row, block, t, wide) {
  const th = (small, big, extra = "") => `<th scope="col"${extra}><small>${t(`student.${small}`)}</small>${big}</th>`;
  return `<tr class="names"><th scope="col"><span class="live">${t("rows.looked")}</span></th>` + [
    wide && th("key", vec("k"), ' class="l0" data-tour="k"'), wide && th("products", `${vec("q")} \u00d7 ${vec("k")}`, ' class="l0"'),
    th("score", wide ? "\u03a3" : `${vec("q")} \u00b7 ${vec("k")}`, ' data-tour="scores"'), th("scaled", `\u00f7 \u221a${block.dk}`, ' data-tour="scaled"'),
    block.causal && th("mask", t("student.maskSign")), wide && th("exp", "e<sup>(\u00b7 \u2212 max)</sup>"),
    th("weight", `${wide ? `\u00f7 ${figures(row.sum, 4)} =` : "softmax ="} ${vec("a")}`, ' class="l" data-tour="softmax"'),
    wide && th("share", `${vec("a")} \u00d7 ${vec("v")}`, ' class="l0" data-tour="values"'), wide && th("running", t("student.runningSign"), ' class="last"'),
  ].filter(Boolean).join("") + "</tr>";
}

const fall = (x, most) => `<td class="fall"><i class="two" style="--x:${Math.max(-0.5, Math.min(0.5, x / most / 2)).toFixed(4)}"></i></td>`;

// One score, product by product, the largest first; the rest together, or all of them.
export function scoreTable({ row, col, t, all }) {
  const pick = row.lanes[col], order = largestFirst(pick.products), most = longest([pick.products]);
  const shown = all ? order : order.slice(0, 8), rest = order.slice(shown.length), other = sumOf(rest.map(d => pick.products[d]));
  let running = 0;
  const line = d => {
    running += pick.products[d];
    return `<tr><th scope="row">${d + 1}</th><td class="cq">${fixed(row.q[d])}</td><td class="ck">${fixed(pick.k[d])}</td><td>${fixed(pick.products[d])}</td>${fall(pick.products[d], most)}<td class="soft">${fixed(running)}</td></tr>`;
  };
  return `<table class="small" id="score-table"><caption class="live">${t("student.one")}</caption><thead><tr><th scope="col">${t("student.dim")}</th><th scope="col">${vec("q")}</th><th scope="col">${vec("k")}</th><th scope="col">${vec("q")} \u00d7 ${vec("k")}</th><td></td><th scope="col">${t("student.runningSign")}</th></tr></thead><tbody>${shown.map(line).join("")}` +
    (rest.length ? `<tr class="rest"><th colspan="3" scope="row">${t("student.rest", { count: rest.length })}</th><td>${fixed(other)}</td>${fall(other, most)}<td><b>${fixed(pick.score)}</b></td></tr>` : "") + "</tbody></table>";
}

// One number of z: every value times its weight.
export function valueTable({ row, dim, names, t, all }) {
  const order = row.lanes.filter(l => !l.masked).sort((x, y) => Math.abs(y.share[dim]) - Math.abs(x.share[dim]));
  const most = Math.max(...order.map(l => Math.abs(l.share[dim])), 1e-9), shown = all ? order : order.slice(0, 8), rest = order.slice(shown.length);
  let running = 0;
  const line = l => {
    running += l.share[dim];
    return `<tr><th scope="row" class="word">${label(names[l.j], t)}</th><td class="ca">${fixed(l.weight)}</td><td class="cv">${fixed(l.v[dim])}</td><td>${fixed(l.share[dim])}</td>${fall(l.share[dim], most)}<td class="soft">${fixed(running)}</td></tr>`;
  };
  return `<table class="small" id="value-table"><caption class="live">${t("student.oneZ", { dim: dim + 1 })}</caption><thead><tr><td></td><th scope="col">${vec("a")}</th><th scope="col">${vec("v")}</th><th scope="col">${vec("a")} \u00d7 ${vec("v")}</th><td></td><th scope="col">${t("student.runningSign")}</th></tr></thead><tbody>${shown.map(line).join("")}` +
    (rest.length ? `<tr class="rest"><th colspan="3" scope="row">${t("student.rest", { count: rest.length })}</th><td>${fixed(sumOf(rest.map(l => l.share[dim])))}</td><td></td><td><b>${fixed(row.z[dim])}</b></td></tr>` : "") + "</tbody></table>";
}

// One number of what the head adds: z through one column of its rows of W_O.
export function outputTable({ row, block, head, dim, t, all }) {
  const d = block.b_o.length, column = row.z.map((_, r) => block.w_o[(head * block.dv + r) * d + dim]), products = row.z.map((z, r) => z * column[r]);
  const order = largestFirst(products), most = longest([products]), shown = all ? order : order.slice(0, 8), rest = order.slice(shown.length);
  let running = 0;
  const line = r => {
    running += products[r];
    return `<tr><th scope="row">${r + 1}</th><td class="cz">${fixed(row.z[r])}</td><td>${fixed(column[r])}</td><td>${fixed(products[r])}</td>${fall(products[r], most)}<td class="soft">${fixed(running)}</td></tr>`;
  };
  const sign = "W<sub>O</sub>";
  return `<table class="small" id="output-table"><caption class="live">${t("student.oneOut", { dim: dim + 1 })}</caption><thead><tr><th scope="col">${t("student.dim")}</th><th scope="col">${vec("z")}</th><th scope="col">${sign}</th><th scope="col">${vec("z")} \u00d7 ${sign}</th><td></td><th scope="col">${t("student.runningSign")}</th></tr></thead><tbody>${shown.map(line).join("")}` +
    (rest.length ? `<tr class="rest"><th colspan="3" scope="row">${t("student.rest", { count: rest.length })}</th><td>${fixed(sumOf(rest.map(r => products[r])))}</td><td></td><td><b>${fixed(sumOf(products))}</b></td></tr>` : "") + "</tbody></table>";
}
