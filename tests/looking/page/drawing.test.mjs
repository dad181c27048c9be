// What is drawn: lanes and their folds, matrices, tables, comparisons, notes, keys.
import assert from "node:assert/strict";
import test from "node:test";
import { aligned, drawCompare, effectTable, wordEffects } from "../../../src/regard/looking/page/js/compare.js";
import { finderGrids, headPixels, measured } from "../../../src/regard/looking/page/js/finder.js";
import { headlinePaint, lettersOf } from "../../../src/regard/looking/page/js/headline.js";
import { cellKey, cellUnder, headKey, rovingKey } from "../../../src/regard/looking/page/js/keys.js";
import { drawLanes, followed, laneFold } from "../../../src/regard/looking/page/js/lanes.js";
import { blockOf, openLook } from "../../../src/regard/looking/page/js/look.js";
import { drawLines, drawMatrix, matrixOf, matrixTable } from "../../../src/regard/looking/page/js/matrix.js";
import { notesOf } from "../../../src/regard/looking/page/js/notes.js";
import { checkAll, wordView } from "../../../src/regard/looking/page/js/oneword.js";
import { rowMeasures, rowView } from "../../../src/regard/looking/page/js/rows.js";
import { settled, START } from "../../../src/regard/looking/page/js/state.js";
import { tourView } from "../../../src/regard/looking/page/js/tour.js";
import { openWorth } from "../../../src/regard/looking/page/js/worth.js";
import { rawLook, SOURCE, WORTH } from "./made.mjs";

const colours = { ink: "#000", weight: a => `w${a.toFixed(2)}`, difference: d => `d${d.toFixed(2)}`, readable: d => ({ background: `d${d.toFixed(2)}`, ink: "#000" }), table: Array.from({ length: 256 }, (_, i) => [i, i, i]) };
const say = (key, slots = {}) => [key, ...Object.values(slots)].join(" ");

function scene(patch = {}, raw = {}, known = WORTH) {
  const look = openLook(rawLook(raw)), worth = openWorth(known, look), state = settled(START, patch, look, worth);
  return { look, looks: [look], worth, state, colours, t: say, live: false, block: blockOf(look, state.kind, state.layer) };
}

test("lanes with nothing on them fold into one thin line that counts them; a single one stays", () => {
  const { y, gaps } = laneFold(6, i => i === 0 || i === 4, 10, 100);
  assert.deepEqual(y, [105, null, null, null, 133, 143]);
  assert.deepEqual(gaps.map(g => g.count), [3]);
});

test("a look is followed through the head that the word needs most, and stays half in its own lane", () => {
  const { look } = scene(), { steps, mass } = followed(look, [{ layer: 0, head: 0 }], [1, 0]);
  assert.equal(steps[0].length, 2);
  assert.equal(mass[0], 0.5);
  assert.ok(mass[1] > 0.9);
});

test("every path in the picture has the number of its ablation above it; without numbers there is no path", () => {
  const drawn = drawLanes(scene({ row: 0 }), { width: 1000, target: 0 });
  for (const number of ["\u22120.20", "\u22120.90", "\u22122.00", "\u22120.30"]) assert.ok(drawn.includes(number), number);
  assert.doesNotMatch(drawLanes(scene({ row: 0 }, {}, null), { width: 1000, target: 0 }), /lanes\.(short\.)?encoder/);
});

test("a matrix has a cell for each pair that may look, and a mark on the chosen one", () => {
  const at = scene({ kind: "decoder", layer: 0, head: 0, row: 1 }), m = matrixOf(at), drawn = drawMatrix(at, m, 600);
  assert.equal((drawn.match(/role="gridcell"/g) ?? []).length, 3);
  assert.equal((drawn.match(/class="masked"/g) ?? []).length, 1);
  assert.equal((drawn.match(/tabindex="0"/g) ?? []).length, 1);
  assert.equal((matrixTable(at, m).match(/<td>/g) ?? []).length, 5); // four cells and the corner
});

test("rows called by what is read have the words that are read", () => {
  const named = sem => matrixOf(scene({ kind: "cross", layer: 0, head: 0, row: 0, sem })).rows.map(r => r.text);
  assert.deepEqual([named("writes"), named("reads")], [["x", "</s>"], ["<s>", "x"]]);
});

test("where the marks are hidden, what they hold is told", () => {
  const patch = { kind: "decoder", layer: 0, head: 0, row: 1, marks: "hidden" }, at = scene(patch), m = matrixOf(at);
  assert.deepEqual(m.mass, [1, 0.5]); // the start mark has all of the first row, half of the second
  assert.deepEqual(m.shut, [[true, true], [true, false]]);
  assert.match(rowView(at, m, 1), /id="hidden-mass".*?<td>0\.50</);
  assert.equal(matrixOf(scene({ ...patch, marks: "shown" })).mass, null);
});

