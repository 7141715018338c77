/** What all hostile agents have in common: a peer that speaks the swarm's frames by hand to everybody, and comes back when dropped. */
import { multiaddr } from "@multiformats/multiaddr";
import type { CID } from "multiformats/cid";
import type { Frame } from "../../../src/swarm/frame.ts";
import { bitsOf, createWirePeer, type Wire } from "../../helpers/swarm-wire.ts";
import { until } from "../../helpers/until.ts";
import { config, MEET_MS, obey, tell } from "./talk.ts";

/** How often a dropped stream is tried again, in milliseconds. */
const AGAIN_MS = 2_000;
const PORT = 4001;

type Open = Frame & { type: "open" };

/** Hears a frame other than those by which groups become known. */
export type OnFrame = (wire: Wire, frame: Frame) => void;

/** Starts an agent that does harm until it is told to stop. Never returns. */
export async function runEnemy({ onFrame }: { onFrame: OnFrame }): Promise<never> {
  const { address, before, others } = config();
  const victims = before.slice(0, 1 + others); // the seeder and its readers, not others of our kind
  const peer = await createWirePeer({
    listen: `/ip4/${address}/tcp/${PORT}`,
    onFrame,
    onStream: ({ peer }) => console.error(`speaks with ${peer}`),
  });
  tell("ready", { address });

  const dial = async (host: string) => {
    const connection = await peer.libp2p.dial(multiaddr(`/ip4/${host}/tcp/${PORT}`));
    const other = connection.remotePeer.toString();
    if (peer.id > other || peer.wires.some((wire) => wire.peer === other && !wire.over)) return;
    await peer.openStream({ addresses: [`/ip4/${host}/tcp/${PORT}`] });
  };
  // Whoever bans it is not there any more: that is what it has to live with.
  const dialAll = () => Promise.allSettled(victims.map(dial));
  let again: ReturnType<typeof setInterval> | undefined;
  return await obey({
    async meet() {
      await dialAll();
      await until("it speaks with all", () => peer.wires.length >= victims.length, MEET_MS);
      again = setInterval(dialAll, AGAIN_MS);
    },
    go: () => new Promise(() => {}), // it never has what it wants
    async stop() {
      clearInterval(again);
      await peer[Symbol.asyncDispose]();
    },
  });
}

/**
 * Claims to have every block of every group that it hears of.
 *
 * @param asSeeder whether it says so when it opens the group, as who publishes does; or block by block, as a reader
 */
export function createClaims({ asSeeder = false }: { asSeeder?: boolean } = {}): OnFrame {
  const counts = new Map<string, number>();
  const wires = new Set<Wire>();
  const numbers = new Map<string, number>();

  const isOpen = (wire: Wire, cid: CID) =>
    wire.said.some((frame) => frame.type === "open" && frame.cid.equals(cid));

  function open(wire: Wire, cid: CID, count: number): void {
    wire.say({
      type: "open",
      group: numberOf(numbers, cid),
      cid,
      flags: 0,
      count,
      bits: bitsOf(count),
    });
  }

  function claim(wire: Wire, cid: CID): void {
    const count = counts.get(String(cid)) ?? 0;
    if (!isOpen(wire, cid)) return open(wire, cid, count);
    if (count === 0) return;
    const group = numberOf(numbers, cid);
    if (asSeeder) {
      wire.say({ type: "close", group });
      open(wire, cid, count);
    } else {
      const indices = Array.from({ length: count }, (_, index) => index);
      wire.say({ type: "have", group, indices });
    }
  }

  return (wire, frame) => {
    wires.add(wire);
    if (frame.type !== "open") return;
    const { cid, count } = frame;
    const isNew = count > 0 && !counts.has(String(cid));
    if (isNew) counts.set(String(cid), count);
    // Who does not know how many members there are asks the others, as if it read.
    for (const other of isNew || count === 0 ? wires : [wire]) {
      if (isNew || !isOpen(other, cid)) claim(other, cid);
    }
  };
}

/** The number of a group, the same on all streams. */
export function numberOf(numbers: Map<string, number>, cid: CID): number {
  const key = String(cid);
  const number = numbers.get(key) ?? numbers.size;
  numbers.set(key, number);
  return number;
}

/** The peer's own OPEN of the group that it gave that number. */
export function openOf({ heard }: Wire, group: number): Open | undefined {
  return heard.findLast((frame): frame is Open => frame.type === "open" && frame.group === group);
}

/** Our OPEN of the same group. */
export function answerTo({ said }: Wire, { cid }: Open): Open | undefined {
  return said.findLast((frame): frame is Open => frame.type === "open" && frame.cid.equals(cid));
}
