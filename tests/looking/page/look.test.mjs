// A look, its arithmetic, its worth and its state, on numbers that were made by hand.
import assert from "node:assert/strict";
import test from "node:test";
import { asCsv, asLatex, asPython, blockSum, differences, retrace, through } from "../../../src/regard/looking/page/js/arithmetic.js";
import { blockOf, carriedBy, groupAt, grouped, isMasked, layersOf, logProbOf, openLook, rivalOf, weightAt } from "../../../src/regard/looking/page/js/look.js";
import { fromHash, opening, settled, START, toHash } from "../../../src/regard/looking/page/js/state.js";
import { edits, faithfulness, headOff, leftOut, mostNeeded, openWorth, rankCorrelation, replacedEffect, splitWords, stackOff } from "../../../src/regard/looking/page/js/worth.js";
import { block, rawLook, WORTH } from "./made.mjs";

const near = (a, b, by = 1e-6) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);
const E = x => Math.exp(x / Math.SQRT2), SUM = E(1) + E(3) + E(5);

test("a row again: products, their sum, divided by the root of d_k, exponentiated, normalised, times v", () => {
  const row = retrace(blockOf(openLook(rawLook()), "cross", 0), 0, 0);
  assert.deepEqual(row.lanes.map(l => l.score), [1, 3, 5]);
  assert.deepEqual(row.lanes[2].products, [1, 4]);
  near(row.lanes[1].scaled, 3 / Math.SQRT2, 1e-12);
  near(row.lanes[2].weight, E(5) / SUM, 1e-12);
  near(row.z[0], E(1) / SUM, 1e-12);
  assert.deepEqual(row.lanes[2].running, row.z);
});

test("the decoder sees no later word", () => {
  const row = retrace(blockOf(openLook(rawLook()), "decoder", 0), 0, 0);
  assert.deepEqual(row.lanes.map(l => l.weight), [1, 0]);
  assert.equal(row.lanes[1].masked, true);
});

test("z goes through the head's rows of W_O, and b_O is added once", () => {
  const cross = blockOf(openLook(rawLook()), "cross", 0);
  assert.deepEqual(through(cross, 0, [1, 2, 3]), [1 * 1 + 3 * 3, 2 * 2]);
  const { total } = blockSum(cross, 1); // row 1 looks at all three alike
  near(total[0], 10 + 1 / 3 + 3 / 3);
  near(total[1], 20 + 2 / 3);
});

test("the check finds a number that is not the model's", () => {
  const right = blockOf(openLook(rawLook()), "cross", 0), found = differences(right, 0, 0, retrace(right, 0, 0));
  for (const gap of [found.weights, found.z, found.sum]) assert.ok(gap < 1e-6);
  const wrong = block("cross", 0, 2, 3, { weights: Buffer.from(Float32Array.of(0.5, 0.25, 0.25, 0, 0, 1).buffer).toString("base64") });
  const other = blockOf(openLook(rawLook({ blocks: [wrong] })), "cross", 0);
  near(differences(other, 0, 0, retrace(other, 0, 0)).weights, E(5) / SUM - 0.25);
});

test("weights that did not travel are made from q and k, and the largest of a row is checked", () => {
  const given = block("decoder", 0, 2, 2), raw = { ...given, peaks: Buffer.from(Float32Array.of(1, 0.75).buffer).toString("base64") };
  delete raw.weights;
  const made = openLook(rawLook({ blocks: [raw] })).blocks[0];
  assert.deepEqual([0, 1].map(j => weightAt(made, 0, 0, j)), [1, 0]);
  assert.deepEqual([0, 1].map(j => weightAt(made, 0, 1, j)), [0.5, 0.5]);
  near(differences(made, 0, 1, retrace(made, 0, 1)).peak, 0.25);
});

test("between words: the sum over the pieces looked at, the mean over those that look", () => {
  const look = openLook(rawLook()), encoder = blockOf(look, "encoder", 0), words = grouped(look, encoder, 0, "words");
  near(words[0][1], (E(3) + E(5)) / SUM);
  near(words[1][1], 2 / 3); // both pieces of the second word look at all three alike
  assert.equal(grouped(look, encoder, 0, "pieces").length, 3);
});

test("what a column carries is its weight times the length of its value", () => {
  const look = openLook(rawLook()), cross = blockOf(look, "cross", 0), [a, bc] = look.sides.source.words;
  near(carriedBy(cross, 0, look.sides.writes.words[0], [a, bc])[1], (2 * E(3) + 3 * E(5)) / SUM);
});

test("a word stands where its pieces stand, has their log p, and a rival", () => {
  const look = openLook(rawLook());
  assert.equal(groupAt(look.sides.source.words, 2), 1);
  assert.equal(logProbOf(look, { start: 0, stop: 2 }), -0.75);
  assert.deepEqual(rivalOf(look, look.sides.writes.words[0]), ["\u2581y", 0.3]);
  assert.equal(rivalOf(look, look.sides.writes.words[1]), null);
  assert.deepEqual(layersOf(look, "encoder"), [0, 1]);
  assert.deepEqual([isMasked({ causal: true }, { stop: 1 }, { start: 1 }), isMasked({ causal: true }, { stop: 2 }, { start: 1 })], [true, false]);
});