test("a word that is mark-up is shown as text in every picture and table", () => {
  const evil = "</script><img src=x onerror=alert(1)>", source = { pieces: SOURCE.pieces, words: [[evil, 0, 1], ["bc", 1, 3]] };
  const at = scene({ row: 0, open: 1 }, { source, text: evil, translation: evil }), m = matrixOf(at);
  const other = openLook(rawLook({ source, delta: [-1, 0] }));
  const all = [drawLanes(at, { width: 1000, target: 0 }), drawMatrix(at, m, 600), drawLines(at, m, 500), matrixTable(at, m), rowView(at, m, 0), wordView(at, 1000), drawCompare(at, other, 900), effectTable(at), finderGrids(at), tourView({ ...at, state: { ...at.state, tour: 0 } }, [{ name: "words" }])];
  for (const html of all) assert.doesNotMatch(html, /<img|<\/script/);
});

test("beside each weight stands what its word is worth", () => {
  const at = scene({ row: 0 }), { columns } = rowMeasures(at, matrixOf(at), 0), of = key => columns.find(c => c.key === key).values;
  assert.deepEqual(of("left"), [-1, -3]);
  assert.deepEqual(of("replaced"), [null, 2]);
  assert.match(rowView(at, matrixOf(at), 0), /matter\.changed/);
});

test("the table of one word ends in a check, and the whole look adds up", () => {
  assert.match(wordView(scene({ row: 0, open: 1 }), 1000), /data-ok="true"/);
  const { weights, sum } = checkAll(scene().look);
  assert.ok(weights < 1e-6 && sum < 1e-5);
});

test("measures of a head: how focused it is, how it spreads, what it is worth", () => {
  const { look, worth } = scene(), found = measured(look, worth, blockOf(look, "encoder", 1), 0, 0);
  assert.ok(Math.abs(found.self - (Math.exp(1 / Math.SQRT2) / [1, 3, 5].reduce((s, x) => s + Math.exp(x / Math.SQRT2), 0) + 1 / 3) / 2) < 1e-6); // of the rows but the end's
  assert.equal(found.needed, -0.9);
  assert.equal(measured(look, worth, blockOf(look, "cross", 0), 0, 0).previous, null);
});

test("a head as a picture: a pixel a weight, nothing where nobody may look", () => {
  const pixels = headPixels(blockOf(scene().look, "decoder", 0), 0, colours.table);
  assert.deepEqual([...pixels.slice(0, 8)], [255, 255, 255, 255, 0, 0, 0, 0]);
  assert.equal(pixels[8], 128); // 0.5 of 255
});

test("words that only one sentence has leave a gap in the other", () => {
  assert.deepEqual(aligned(["a", "b", "c"], ["a", "c"]), [{ a: 0, b: 0 }, { a: 1, b: null }, { a: 2, b: 1 }]);
  assert.deepEqual(aligned(["a", "b"], ["a", "x"]), [{ a: 0, b: 0 }, { a: 1, b: 1 }]);
});

test("every change of a word is listed, with what is then written", () => {
  assert.equal(wordEffects(scene({ what: "left" })).length, 2);
  assert.deepEqual(wordEffects(scene({ what: "replaced" })).map(e => e.effect.change.by), ["d", "e"]);
});

test("notes are about this sentence, and each has a place that shows it", () => {
  const notes = notesOf(scene({ row: 0 }));
  assert.ok(notes.length >= 4);
  assert.ok(notes.every(n => n.go.at));
  assert.deepEqual(notesOf(scene({ row: 0 }, {}, null)).map(n => n.key), ["whole"]);
});

test("bars hang from what was looked at, and the other way round from who looked", () => {
  const at = scene({ row: 0 }), paint = headlinePaint(at, { t: 0, asked: -1 });
  assert.ok(paint.source[1].w > 0.9 && paint.target[0].on);
  assert.equal(headlinePaint(at, { t: 0, asked: 1 }).matter, null);
  assert.equal(lettersOf(at.look), 11); // "x" and "</s>", a space each, and four more
});

test("keys move where there is something to move to", () => {
  const m = { values: [[1, 0], [0.5, 0.5]], shut: [[false, true], [false, false]] };
  assert.deepEqual(cellKey("ArrowDown", m, 0, 0), { i: 1, j: 0 });
  assert.equal(cellKey("ArrowRight", m, 0, 0), null);
  assert.equal(cellKey("ArrowUp", m, 0, 0), null);
  assert.deepEqual(cellKey("End", m, 0, 0), { i: 0, j: 0 });
  assert.equal(cellKey("x", m, 0, 0), null);
  const { look, state } = scene({ kind: "encoder", layer: 1, head: 0, row: 0 });
  assert.deepEqual(headKey("}", look, state), { layer: 0 });
  assert.deepEqual(headKey("]", look, state), { head: 0 });
  assert.deepEqual([rovingKey("ArrowLeft", 0, 3), rovingKey("End", 0, 3), rovingKey("a", 0, 3)], [0, 2, null]);
  assert.deepEqual(cellUnder({ values: m.values, rows: [0, 1], cols: [0, 1] }, 0.99, 1.2), { i: 1, j: 1 });
});
