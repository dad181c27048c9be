// S5. What the picture does not show: claims with the numbers of this very sentence, each with a button that shows it.
import { blockOf, groupAt, grouped, layersOf, weightAt } from "./look.js";
import { inProse } from "./wording.js";
import { figures, fixed, percent, plus } from "./number.js";
import { faithfulness, headOff, mostNeeded, replacedEffect, replacements, stackOff } from "./worth.js";
import { headName } from "./saying.js";

// All weights of cross-attention while one word is written, largest first, each with the loss of its head.
function looksAt(at, target) {
  const { look, worth } = at, found = [];
  for (const layer of layersOf(look, "cross")) {
    const block = blockOf(look, "cross", layer);
    for (let head = 0; head < block.heads; head++) grouped(look, block, head, "words")[target].forEach((weight, word) =>
      found.push({ layer, head, word, weight, delta: headOff(worth, "cross", layer, head)?.delta[target] ?? null }));
  }
  return found.sort((a, b) => b.weight - a.weight);
}

const go = (look, { layer, head }, target, word) => ({ kind: "cross", layer, head, row: look.sides.writes.words[target].start, col: look.sides.source.words[word].start });

export function notesOf(at) {
  const { look, state, worth } = at, target = groupAt(look.sides.writes.words, state.t);
  const made = worth ? [looking, needing, path, prefix, trusting, whole] : [whole];
  return made.map(note => note(at, target)).filter(Boolean);
}

// A large weight whose head is worth nothing.
function looking(at, target) {
  const { look, t } = at, found = looksAt(at, target).filter(x => x.weight > 0.3).sort((a, b) => Math.abs(a.delta) - Math.abs(b.delta))[0];
  if (!found) return null;
  const words = look.sides.source.words;
  return {
    key: "looking", go: { ...go(look, found, target, found.word), at: "head" },
    slots: { written: inProse(look.sides.writes.words[target].text, t), head: headName(t, "cross", found.layer, found.head), weight: fixed(found.weight, 2), word: inProse(words[found.word].text, t), delta: plus(found.delta, 3) },
  };
}

// A word that matters, at which the head that is needed most does not look.
function needing(at, target) {
  const { look, worth, t } = at, best = mostNeeded(worth, "cross", target);
  const block = best && blockOf(look, "cross", best.layer);
  if (!block) return null;
  const row = grouped(look, block, best.head, "words")[target];
  const score = j => (replacedEffect(worth, j, target) ?? 0) * (1 - row[j]);
  const word = row.map((_, j) => j).sort((a, b) => score(b) - score(a))[0], effect = replacedEffect(worth, word, target);
  if (effect === null) return null;
  return {
    key: "needing", go: { ...go(look, best, target, word), at: "head" },
    slots: { written: inProse(look.sides.writes.words[target].text, t), head: headName(t, "cross", best.layer, best.head), delta: plus(best.delta), word: inProse(look.sides.source.words[word].text, t), weight: figures(row[word], 2), effect: fixed(effect, 2) },
  };
}

// The encoder's attention, and with it every path through it, switched off.
function path(at, target) {
  const { look, worth, t } = at, off = stackOff(worth, "encoder");
  if (!off) return null;
  return {
    key: "path", go: { at: "sentence", band: "looks" },
    slots: { written: inProse(look.sides.writes.words[target].text, t), count: off.change.heads.length, delta: plus(off.delta[target]), same: t(off.same ? "note.path.same" : "note.path.other") },
  };
}

// The replacement with the largest gap between what is written anew and what moves while the prefix is kept.
function prefix(at, target) {
  const { look, worth, t } = at, rows = [];
  look.sides.source.words.forEach((word, j) => {
    const all = replacements(worth, j), changed = all.filter(e => !e.same).length, forced = replacedEffect(worth, j, target);
    if (changed && forced !== null) rows.push({ word, j, all: all.length, changed, forced });
  });
  const found = rows.sort((a, b) => b.changed / b.all - a.changed / a.all || a.forced - b.forced)[0];
  if (!found) return null;
  return {
    key: "prefix", go: { what: "replaced", at: "effects" },
    slots: { written: inProse(look.sides.writes.words[target].text, t), word: inProse(found.word.text, t), forced: fixed(found.forced, 2), changed: found.changed, all: found.all },
  };
}

// How the weights of every head agree with what replacing the words does.
function trusting(at) {
  const { look, worth } = at, found = [];
  for (const layer of layersOf(look, "cross")) {
    const block = blockOf(look, "cross", layer);
    for (let head = 0; head < block.heads; head++) found.push(faithfulness(worth, grouped(look, block, head, "words")));
  }
  const known = found.filter(r => r !== null).sort((a, b) => a - b);
  if (!known.length) return null;
  return { key: "trust", go: { order: "trust", at: "finder" }, slots: { low: plus(known[0]), high: plus(known[known.length - 1]), middle: plus(known[known.length >> 1]), count: known.length } };
}

// What the lane carries besides, and what shows in no picture.
function whole(at, target) {
  const { look, state, t } = at, block = blockOf(look, "cross", state.cl), m = look.model, i = state.t;
  if (!block) return null;
  const gates = m.activation === "swiglu" ? 3 : 2, fed = ((m.n_encoder_layers + m.n_decoder_layers) * gates * m.d_model * m.d_ff) / m.parameters;
  const top = Math.max(...Array.from({ length: block.cols }, (_, j) => weightAt(block, state.ch, i, j)));
  return {
    key: "whole", go: { kind: "cross", layer: state.cl, head: state.ch, row: i, open: 1, at: "word" },
    slots: { written: inProse(look.sides.writes.words[target].text, t), lane: fixed(block.lane[i], 1), added: fixed(block.added[state.ch][i], 1), fed: percent(fed), weight: fixed(top, 2), feed: block.fed ? fixed(block.fed[i], 1) : "\u2013" },
  };
}

export function notesView(at) {
  const { t } = at;
  return notesOf(at).map(({ key, slots, go: patch }) =>
    `<li><h3>${t(`note.${key}.title`)}</h3><p>${t(`note.${key}.text`, slots)}</p><button type="button" class="link" id="note-${key}" data-go='${JSON.stringify(patch)}'>${t(`note.${key}.link`)}</button></li>`).join("") +
    (at.worth ? "" : `<li><h3>${t("note.more.title")}</h3><p>${t(at.live ? "note.more.live" : "note.more.text")}</p></li>`);
}
