/** A peer of the swarm that gives what it is asked for, or something like it. */
import type { Frame } from "../../src/swarm/frame.ts";
import type { FileBlocks } from "./blocks-of-file.ts";
import { partsOf, type Wire, type WireSettings } from "./swarm-wire.ts";

/** Gives what it is asked for: the members of a file, in the order in which the files were opened. */
export function giver(
  files: Pick<FileBlocks, "members">[],
  { change = (bytes) => bytes, gave = () => {} }: {
    change?: (bytes: Uint8Array) => Uint8Array;
    gave?: (index: number) => void;
  } = {},
): NonNullable<WireSettings["onFrame"]> {
  const given = new Map<Wire, Set<string>>();
  return (wire: Wire, frame: Frame) => {
    if (frame.type !== "request") return;
    const before = given.get(wire) ?? new Set();
    given.set(wire, before);
    // The node's number of a group says in which order it answered; ours are those of the files.
    const named = wire.heard.find((open) => open.type === "open" && open.group === frame.group);
    const { cid } = named as Frame & { type: "open" };
    const file = files.findIndex(({ members }) => members[0]!.cid.equals(cid));
    const group = wire.said.findLast((open) => open.type === "open" && open.cid.equals(cid)) as
      & Frame
      & { type: "open" };
    for (const index of frame.indices) {
      const which = `${cid} ${index}`;
      if (before.has(which)) continue; // it is asked for with another level
      before.add(which);
      gave(index);
      wire.say(...partsOf(group.group, index, change(files[file]!.members[index]!.bytes.slice())));
    }
  };
}
