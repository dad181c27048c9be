// What the page computes, in bulk: a line of its data in, a line of its own numbers out (weights, z and, where W_O
// travelled, what each block adds, as base64 of float64), by the modules of the page themselves.
import { createInterface } from "node:readline";
import { blockSum, retrace } from "../../src/regard/looking/page/js/arithmetic.js";
import { openLook } from "../../src/regard/looking/page/js/look.js";

const base64 = values => Buffer.from(Float64Array.from(values).buffer).toString("base64");

function recomputed(block) {
  const weights = new Float64Array(block.heads * block.rows * block.cols), context = new Float64Array(block.heads * block.rows * block.dv);
  for (let head = 0; head < block.heads; head++) for (let i = 0; i < block.rows; i++) {
    const row = retrace(block, head, i), place = head * block.rows + i;
    weights.set(row.lanes.map(lane => lane.weight), place * block.cols);
    context.set(row.z, place * block.dv);
  }
  const added = block.w_o && Array.from({ length: block.rows }, (_, i) => blockSum(block, i).total).flat();
  return { type: block.type, weights: base64(weights), context: base64(context), added: added && base64(added) };
}

for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(openLook(JSON.parse(line).looks[0]).blocks.map(recomputed)));