test("worth is found by what was changed; what was not measured is null", () => {
  const look = openLook(rawLook()), worth = openWorth(WORTH, look);
  assert.deepEqual(headOff(worth, "cross", 0, 0).delta, [-2, -4]);
  assert.equal(headOff(worth, "cross", 7, 0), null);
  assert.equal(headOff(null, "cross", 0, 0), null);
  assert.equal(stackOff(worth, "encoder").change.heads.length, 2);
  assert.equal(leftOut(worth, 1).translation, "y");
  assert.equal(replacedEffect(worth, 1, 0), 2); // (|-3| + |1|) / 2
  assert.equal(replacedEffect(worth, 0, 0), null);
  assert.equal(mostNeeded(worth, "encoder", 0).layer, 1);
  assert.equal(openWorth(null, look), null);
});

test("how one line becomes another", () => {
  assert.deepEqual(splitWords("qu'il dort."), ["qu'", "il", "dort", "."]);
  assert.deepEqual(edits("qu'il dort bien.", "qu'elle dort."), [{ from: "il", to: "elle" }, { from: "bien", to: "" }]);
  assert.deepEqual(edits("a", "a"), []);
});

test("rank correlation: the same order 1, the reverse -1, ties share their rank, all equal says nothing", () => {
  assert.equal(rankCorrelation([1, 2, 5], [10, 20, 21]), 1);
  assert.equal(rankCorrelation([1, 2, 5], [3, 2, 1]), -1);
  near(rankCorrelation([1, 1, 2], [1, 2, 3]), 1.5 / Math.sqrt(1.5 * 2));
  assert.equal(rankCorrelation([1, 1], [1, 2]), null);
  assert.equal(faithfulness(null, [[1]]), null);
});

test("an address says all that is shown, and is read back", () => {
  const look = openLook(rawLook()), worth = openWorth(WORTH, look);
  const state = settled(START, { ...fromHash("#look=encoder.2.1&row=2&view=lines&unit=pieces&at=head&what=replaced") }, look, worth);
  assert.deepEqual([state.kind, state.layer, state.head, state.row, state.view, state.unit], ["encoder", 1, 0, 2, "lines", "pieces"]);
  assert.deepEqual(settled(START, fromHash(toHash(state)), look, worth), state);
});

test("an address that asks for what there is not leads to what there is", () => {
  const look = openLook(rawLook()), state = settled(START, fromHash("#look=cross.9.9&row=99&col=77&t=5&lang=xx&evil=1"), look, null);
  assert.deepEqual([state.kind, state.layer, state.head, state.row, state.col], ["cross", 0, 0, 1, 2]);
  assert.equal("evil" in state, false);
});

test("a page begins at the word that loses most without one head, or else at the sharpest look", () => {
  const look = openLook(rawLook());
  assert.equal(opening(look, openWorth(WORTH, look)).row, 1); // log p moves by -4
  assert.deepEqual(opening(look, null), { kind: "cross", layer: 0, head: 0, row: 0, t: 0 });
});

test("a stack alone in the address is enough, and a look may lack cross-attention", () => {
  const look = openLook(rawLook()), state = settled(START, fromHash("#look=encoder.2.1"), look, null);
  assert.deepEqual([state.kind, state.layer, state.cl, state.row], ["encoder", 1, 0, 2]);
  const alone = openLook(rawLook({ blocks: [block("encoder", 0, 3, 3)] }));
  assert.deepEqual([settled(START, { kind: "cross" }, alone, null).kind, settled(START, {}, alone, null).row], ["encoder", 0]);
});

test("another row is looked at where it looks most, and the chosen word follows", () => {
  const look = openLook(rawLook()), begun = settled(START, { row: 1 }, look, null), moved = settled(begun, { row: 0 }, look, null);
  assert.deepEqual([moved.t, moved.col], [0, 2]);
  assert.equal(settled(moved, { kind: "encoder" }, look, null).row, 2); // the piece that the word looked at
});

test("a row leaves as CSV, LaTeX and Python, whatever its words are", () => {
  const row = retrace(blockOf(openLook(rawLook()), "decoder", 0), 0, 0), names = ['say "a"', "50 %_&"];
  assert.equal(asCsv(row, names).split("\n")[1].startsWith('"say ""a"""'), true);
  assert.equal(asCsv(row, names).split("\n")[2].split(",")[3], "-inf");
  assert.match(asLatex(row, names), /50 \\%\\_\\&/);
  assert.match(asPython(row, names), /s\[\[1\]\] = -np\.inf/);
});
