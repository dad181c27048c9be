// Sentences about weights and what they are worth: a weight never gets a sentence of its own.
import { inProse } from "./wording.js";
import { fixed, plus } from "./number.js";
import { edits, headOff } from "./worth.js";

export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function headName(t, kind, layer, head) {
  return t("head.name", { kind: t(`kind.${kind}`), layer: layer + 1, head: head + 1 });
}

// Where a row looks, largest first: "the full stop, and almost nothing else: 1.00".
export function whereTo(t, row, names) {
  const order = row.map((_, j) => j).sort((a, b) => row[b] - row[a]);
  const word = n => inProse(names[order[n]], t), number = n => `<span class="n">${fixed(row[order[n]], 2)}</span>`;
  if (row.length === 1 || row[order[0]] > 0.9) return t("look.one", { word: word(0), weight: number(0) });
  if (row[order[0]] > 0.35 || row.length === 2) return t("look.two", { word: word(0), weight: number(0), other: word(1), less: number(1) });
  return t("look.many", { words: [0, 1, 2].map(n => `${word(n)} ${number(n)}`).join(", ") });
}

// What became of a translation, as words that gave way to others.
export function changedWords(t, before, after, most = 3) {
  const found = edits(before, after), shown = found.slice(0, most).map(({ from, to }) => {
    if (!from) return t("edit.more", { to: inProse(to, t) });
    return to ? t("edit.instead", { from: inProse(from, t), to: inProse(to, t) }) : t("edit.gone", { from: inProse(from, t) });
  });
  return shown.join(", ") + (found.length > most ? ", \u2026" : "");
}

// Does it matter? The answer for one head and one written word (its number), or null where nothing was measured.
export function headMatters(t, look, worth, place, target) {
  const off = headOff(worth, place.kind, place.layer, place.head);
  if (!off) return null;
  const word = inProse(look.sides.writes.words[target].text, t), delta = off.delta[target];
  const moved = t("matter.moved", { word, delta: `<strong>${plus(delta)}</strong>` });
  if (!off.same) return t("matter.changed", { changes: changedWords(t, look.translation, off.translation), moved });
  return t(Math.abs(delta) > 0.1 ? "matter.some" : "matter.hardly", { moved });
}

export function unmeasured(t, live) {
  return `<span class="unmeasured">${t(live ? "matter.measuring" : "matter.unmeasured")}</span>`;
}
