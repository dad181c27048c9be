// What stands in each place of the page, as HTML by the place's id. Knows neither the page nor the network.
import { blockOf, bare, colsOf, groupAt, grouped, layersOf, peakOf, rowsOf } from "./look.js";
import { asLine, escape, inProse, isMark, label, plain } from "./wording.js";
import { figures, fixed, plus } from "./number.js";
import { drawLanes, laneTarget, trailPlaces } from "./lanes.js";
import { finderOrders } from "./finder.js";
import { drawLines, drawMatrix, LINES, matrixOf, matrixTable } from "./matrix.js";
import { headBar, rowView } from "./rows.js";
import { capital, headName } from "./saying.js";
import { changeName, compareLead, drawCompare, effectTable } from "./compare.js";
import { notesView } from "./notes.js";
import { headOff, stackOff } from "./worth.js";

const button = (patch, text, on = null) => `<button type="button" data-go='${JSON.stringify(patch)}'${on === null ? "" : ` aria-pressed="${on}"`}>${text}</button>`;

export function topView(at, languages, dark) {
  const { t, state } = at;
  return {
    theme: t(dark ? "theme.light" : "theme.dark"),
    languages: languages.map(l => button({ lang: l }, l.toUpperCase(), t.lang === l)).join(""),
    looks: at.looks.length > 1 ? `<span>${t("looks")}</span>` + at.looks.map((l, i) => button({ s: i, ...(i ? {} : { other: 1 }) }, escape(lookName(at, l, i)), state.s === i)).join("") : "",
    "margin-sentence": `${t("margin.sentence")} ${t(at.live ? "margin.live" : "margin.static")}`, "merge-rule": t("margin.rule"),
  };
}

// What tells a look from the others: its change, or the words that only it has.
function lookName(at, look, i) {
  if (look.change && (look.change.what !== "text" || look.change.words.length)) return changeName({ ...at, look: at.looks[0] }, look.change).replace(/<[^>]*>/g, "");
  const others = at.looks.filter(l => l !== look).flatMap(l => l.sides.source.words.map(w => w.text));
  const own = look.sides.source.words.map(w => w.text).filter(w => !others.includes(w));
  return own.length && own.length < 4 ? asLine(own) : `${i + 1}`;
}

export function sentenceView(at, width) {
  const { look, state, t } = at, target = laneTarget(look, state.t), block = blockOf(look, "cross", state.cl);
  if (!block) return { lanes: "", "lanes-caption": "", bands: "", deeper: "", "chances-body": "" };
  return {
    bands: `<div class="choices" role="group"><span>${t("bands")}</span>${["looks", "worth"].map(b => button({ band: b }, t(`bands.${b}`), state.band === b)).join("")}</div>`,
    lanes: drawLanes(at, { width, target }), "lanes-caption": lanesCaption(at, target), deeper: deeper(at, target, block), "chances-body": chances(at),
  };
}

function lanesCaption(at, target) {
  const { look, worth, state, t } = at, word = inProse(look.sides.writes.words[target].text, t), places = trailPlaces(at, target);
  if (state.band === "worth") return t(worth ? "caption.worth" : "caption.unmeasured", { word });
  const off = stackOff(worth, "encoder"), how = t("caption.looks", { word, layer: state.cl + 1, head: state.ch + 1 });
  if (!off) return `${how} ${t(at.live ? "matter.measuring" : "caption.unmeasured", { word })}`;
  return `${how} ${t("caption.encoder", { word, count: off.change.heads.length, delta: `<strong>${plus(off.delta[target])}</strong>` })} ${off.same ? t("caption.same") : ""} ${places.encoder.length < layersOf(look, "encoder").length ? t("caption.some", { count: places.encoder.length }) : ""}`;
}

