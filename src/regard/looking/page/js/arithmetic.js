// The arithmetic of attention for one row of one head, again, in float64, from q, k and v alone (section 3.2):
// q_i . k_j   / sqrt(d_k)   + mask   e^x   / their sum   a_ij v_j   their sum z_i   z_i W_O
export function retrace(block, head, i) {
  const q = vector(block.q, head, i, block.rows, block.dk), root = Math.sqrt(block.dk), lanes = [];
  for (let j = 0; j < block.cols; j++) {
    const k = vector(block.k, head, j, block.cols, block.dk), v = vector(block.v, head, j, block.cols, block.dv);
    const products = q.map((x, d) => x * k[d]), score = sumOf(products), masked = block.causal && j > i;
    lanes.push({ j, k, v, products, score, scaled: score / root, masked, logit: masked ? -Infinity : score / root });
  }
  const top = Math.max(...lanes.map(l => l.logit)), z = new Array(block.dv).fill(0);
  for (const lane of lanes) lane.exp = Math.exp(lane.logit - top);
  const sum = lanes.reduce((s, l) => s + l.exp, 0);
  for (const lane of lanes) {
    lane.weight = lane.exp / sum;
    lane.share = lane.v.map(x => x * lane.weight);
    lane.share.forEach((x, d) => (z[d] += x));
    lane.running = z.slice();
  }
  return { q, lanes, z, sum, top, root };
}

function vector(values, head, i, length, width) {
  return Array.from(values.subarray((head * length + i) * width, (head * length + i + 1) * width));
}

export function sumOf(values) {
  return values.reduce((s, x) => s + x, 0);
}

// One head's z through its rows of W_O: what it adds to the lane of its word, d_model numbers.
export function through(block, head, z) {
  const d = block.b_o.length, added = new Array(d).fill(0);
  for (let r = 0; r < block.dv; r++) {
    const start = (head * block.dv + r) * d;
    for (let m = 0; m < d; m++) added[m] += z[r] * block.w_o[start + m];
  }
  return added;
}

// All heads of the block and b_O: what is added to the lane in the end.
export function blockSum(block, i) {
  const heads = Array.from({ length: block.heads }, (_, h) => through(block, h, retrace(block, h, i).z));
  return { heads, total: heads.reduce((sum, h) => sum.map((x, m) => x + h[m]), Array.from(block.b_o)) };
}

// The largest differences from the model's own numbers: of the row's weights, of z, and of what the block adds.
export function differences(block, head, i, row) {
  const weights = (head * block.rows + i) * block.cols, z = (head * block.rows + i) * block.dv;
  const own = block.peaks ? null : largestGap(row.lanes.map(l => l.weight), block.weights, weights);
  const found = { weights: own, peak: null, z: null, sum: null };
  if (block.peaks) found.peak = Math.abs(Math.max(...row.lanes.map(l => l.weight)) - block.peaks[head * block.rows + i]);
  if (block.context) found.z = largestGap(row.z, block.context, z);
  if (block.sum) found.sum = largestGap(blockSum(block, i).total, block.sum, i * block.b_o.length);
  return found;
}

function largestGap(values, own, start) {
  return values.reduce((m, x, d) => Math.max(m, Math.abs(x - own[start + d])), 0);
}

// How far off the numbers may be: float32 sums of the model, or the rounding of q, k and v to float16 on their way here.
export function tolerance(block) {
  return block.type === "f2" ? 2e-2 : 1e-5;
}

export function longest(vectors) {
  return Math.max(...vectors.flatMap(v => v.map(Math.abs)), 1e-9);
}

// A row of the table for others: spreadsheet, paper, program.
export function asCsv(row, names) {
  const lines = row.lanes.map(l => [`"${names[l.j].replace(/"/g, '""')}"`, l.score, l.scaled, l.masked ? "-inf" : 0, l.exp, l.weight].join(","));
  return ["key,q.k,scaled,mask,exp,weight", ...lines].join("\n");
}

export function asLatex(row, names) {
  const safe = text => text.replace(/[\\{}$&#_%^~]/g, c => (c === "\\" ? "\\textbackslash{}" : c === "^" || c === "~" ? `\\${c}{}` : `\\${c}`)).replace(/[<>]/g, "$$$&$$");
  const lines = row.lanes.map(l => `${safe(names[l.j])} & ${l.score.toFixed(3)} & ${l.scaled.toFixed(3)} & ${l.weight.toFixed(4)} \\\\`);
  return `\\begin{tabular}{lrrr}\nkey & $q\\cdot k$ & $/\\sqrt{d_k}$ & $a$ \\\\\\hline\n${lines.join("\n")}\n\\end{tabular}`;
}

export function asPython(row, names) {
  const list = x => `[${x.map(v => v.toPrecision(9)).join(", ")}]`;
  const table = name => row.lanes.map(l => list(l[name])).join(",\n              ");
  const shut = row.lanes.filter(l => l.masked).map(l => l.j);
  return [
    "import numpy as np", `keys = ${JSON.stringify(names)}`, `q = np.array(${list(row.q)})`, `k = np.array([${table("k")}])`,
    `v = np.array([${table("v")}])`, "s = k @ q / np.sqrt(len(q))", ...(shut.length ? [`s[${JSON.stringify(shut)}] = -np.inf`] : []),
    "a = np.exp(s - s.max()); a /= a.sum()", "z = a @ v", "",
  ].join("\n");
}
