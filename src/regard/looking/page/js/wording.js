// What the page says: strings from a data file, with slots; and how the model's own words are shown.
const SAFE = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export function escape(text) {
  return String(text).replace(/[&<>"']/g, c => SAFE[c]);
}

// A speaker of one language: t("lanes.folded", { count: 7 }). What stands in the slots is put in as it is.
// A string that a language lacks is taken from `spare`; a key that nobody knows is shown, so that it is seen.
export function speaker(strings, spare = {}) {
  return (key, slots = {}) => (strings[key] ?? spare[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => slots[name] ?? all);
}

const MARKS = { "<s>": "mark.start", "</s>": "mark.end", "<unk>": "mark.unknown", "<pad>": "mark.padding" };

// What kind of thing a word is: a mark of the model's own (start, end, a tag), a full stop, or a word that is read.
function markOf(word, t) {
  if (word in MARKS) return t(MARKS[word]);
  const tag = /^<2([^<>]{1,12})>$/.exec(word);
  return tag ? t("mark.tag", { name: tag[1] }) : null;
}

export function isMark(word) {
  return word in MARKS || /^<2[^<>]{1,12}>$/.test(word);
}

export function plain(word, t) {
  return markOf(word, t) ?? (word === "." ? t("mark.stop") : word);
}

// Inside HTML. Our own names for marks are set in sans, the model's words in serif.
export function label(word, t) {
  const mark = markOf(word, t);
  if (mark) return `<span class="mark">${escape(mark)}</span>`;
  return `<bdi>${escape(word)}</bdi>` + (word === "." ? `<span class="mark"> ${t("mark.dot")}</span>` : "");
}

// Inside SVG.
export function svgLabel(word, t, most = 18) {
  const mark = markOf(word, t);
  if (mark) return `<tspan class="mark">${escape(mark)}</tspan>`;
  const short = shortened(word, most);
  return escape(short) + (word === "." ? `<tspan class="mark" dx="3">${t("mark.dot")}</tspan>` : "");
}

// In the middle of a sentence.
export function inProse(word, t) {
  const mark = markOf(word, t);
  if (mark) return `<b class="w">${escape(t("prose.mark", { mark }))}</b>`;
  return `<b class="w"><bdi>${word === "." ? t("prose.stop") : escape(word)}</bdi></b>`;
}

export function shortened(word, most) {
  const letters = Array.from(word);
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}\u2026` : word;
}

// Words as a line: no space behind an apostrophe, none before a stop.
export function asLine(words) {
  return words.reduce((line, word) => line + (line && !/['\u2019]$/.test(line) && !/^[.,!?;:)\u2026]/.test(word) ? " " : "") + word, "");
}