// The thread one step back: where the word that was looked at looked in the encoder, through its sharpest head.
function deeper(at, target, block) {
  const { look, state, t } = at, layers = layersOf(look, "encoder"), last = blockOf(look, "encoder", layers[layers.length - 1]);
  if (!last) return "";
  const word = peakOf(grouped(look, block, state.ch, "words")[target]);
  let best = { weight: 0.3, head: -1 };
  for (let head = 0; head < last.heads; head++) grouped(look, last, head, "words")[word].forEach((weight, j) => { if (j !== word && weight > best.weight) best = { weight, head }; });
  const name = inProse(look.sides.source.words[word].text, t);
  return best.head < 0 ? "" : `<button type="button" class="link" data-go='${JSON.stringify({ kind: "encoder", layer: last.layer, head: best.head, row: look.sides.source.words[word].start, at: "head" })}'>${t("deeper", { word: name })}</button>`;
}

// Every piece that was written, its probability, and what else might have stood there; then what the search gave up.
function chances(at) {
  const { look, t } = at;
  const rows = look.writes.pieces.map((piece, i) => `<tr><th scope="row">${label(bare(piece), t)}</th><td>${fixed(Math.exp(look.log_probs[i]), 3)}</td><td>${fixed(look.log_probs[i], 2)}</td><td>${look.alternatives[i].filter(([other]) => other !== piece).slice(0, 4).map(([other, p]) => `${label(bare(other), t)} ${figures(p, 2)}`).join(" \u00a0 ")}</td></tr>`);
  const lost = look.beam.filter(node => node[4] === "ended" && !node[5]).map(node => ({ total: node[3], text: pathOf(look.beam, node) })).sort((a, b) => b.total - a.total).slice(0, 4);
  return `<p>${t("chances.text")}</p><div class="scroll" tabindex="0" role="region" aria-label="${escape(t("chances.title"))}"><table id="chances-table"><thead><tr><th scope="col">${t("lanes.writes")}</th><th scope="col">p</th><th scope="col">log p</th><th scope="col">${t("lanes.next")}</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>` +
    (lost.length ? `<p>${t("chances.beam")}</p><ul>${lost.map(l => `<li><bdi>${escape(l.text)}</bdi> ${fixed(l.total, 2)}</li>`).join("")}</ul>` : "");
}

function pathOf(beam, node) {
  const pieces = [];
  for (let at = node; at; at = at[0] < 0 ? null : beam[at[0]]) if (at[1] !== "</s>") pieces.unshift(at[1]);
  return pieces.join("").replace(/\u2581/g, " ").trim();
}

export function finderView(at) {
  return { orders: finderOrders(at) };
}

export function headView(at, width) {
  const { state, t, block } = at, m = matrixOf(at), many = Math.max(m.rows.length, m.cols.length) > LINES, lines = state.view === "lines";
  const figure = lines ? (many ? `<p class="note">${t("lines.many", { most: LINES })}</p>` : drawLines(at, m, Math.min(width, 560))) : drawMatrix(at, m, width);
  const masked = block.causal ? `<span class="apart">\u00b7 ${t("legend.masked")}</span>` : "";
  return {
    "head-title": capital(headName(t, state.kind, state.layer, state.head)), "head-bar": headBar(at), matrix: figure,
    legend: (lines ? (many ? "" : `<span>${t("legend.lines")}</span>`) : `<span>${t("legend.weight")} 0</span><i class="ramp"></i><span>1</span>${masked}`) + saves(t),
    row: rowView(at, m, m.row), unfold: t(state.open ? "word.fold" : "word.unfold"),
  };
}

function saves(t) {
  return `<span class="choices apart" role="group" aria-label="${escape(t("save.picture"))}"><span>${t("save.picture")}</span>${["svg", "png"].map(how => `<button type="button" id="save-${how}" data-save="${how}">${how.toUpperCase()}</button>`).join("")}</span>`;
}

export function tableView(at) {
  return matrixTable(at, matrixOf(at));
}

export function compareView(at, width) {
  const { t, state, looks } = at, other = otherOf(at);
  const chosen = looks.length > 2 ? `<span>${t("compare.with")}</span>` + looks.map((l, i) => (i === state.s ? "" : button({ other: i }, escape(lookName(at, l, i)), l === other))).join("") : "";
  if (!other) return { others: "", "compare-lead": t(at.live ? "compare.live" : "compare.none"), "compare-figure": "", "compare-legend": "" };
  return {
    others: chosen, "compare-lead": compareLead(at, other), "compare-figure": drawCompare(at, other, width),
    "compare-legend": `<span>${capital(headName(t, "cross", state.cl, state.ch))}</span><span class="apart">\u22121</span><i class="signs"></i><span>+1, ${t("compare.difference")}</span>`,
  };
}

