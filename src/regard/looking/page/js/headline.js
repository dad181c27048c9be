// S0, above: the sentence and its translation as headlines; bars hang from the words that were looked at.
import { blockOf, groupAt, grouped, peakOf } from "./look.js";
import { escape, inProse, isMark, plain } from "./wording.js";
import { fixed } from "./number.js";
import { headMatters, unmeasured, whereTo } from "./saying.js";

function token(word, data, t, tight) {
  const mark = isMark(word), shown = mark ? `<span class="mark">${escape(plain(word, t))}</span>` : `<bdi>${escape(word)}</bdi>`;
  const classes = `tok${mark ? " end" : ""}${tight ? " tight" : ""}`;
  return `<button type="button" class="${classes}" dir="auto" ${data}>${shown}<span class="hang"><i></i><em></em></span></button>`;
}

const TIGHT = /['\u2019]$/, CLOSING = /^[.,!?;:)\u2026]+$/;

// Rendered once a look; hovering only moves the bars (`headlinePaint`).
export function headline(look, t) {
  const line = (side, name) => look.sides[side].words.map((w, i, all) =>
    token(w.text, `data-${name}="${i}"`, t, i > 0 && (TIGHT.test(all[i - 1].text) || CLOSING.test(w.text)))).join("");
  return { source: line("source", "source"), target: line("writes", "target") };
}

// How long the longer line is, so that its letters can be as large as the page is wide.
export function lettersOf(look) {
  return Math.max(...["source", "writes"].map(side => look.sides[side].words.reduce((n, w) => n + w.text.length + 1, 4)));
}

// What the bars and the sentences below them say: of a target word, or of a source word that was asked.
export function headlinePaint({ look, worth, state, t, live }, shown) {
  const block = blockOf(look, "cross", state.cl), weights = block && grouped(look, block, state.ch, "words");
  if (!weights) return { source: [], target: [], lead: "", matter: "" };
  if (shown.asked >= 0) return askedPaint(look, weights, shown.asked, t);
  const target = groupAt(look.sides.writes.words, shown.t), row = weights[target];
  const place = { kind: "cross", layer: state.cl, head: state.ch };
  return {
    source: row.map(w => ({ w, text: w >= 0.045 ? fixed(w, 2) : "", seen: w >= 0.005 })),
    target: weights.map((_, i) => ({ w: 0, text: "", on: i === target })),
    lead: t("sentence.lead", {
      word: inProse(look.sides.writes.words[target].text, t), layer: state.cl + 1, head: state.ch + 1,
      where: whereTo(t, row, look.sides.source.words.map(w => w.text)),
    }),
    matter: t("matter.ask") + " " + (headMatters(t, look, worth, place, target) ?? unmeasured(t, live)),
  };
}

function askedPaint(look, weights, asked, t) {
  const seen = weights.map(row => row[asked]), top = peakOf(seen), word = inProse(look.sides.source.words[asked].text, t);
  const slots = { word, other: inProse(look.sides.writes.words[top].text, t), weight: `<span class="n">${fixed(seen[top], 2)}</span>` };
  return {
    source: weights[0].map((_, j) => ({ w: 0, text: "", asked: j === asked })),
    target: seen.map(w => ({ w, text: w >= 0.045 ? fixed(w, 2) : "", seen: w >= 0.02 })),
    lead: t(seen[top] < 0.1 ? "asked.nobody" : "asked.most", slots),
    matter: null,
  };
}
