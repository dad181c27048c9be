// Colour scales, read from the style sheet, so that light and dark have one source.
function rgb(hex) {
  return [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
}

function between(a, b, t) {
  return a.map((x, i) => Math.round(x + (b[i] - x) * t));
}

const css = c => `rgb(${c.join(" ")})`;

export function scales(read) {
  const stops = Array.from({ length: 9 }, (_, i) => rgb(read(`--ramp-${i}`)));
  const [zero, more, less, ink] = ["--zero", "--more", "--less", "--ink"].map(name => rgb(read(name)));
  const at = x => {
    const t = Math.min(1, Math.max(0, x)) * 8, i = Math.min(7, Math.floor(t));
    return between(stops[i], stops[i + 1], t - i);
  };
  const table = Array.from({ length: 256 }, (_, i) => at(i / 255));
  return {
    ink: css(ink),
    table, // the ramp in 256 steps, for pictures
    weight: x => css(at(x)),
    difference: x => css(between(zero, x > 0 ? more : less, Math.min(1, Math.abs(x)))),
  };
}
