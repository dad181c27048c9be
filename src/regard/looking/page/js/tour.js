// A guided tour: steps are data (texts/tour.json): where to go, what to point at; their words are in the language files.
import { groupAt, rowsOf } from "./look.js";
import { escape, inProse, plain } from "./wording.js";
import { fixed } from "./number.js";
import { weightAt } from "./look.js";

// What the words of a step may speak of: the chosen word, the model's sizes, the largest weight.
function slotsOf(at) {
  const { look, block, state, t } = at, rows = rowsOf(look, block.kind, "words"), m = look.model;
  return {
    word: inProse(rows[groupAt(rows, state.row)].text, t), written: inProse(look.sides.writes.words[groupAt(look.sides.writes.words, state.t)].text, t),
    key: inProse(look.sides[block.kind === "decoder" ? "reads" : "source"].words[groupAt(look.sides[block.kind === "decoder" ? "reads" : "source"].words, state.col)].text, t),
    weight: fixed(weightAt(block, state.head, state.row, state.col), 2), d_model: m.d_model, d_k: block.dk, d_v: block.dv, root: fixed(Math.sqrt(block.dk), 2),
    heads: block.heads, layers: m.n_encoder_layers, below: m.n_decoder_layers, keys: block.cols, layer: state.layer + 1, head: state.head + 1,
    pieces: look.source.pieces.length, translation: escape(look.translation), source: escape(look.text), end: plain("</s>", t),
  };
}

export function tourView(at, steps) {
  const { state, t } = at, step = steps[state.tour];
  if (!step) return "";
  const slots = slotsOf(at), first = state.tour === 0, last = state.tour === steps.length - 1;
  const button = (to, key, off) => `<button type="button" id="tour-${key}" data-tour-to="${to}" ${off ? "disabled" : ""}>${t(`tour.${key}`)}</button>`;
  return `<p class="count">${t("tour.count", { step: state.tour + 1, of: steps.length })}</p><h3 tabindex="-1" id="tour-title">${t(`tour.${step.name}.title`, slots)}</h3><p>${t(`tour.${step.name}.text`, slots)}</p>` +
    `<p class="steps">${button(state.tour - 1, "back", first)}${last ? button(-1, "done", false) : button(state.tour + 1, "next", false)}${last ? "" : button(-1, "stop", false)}</p>`;
}