export function otherOf({ looks, state }) {
  const place = state.other === state.s ? looks.findIndex((_, i) => i !== state.s) : state.other;
  return looks[place] ?? looks.find((_, i) => i !== state.s) ?? null;
}

export function effectsView(at) {
  const { t, state, worth } = at;
  if (!worth) return { "effects-bar": "", "effects-body": `<p class="note">${t(at.live ? "matter.measuring" : "note.more.text")}</p>` };
  return { "effects-bar": ["left", "replaced"].map(w => button({ what: w }, t(`effects.${w}`), state.what === w)).join(""), "effects-body": effectTable(at) };
}

export function limitsView(at) {
  return { notes: notesView(at) };
}

export function footView(at) {
  const { look, t } = at, m = look.model;
  const slots = { name: escape(m.name), layers: m.n_encoder_layers, below: m.n_decoder_layers, heads: m.n_heads, d_model: m.d_model, d_k: m.d_k, d_v: m.d_v, norm: t(`norm.${m.norm}`), parameters: m.parameters.toLocaleString("en").replace(/,/g, "\u202f"), pieces: m.source_vocabulary };
  return `<div>${t("foot.model", slots)}<br>${t("foot.keys")}</div>`;
}

// What is said aloud when a cell is reached: "il to animal, cross-attention, layer 2, head 3, 0.41".
export function cellSaid(at, i, j) {
  const { t, state } = at, m = matrixOf(at), name = w => plain(w.text, t);
  return t("said.cell", { row: name(m.rows[i]), col: name(m.cols[j]), head: headName(t, state.kind, state.layer, state.head), weight: fixed(m.values[i][j], 2) });
}

// What the word "what if" offers on a live page.
export function whatifView(at) {
  const { look, state, t } = at, words = look.sides.source.words, option = (value, text, on) => `<option value="${value}"${on ? " selected" : ""}>${escape(text)}</option>`;
  const listed = words.map((w, j) => (isMark(w.text) ? "" : option(j, w.text, j === state.asked))).join("");
  const how = ["dropped", "swapped", "replaced"].map(h => option(h, t(`whatif.${h}`))).join("");
  const heads = [["off", "whatif.off"], ["uniform", "whatif.uniform"], ["stack", "whatif.stack"]].map(([h, key]) => `<button type="button" class="link" id="whatif-${h}" data-whatif="${h}">${t(key, { kind: t(`kind.${state.kind}`), head: `${state.layer + 1}.${state.head + 1}` })}</button>`).join("");
  return `<label for="whatif-word">${t("whatif.word")}</label><select id="whatif-word">${listed}</select><select id="whatif-how" aria-label="${escape(t("whatif.how"))}">${how}</select>` +
    `<input id="whatif-by" type="text" dir="auto" aria-label="${escape(t("whatif.by"))}" placeholder="${escape(t("whatif.by"))}"><button type="submit" class="unfold" id="whatif-go">${t("whatif.go")}</button><span class="apart"></span>${heads}` +
    `<input id="whatif-text" type="text" dir="auto" aria-label="${escape(t("whatif.text"))}" placeholder="${escape(t("whatif.text"))}"><button type="button" class="link" id="whatif-sentence" data-whatif="text">${t("whatif.compare")}</button>`;
}

// The change that one of the buttons asks for, as the server understands it.
export function headChange(state, how) {
  if (how === "stack") return { what: "heads", how: "off", kind: state.kind };
  return { what: "heads", how, kind: state.kind, layer: state.layer + 1, head: state.head + 1 };
}

export function chosenColumn(at, group) {
  return colsOf(at.look, at.block.kind, at.state.unit)[group].start;
}

export function chosenRow(at, group) {
  return rowsOf(at.look, at.block.kind, at.state.unit, at.state.sem)[group].start;
}

export function headKnown(at) {
  return headOff(at.worth, at.state.kind, at.state.layer, at.state.head) !== null;
}

export function targetWord(at, piece) {
  return groupAt(at.look.sides.writes.words, piece);
}
