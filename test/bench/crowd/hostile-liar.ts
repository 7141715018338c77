/** A hostile agent: says that it has everything, and sends wrong bytes. */
import { partsOf } from "../../helpers/swarm-wire.ts";
import { answerTo, createClaims, openOf, runEnemy } from "./enemy.ts";

const LIE = new Uint8Array(64 * 1024).fill(0x6c);

const claim = createClaims();
await runEnemy({
  onFrame(wire, frame) {
    claim(wire, frame);
    if (frame.type !== "request") return;
    const theirs = openOf(wire, frame.group);
    const ours = theirs && answerTo(wire, theirs);
    if (ours === undefined) return;
    for (const index of frame.indices) wire.say(...partsOf(ours.group, index, LIE));
  },
});
