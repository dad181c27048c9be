// Numbers and words as the page prints them, and tensors as they travel.
import assert from "node:assert/strict";
import test from "node:test";
import { contrast, scales } from "../../../src/regard/looking/page/js/colour.js";
import { figures, fixed, plus } from "../../../src/regard/looking/page/js/number.js";
import { numbers } from "../../../src/regard/looking/page/js/tensor.js";
import { asLine, escape, inProse, isMark, label, shortened, speaker, svgLabel } from "../../../src/regard/looking/page/js/wording.js";

const t = speaker({ "mark.start": "start", "mark.end": "end", "mark.stop": "full stop", "mark.dot": "stop", "mark.tag": "to {name}", "prose.stop": "the full stop", "prose.mark": "the mark {mark}" });

test("a minus is a minus, and nothing is not minus nothing", () => {
  assert.equal(fixed(-1.25, 2), "\u22121.25");
  assert.equal(fixed(-0.0004, 3), "0.000");
  assert.equal(plus(0.126), "+0.13");
  assert.equal(plus(0.001), "0.00");
  assert.equal(fixed(-Infinity), "\u2212\u221e");
});

test("four figures, and small numbers as a power of ten", () => {
  assert.equal(figures(2.18449), "2.184");
  assert.equal(figures(0.0123456), "0.01235");
  assert.equal(figures(0.99999), "1.000");
  assert.equal(figures(0), "0");
  assert.equal(figures(-0.00047), "\u22124.7\u00b710\u207b\u2074");
});

test("a slot is filled, and a string that is missing is taken from the spare, or shown by its name", () => {
  const say = speaker({ a: "{n} words" }, { b: "spare" });
  assert.deepEqual([say("a", { n: 3 }), say("b"), say("c")], ["3 words", "spare", "c"]);
});

test("what the model writes cannot become mark-up", () => {
  const word = `</script><img src=x onerror="a('b')">`;
  for (const shown of [escape(word), label(word, t), svgLabel(word, t, 99), inProse(word, t)]) assert.doesNotMatch(shown, /<\/script|<img/);
  assert.equal(escape("<&\"'"), "&lt;&amp;&quot;&#39;");
});

test("marks are called by name, words are not", () => {
  assert.match(label("</s>", t), />end</);
  assert.match(label("<2fr>", t), />to fr</);
  assert.match(inProse(".", t), /the full stop/);
  assert.deepEqual(["<s>", "<2fr>", "<", "s", "a<b>", "<0xF0>"].map(isMark), [true, true, false, false, false, false]);
});

test("a long word is cut between characters, not inside one", () => {
  assert.equal(shortened("\u{1F600}\u{1F601}\u{1F602}", 2), "\u{1F600}\u2026");
  assert.equal(shortened("abc", 3), "abc");
});

test("words make a line without a space behind an apostrophe or before a stop", () => {
  assert.equal(asLine(["qu'", "il", "dort", "."]), "qu'il dort.");
});

test("float32 comes as it was sent", () => {
  const sent = Buffer.from(Float32Array.of(1.5, -2.25, 3e-5).buffer).toString("base64");
  assert.deepEqual([...numbers(sent, "f4")], [1.5, -2.25, Math.fround(3e-5)]);
});

test("float16: one, minus two, the smallest, the largest, a third", () => {
  const sent = Buffer.from(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x3555, 0x8000, 0x7c00).buffer).toString("base64");
  assert.deepEqual([...numbers(sent, "f2")], [1, -2, 2 ** -24, 65504, 0.333251953125, -0, Infinity]);
});

test("the ramp begins and ends at its stops, and signs go either way from zero", () => {
  const tones = { "--zero": "#808080", "--more": "#0000ff", "--less": "#ff0000", "--ink": "#000000", "--over": "#ffffff" };
  const ramp = scales(name => tones[name] ?? `#0000${(Number(name.slice(-1)) * 16).toString(16).padStart(2, "0")}`);
  assert.equal(ramp.weight(0), "rgb(0 0 0)");
  assert.equal(ramp.weight(1), "rgb(0 0 128)");
  assert.equal(ramp.weight(0.5), "rgb(0 0 64)");
  assert.equal(ramp.difference(1), "rgb(0 0 255)");
  assert.equal(ramp.difference(-2), "rgb(255 0 0)");
  assert.equal(ramp.readable(0).ink, "rgb(0 0 0)");
  assert.equal(contrast([0, 0, 0], [255, 255, 255]), 21);
});
