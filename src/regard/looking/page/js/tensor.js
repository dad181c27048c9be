// Tensors as they travel: base64 of little-endian float32 or float16, read as float64.
const HALF = new Float64Array(65536);
let filled = false;

// A float16 has 1 bit of sign, 5 of exponent, 10 of fraction: all 65,536 of them, once.
function halves() {
  if (filled) return HALF;
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
    if (exponent === 0) HALF[bits] = sign * fraction * 2 ** -24;
    else if (exponent === 31) HALF[bits] = fraction ? NaN : sign * Infinity;
    else HALF[bits] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  filled = true;
  return HALF;
}

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

export function numbers(text, type) {
  const bytes = bytesOf(text), view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type === "f2") {
    const table = halves(), found = new Float64Array(bytes.length / 2);
    for (let i = 0; i < found.length; i++) found[i] = table[view.getUint16(2 * i, true)];
    return found;
  }
  const found = new Float64Array(bytes.length / 4);
  for (let i = 0; i < found.length; i++) found[i] = view.getFloat32(4 * i, true);
  return found;
}
