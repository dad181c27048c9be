// Colour scales, read from the style sheet, so that light and dark have one source.
function rgb(hex) {
  return [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
}

function between(a, b, t) {
  return a.map((x, i) => Math.round(x + (b[i] - x) * t));
}

const css = c => `rgb(${c.join(" ")})`;

function light(c) {
  const [r, g, b] = c.map(x => (x / 255 <= 0.04045 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a, b) {
  const [dark, bright] = [light(a), light(b)].sort((x, y) => x - y);
  return (bright + 0.05) / (dark + 0.05);
}

export function scales(read) {
  const stops = Array.from({ length: 9 }, (_, i) => rgb(read(`--ramp-${i}`)));
  const [zero, more, less, ink, over] = ["--zero", "--more", "--less", "--ink", "--over"].map(name => rgb(read(name)));
  const at = x => {
    const t = Math.min(1, Math.max(0, x)) * 8, i = Math.min(7, Math.floor(t));
    return between(stops[i], stops[i + 1], t - i);
  };
  const mixed = x => between(zero, x > 0 ? more : less, Math.min(1, Math.abs(x)));
  const table = Array.from({ length: 256 }, (_, i) => at(i / 255));
  return {
    ink: css(ink),
    table, // the ramp in 256 steps, for pictures
    weight: x => css(at(x)),
    difference: x => css(mixed(x)),
    // a colour of the signs, paler where neither ink nor paper could be read on it, and which of the two can
    readable(x) {
      for (let share = x; ; share *= 0.93) {
        const background = mixed(share), best = [ink, over].sort((a, b) => contrast(b, background) - contrast(a, background))[0];
        if (contrast(best, background) >= 4.6 || Math.abs(share) < 0.05) return { background: css(background), ink: css(best) };
      }
    },
  };
}
