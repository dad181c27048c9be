// S2. One head as a matrix: rows look, columns are looked at. Up to LARGEST cells each is an element that can be reached
// by keys and read aloud; above, the cells are one canvas, and keys move a mark over it.
import { colsOf, grouped, groupAt, isMasked, rowsOf } from "./look.js";
import { escape, isMark, plain, svgLabel } from "./wording.js";
import { fixed } from "./number.js";

const LARGEST = 1764;

export function matrixOf(at) {
  const { look, state, block } = at, rows = rowsOf(look, block.kind, state.unit, state.sem), cols = colsOf(look, block.kind, state.unit);
  const values = grouped(look, block, state.head, state.unit, state.sem);
  const away = cols.map(c => state.marks === "hidden" && isMark(c.text)); // hidden, and their mass told instead
  const shut = rows.map(r => cols.map((c, j) => away[j] || isMasked(block, r, c)));
  const mass = state.marks === "hidden" ? values.map(row => row.reduce((s, a, j) => s + (away[j] ? a : 0), 0)) : null;
  return { rows, cols, values, shut, mass, row: rowPlace(rows, at), col: groupAt(cols, state.col) };
}

// The row that is chosen. Called by what is read, row i is where piece i was read, whatever was written there.
function rowPlace(rows, at) {
  return groupAt(rows, at.state.row);
}

export function matrixSize(m, width) {
  const narrow = width < 520, left = narrow ? 78 : m.cols.length > 40 ? 112 : 134, top = narrow ? 68 : 92;
  const cell = Math.max(2.2, Math.min(34, Math.floor(((width - left - (narrow ? 4 : 36)) / m.cols.length) * 10) / 10));
  return { left, top, cell, narrow, width: Math.ceil(left + m.cols.length * cell + (narrow ? 4 : 34)), height: Math.ceil(top + m.rows.length * cell + 2), sheet: m.rows.length * m.cols.length > LARGEST };
}

export function drawMatrix(at, m, width) {
  const size = matrixSize(m, width), { left, top, cell } = size, { t, state, look, block } = at;
  const out = [...columnNames(at, m, size), ...rowNames(at, m, size)];
  if (block.kind !== "encoder" && !size.narrow && cell >= 15) {
    out.push(`<text class="head" x="${left - 84}" y="${top - 10}" text-anchor="end">${t(state.sem === "reads" ? "rows.writes" : "rows.reads")}</text>`);
    out.push(`<text class="head strong" x="${left - 10}" y="${top - 10}" text-anchor="end">${t(`rows.${state.sem}`)}</text>`);
  }
  if (m.mass && !size.narrow) {
    out.push(`<text class="head" x="${left + m.cols.length * cell + 4}" y="${top - 10}">${t("matrix.mass")}</text>`);
    m.mass.forEach((a, i) => cell >= 11 && out.push(`<text class="num soft" x="${left + m.cols.length * cell + 6}" y="${top + (i + 0.5) * cell + 4}">${fixed(a, 2)}</text>`));
  }
  if (!size.sheet) m.rows.forEach((r, i) => out.push(`<g role="row">${m.cols.map((c, j) => cellOf(at, m, size, i, j)).join("")}</g>`));
  out.push(`<rect id="row-mark" class="row-mark" x="${left - 1}" y="${top + m.row * cell - 1}" width="${m.cols.length * cell + 1}" height="${cell + 1}"/>`);
  out.push(`<rect id="cell-mark" class="cell-mark" x="${left + m.col * cell - 1}" y="${top + m.row * cell - 1}" width="${cell + 1}" height="${cell + 1}"/>`);
  const role = size.sheet ? `role="img" aria-label="${escape(t("matrix.sheet"))}"` : `role="grid" aria-label="${escape(t("matrix.alt"))}"`;
  const svg = `<svg class="matrix" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" ${role}>${out.join("")}</svg>`;
  if (!size.sheet) return svg;
  return `<div class="sheet" id="sheet" tabindex="0" role="application" aria-label="${escape(t("matrix.sheet"))}" style="width:${size.width}px;height:${size.height}px"><canvas id="sheet-canvas" aria-hidden="true" style="left:${left}px;top:${top}px;width:${m.cols.length * cell}px;height:${m.rows.length * cell}px"></canvas>${svg}</div>`;
}

function cellOf(at, m, { left, top, cell }, i, j) {
  const value = m.values[i][j], x = left + j * cell, y = top + i * cell, t = at.t;
  if (m.shut[i][j]) return `<circle class="masked" cx="${x + cell / 2}" cy="${y + cell / 2}" r="1"/>`;
  const here = i === m.row && j === m.col, inside = cell >= 21 && value >= 0.1;
  return `<rect class="cell" id="c-${i}-${j}" data-cell="${i} ${j}" x="${x}" y="${y}" width="${cell - 1}" height="${cell - 1}" fill="${at.colours.weight(value)}" tabindex="${here ? 0 : -1}" role="gridcell" aria-label="${escape(t("matrix.cell", { row: plain(m.rows[i].text, t), col: plain(m.cols[j].text, t), weight: fixed(value, 2) }))}"/>` +
    (inside ? `<text class="in${value > 0.52 ? " over" : ""}" x="${x + (cell - 1) / 2}" y="${y + cell / 2 + 3.5}" text-anchor="middle" aria-hidden="true">${value > 0.995 ? "1" : fixed(value, 2).slice(1)}</text>` : "");
}

