/** A hostile agent: requests everything from everybody, as urgently as can be, again and again, and gives nothing. */
import type { CID } from "multiformats/cid";
import type { Wire } from "../../helpers/swarm-wire.ts";
import { numberOf, runEnemy } from "./enemy.ts";

/** How often it asks for everything anew, in milliseconds. */
const AGAIN_MS = 100;

const numbers = new Map<string, number>();
const wires = new Set<Wire>();
/** What each peer offers, by the number of the group. */
const offers = new Map<Wire, Map<number, { cid: CID; indices: Set<number> }>>();

function join(wire: Wire, cid: CID): void {
  if (wire.said.some((said) => said.type === "open" && said.cid.equals(cid))) return;
  const group = numberOf(numbers, cid);
  wire.say({ type: "open", group, cid, flags: 1, count: 0, bits: new Uint8Array() });
}

setInterval(() => {
  for (const [wire, groups] of offers) {
    for (const { cid, indices } of groups.values()) {
      if (indices.size === 0) continue;
      const group = numberOf(numbers, cid);
      const all = [...indices].sort((a, b) => a - b);
      wire.say({ type: "cancel", group, indices: all });
      wire.say({ type: "request", group, level: 2, indices: all });
    }
  }
}, AGAIN_MS);

await runEnemy({
  onFrame(wire, frame) {
    wires.add(wire);
    const groups = offers.get(wire) ?? new Map();
    offers.set(wire, groups);
    if (frame.type === "open") {
      const indices = new Set<number>();
      for (let i = 0; i < frame.count; i++) if (frame.bits[i >> 3]! >> (i & 7) & 1) indices.add(i);
      groups.set(frame.group, { cid: frame.cid, indices });
      for (const other of wires) join(other, frame.cid);
    } else if (frame.type === "have") {
      for (const index of frame.indices) groups.get(frame.group)?.indices.add(index);
    } else if (frame.type === "lost") {
      for (const index of frame.indices) groups.get(frame.group)?.indices.delete(index);
    } else if (frame.type === "close") groups.delete(frame.group);
  },
});
