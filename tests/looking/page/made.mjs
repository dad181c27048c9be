// A look made by hand: two words of the source (the second of two pieces), two written; one head of each kind, widths 2 and 3.
const base64 = values => Buffer.from(Float32Array.from(values.flat(9)).buffer).toString("base64");

export const SOURCE = { pieces: ["\u2581a", "\u2581b", "c"], words: [["a", 0, 1], ["bc", 1, 3]] };
const WRITES = { pieces: ["\u2581x", "</s>"], words: [["x", 0, 1], ["</s>", 1, 2]] };
const READS = { pieces: ["<s>", "\u2581x"], words: [["<s>", 0, 1], ["x", 1, 2]] };

// q . k is [1, 3, 5] for row 0 and zero for row 1; v are unit vectors, so that z is the weights themselves.
export function block(kind, layer, rows, cols, changes = {}) {
  const q = Array.from({ length: rows }, (_, i) => (i ? [0, 0] : [1, 2])), k = [[1, 0], [1, 1], [1, 2]].slice(0, cols), v = [[1, 0, 0], [0, 1, 0], [0, 0, 1]].slice(0, cols);
  const weights = q.map((row, i) => softmax(k.map((key, j) => (kind === "decoder" && j > i ? -Infinity : (row[0] * key[0] + row[1] * key[1]) / Math.SQRT2))));
  const z = weights.map(row => [0, 1, 2].map(d => row[d] ?? 0)), wo = [[1, 0], [0, 2], [3, 0]], bo = [10, 20];
  const sum = z.map(r => bo.map((b, m) => b + r.reduce((s, x, d) => s + x * wo[d][m], 0)));
  return {
    kind, layer, shape: [1, rows, cols, 2, 3], type: "f4", q: base64(q), k: base64(k), v: base64(v), weights: base64(weights), context: base64(z),
    w_o: base64(wo), b_o: base64(bo), sum: base64(sum), lane: q.map(() => 7), after: q.map(() => 9), added: [q.map(() => 1)], carried: [[1, 2, 3].slice(0, cols)], fed: q.map(() => 5), ...changes,
  };
}

function softmax(scores) {
  const powers = scores.map(Math.exp), sum = powers.reduce((s, x) => s + x, 0);
  return powers.map(x => x / sum);
}

export function rawLook(changes = {}) {
  return {
    model: { name: "made", direction: null, n_encoder_layers: 2, n_decoder_layers: 1, n_heads: 1, d_model: 2, d_ff: 4, d_k: 2, d_v: 3, norm: "pre", activation: "relu", parameters: 1000, source_vocabulary: 7, target_vocabulary: 7 },
    text: "a bc", translation: "x", forced: false, source: SOURCE, reads: READS, writes: WRITES, log_probs: [-0.5, -0.25], alternatives: [[["\u2581x", 0.6], ["\u2581y", 0.3]], [["</s>", 0.8]]], beam: [],
    embedded: { encoder: null, decoder: null }, blocks: [block("encoder", 0, 3, 3), block("encoder", 1, 3, 3), block("decoder", 0, 2, 2), block("cross", 0, 2, 3)], worth: null, attribution: null, change: null, delta: null, ...changes,
  };
}

const effect = (change, delta, translation = "x") => ({ change, translation, same: translation === "x", delta });
const head = (kind, layer) => ({ what: "heads", how: "off", heads: [[kind, layer, 0]] });

export const WORTH = {
  stacks: [effect({ what: "heads", how: "off", heads: [["encoder", 0, 0], ["encoder", 1, 0]] }, [-0.1, 0])],
  heads: [effect(head("encoder", 0), [-0.2, 0]), effect(head("encoder", 1), [-0.9, 0]), effect(head("decoder", 0), [-0.3, 0]), effect(head("cross", 0), [-2, -4], "y")],
  left_out: [effect({ what: "text", how: "dropped", words: [0], by: "", text: "bc" }, [-1, 0]), effect({ what: "text", how: "dropped", words: [1], by: "", text: "a" }, [-3, 0], "y")],
  replaced: [effect({ what: "text", how: "replaced", words: [1], by: "d", text: "a d" }, [-3, 0], "y"), effect({ what: "text", how: "replaced", words: [1], by: "e", text: "a e" }, [1, 0])],
};