const fontFor = cell => (cell >= 19 ? 0 : Math.max(8, Math.round(cell * 0.86)));

function columnNames(at, m, { left, top, cell }) {
  const font = fontFor(cell);
  return m.cols.map((c, j) => {
    if (cell < 9 && j !== m.col) return `<text class="col quiet" data-col="${j}" transform="translate(${left + (j + 0.5) * cell + 3} ${top - 6}) rotate(-52)">${svgLabel(c.text, at.t, 12)}</text>`;
    return `<text class="col${j === m.col ? " on" : ""}${isMark(c.text) ? " is-mark" : ""}" data-col="${j}"${font ? ` style="font-size:${font}px"` : ""} transform="translate(${left + (j + 0.5) * cell + 3} ${top - 7}) rotate(-52)">${svgLabel(c.text, at.t, 12)}</text>`;
  });
}

function rowNames(at, m, { left, top, cell, narrow }) {
  const { look, state, block } = at, font = fontFor(cell), both = block.kind !== "encoder" && !narrow && cell >= 15;
  const otherSide = look.sides[state.sem === "reads" ? "writes" : "reads"].pieces;
  return m.rows.flatMap((r, i) => {
    const y = top + (i + 0.5) * cell, quiet = cell < 9 && i !== m.row, at0 = state.sem === "reads" ? r.stop - 1 : r.start;
    const other = both ? `<text class="other${i === m.row ? " on" : ""}" data-row="${i}" x="${left - 84}" y="${y + 4}" text-anchor="end">${svgLabel(wordAround(look, state, at0, otherSide), at.t, 8)}</text>` : "";
    return [other, `<text class="row${i === m.row ? " on" : ""}${quiet ? " quiet" : ""}" data-row="${i}"${font ? ` style="font-size:${font}px"` : ""} x="${left - 9}" y="${y + (font ? font / 3 : 5)}" text-anchor="end">${svgLabel(r.text, at.t, both ? 9 : narrow ? 9 : 14)}</text>`];
  });
}

// The word on the other side of a row: read there where the row is called by what it writes, and the other way round.
function wordAround(look, state, piece, pieces) {
  if (state.unit === "pieces") return pieces[piece].text;
  const side = look.sides[state.sem === "reads" ? "writes" : "reads"].words;
  return side[groupAt(side, piece)].text;
}

// The same as two columns with lines, up to 25 words.
export const LINES = 25;

export function drawLines(at, m, width) {
  const { t, state, block } = at, pitch = 29, x1 = Math.min(150, width * 0.3), x2 = width - x1, y = i => 36 + (i + 0.5) * pitch, most = width < 520 ? 8 : 18, out = [];
  const path = (i, j) => `M${x1} ${y(i)}C${(x1 + x2) / 2} ${y(i)} ${(x1 + x2) / 2} ${y(j)} ${x2} ${y(j)}`;
  m.values.forEach((row, i) => i !== m.row && row.forEach((w, j) => {
    if (w > 0.08) out.push(`<path class="faint" d="${path(i, j)}" stroke-width="${(w * 2.4).toFixed(2)}"/>`);
  }));
  m.values[m.row].forEach((w, j) => {
    if (w > 0.005) out.push(`<path class="thread" d="${path(m.row, j)}" stroke-width="${Math.max(0.6, w * 14).toFixed(2)}"/>`);
  });
  m.rows.forEach((r, i) => out.push(`<g class="target${i === m.row ? " on" : ""}" data-line="${i}"><rect class="catch" x="0" y="${y(i) - pitch / 2}" width="${x1 + 60}" height="${pitch}"/><text class="word${i === m.row ? " on" : ""}" x="${x1 - 12}" y="${y(i) + 5}" text-anchor="end">${svgLabel(r.text, t, most)}</text></g>`));
  m.cols.forEach((c, j) => {
    const w = m.values[m.row][j];
    out.push(`<text class="word${w > 0.06 ? " lit" : ""}" x="${x2 + 12}" y="${y(j) + 5}">${svgLabel(c.text, t, most)}</text>` + (w > 0.01 ? `<text class="num" x="${width}" y="${y(j) + 4}" text-anchor="end">${fixed(w, 2)}</text>` : ""));
  });
  const height = 36 + Math.max(m.rows.length, m.cols.length) * pitch, name = block.kind === "encoder" ? t("rows.word") : t(`rows.${state.sem}`);
  out.push(`<text class="head" x="${x1 - 12}" y="14" text-anchor="end">${name}</text><text class="head" x="${x2 + 12}" y="14">${t("rows.looked")}</text>`);
  return `<svg class="lanes" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(t("lines.alt"))}">${out.join("")}</svg>`;
}

// The whole head as a table, for those who do not see the picture, and to be copied.
export function matrixTable(at, m) {
  const name = w => escape(plain(w.text, at.t));
  const body = m.rows.map((r, i) => `<tr><th scope="row">${name(r)}</th>${m.cols.map((c, j) => `<td>${m.shut[i][j] ? "\u2013" : fixed(m.values[i][j], 3)}</td>`).join("")}</tr>`).join("");
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escape(at.t("matrix.table"))}"><table class="plain-table" id="matrix-table"><caption class="live">${at.t("matrix.table")}</caption><thead><tr><td></td>${m.cols.map(c => `<th scope="col">${name(c)}</th>`).join("")}</tr></thead><tbody>${body}</tbody></table></div>`;
}
