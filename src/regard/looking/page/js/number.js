// Numbers as the page prints them: a real minus, no e-notation, so many figures and no more.
const MINUS = "\u2212", RAISED = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";

function withSign(text, x) {
  return (x < 0 ? MINUS : "") + text;
}

// So many digits behind the point. -0.0004 at three digits is 0.000: a minus before nothing would be noise.
export function fixed(x, digits = 3) {
  if (Number.isNaN(x)) return "?";
  if (!Number.isFinite(x)) return withSign("\u221e", x);
  const text = Math.abs(x).toFixed(digits);
  return withSign(text, Number(text) === 0 ? 0 : x);
}

// The same, and a plus before what is above zero.
export function plus(x, digits = 2) {
  const text = fixed(x, digits);
  return x > 0 && Number(text) !== 0 ? `+${text}` : text;
}

// So many significant figures; very small and very large numbers as a power of ten.
export function figures(x, n = 4) {
  if (!Number.isFinite(x)) return fixed(x);
  const size = Number(Math.abs(x).toPrecision(n));
  if (size === 0) return "0";
  if (size >= 1e-3 && size < 1e5) return withSign(size.toFixed(Math.max(0, n - 1 - Math.floor(Math.log10(size)))), x);
  const [mantissa, power] = size.toExponential(1).split("e");
  const raised = power.replace("+", "").replace("-", "\u207b").replace(/\d/g, d => RAISED[d]);
  return withSign(`${mantissa}\u00b710${raised}`, x);
}

// A share as percent.
export function percent(x) {
  return fixed(x * 100, 0);
}
