// What a key means, as a change of what is shown; null where it means nothing here.
import { blockOf, layersOf } from "./look.js";

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

// [ and ]: the head before and after; { and }: the layer; both go round.
export function headKey(key, look, state) {
  const block = blockOf(look, state.kind, state.layer), layers = layersOf(look, state.kind), place = layers.indexOf(state.layer);
  if (key === "[" || key === "]") return { head: (state.head + (key === "]" ? 1 : -1) + block.heads) % block.heads };
  if (key === "{" || key === "}") return { layer: layers[(place + (key === "}" ? 1 : -1) + layers.length) % layers.length] };
  return null;
}

// In a matrix: the cell that an arrow leads to, Home and End within the row; what is shut is not gone to.
export function cellKey(key, m, i, j) {
  const move = MOVES[key], ends = { Home: m.shut[i].indexOf(false), End: m.shut[i].lastIndexOf(false) };
  if (!move && !(ends[key] >= 0)) return null;
  const to = move ? { i: i + move[0], j: j + move[1] } : { i, j: ends[key] };
  return m.values[to.i]?.[to.j] === undefined || m.shut[to.i][to.j] ? null : to;
}

// Among buttons in a row: the next one, whichever way the line is read.
export function rovingKey(key, place, count) {
  if (key === "ArrowRight" || key === "ArrowDown") return Math.min(count - 1, place + 1);
  if (key === "ArrowLeft" || key === "ArrowUp") return Math.max(0, place - 1);
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : null;
}

// In a matrix that is one picture: the cell at this share of its width and height.
export function cellUnder(m, x, y) {
  const place = (share, n) => Math.min(n - 1, Math.max(0, Math.floor(share * n)));
  return { i: place(y, m.rows.length), j: place(x, m.cols.length) };
}
