// Pictures on canvases: a pixel a weight, then drawn to size. It is given the canvases, and finds nothing by itself.
import { blockOf } from "./look.js";
import { finderRow, headPixels } from "./finder.js";

const drawn = new WeakMap(); // of each block, its heads in the colours they were last drawn in

function picture(block, head, table) {
  const kept = drawn.get(block) ?? drawn.set(block, { table, heads: [] }).get(block);
  if (kept.table !== table) Object.assign(kept, { table, heads: [] });
  return (kept.heads[head] ??= pictureOf(block, head, table));
}

function pictureOf(block, head, table) {
  const canvas = Object.assign(document.createElement("canvas"), { width: block.cols, height: block.rows });
  canvas.getContext("2d").putImageData(new ImageData(headPixels(block, head, table), block.cols, block.rows), 0, 0);
  return canvas;
}

// The small pictures of one kind; a mark stands at the row that the captions speak of.
export function paintThumbs(canvas, places, at, kind, ratio) {
  const context = canvas.getContext("2d"), row = finderRow(at, kind);
  canvas.width = canvas.clientWidth * ratio;
  canvas.height = canvas.clientHeight * ratio;
  for (const { x, y, size, layer, head } of places) {
    const block = blockOf(at.look, kind, layer), cell = (size * ratio) / block.rows;
    context.imageSmoothingEnabled = cell < 2;
    context.imageSmoothingQuality = "high";
    context.drawImage(picture(block, head, at.colours.table), Math.round(x * ratio), Math.round(y * ratio), Math.round(size * ratio), Math.round(size * ratio));
    context.fillStyle = at.colours.ink;
    context.fillRect(Math.round((x - 7) * ratio), Math.round(y * ratio + row * cell), Math.round(4 * ratio), Math.max(2 * ratio, Math.floor(cell) - 1));
  }
}

// A large matrix: too many cells to be elements of their own.
export function paintSheet(canvas, { values, shut }, colours, ratio) {
  const context = canvas.getContext("2d"), height = values.length, width = values[0].length;
  const image = new ImageData(width, height);
  values.forEach((row, i) => row.forEach((a, j) => {
    if (shut[i][j]) return;
    const colour = colours.table[Math.min(255, Math.max(0, Math.round(a * 255)))];
    image.data.set([...colour, 255], 4 * (i * width + j));
  }));
  const small = Object.assign(document.createElement("canvas"), { width, height });
  small.getContext("2d").putImageData(image, 0, 0);
  canvas.width = canvas.clientWidth * ratio;
  canvas.height = canvas.clientHeight * ratio;
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
}

// Where the small pictures lie within their grid.
export function placesIn(grid) {
  const box = grid.getBoundingClientRect();
  return [...grid.querySelectorAll(".thumb")].map(el => {
    const r = el.getBoundingClientRect(), [layer, head] = el.dataset.place.split(" ").map(Number);
    return { x: r.left - box.left, y: r.top - box.top, size: r.width, layer, head };
  });
}

// The bars of both lines, and which word keys reach first.
export function paintLines(source, target, p) {
  for (const [line, list] of [[source, p.source], [target, p.target]]) {
    const here = Math.max(0, list.findIndex(w => w.on || w.asked));
    [...line.children].forEach((el, i) => {
      const w = list[i] ?? { w: 0 };
      el.style.setProperty("--w", w.w.toFixed(4));
      el.querySelector("em").textContent = w.text ?? "";
      for (const name of ["seen", "on", "asked"]) el.classList.toggle(name, Boolean(w[name]));
      el.setAttribute("aria-pressed", Boolean(w.on ?? w.asked));
      el.tabIndex = i === here ? 0 : -1;
    });
  }
}
