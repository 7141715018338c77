/** Who is near: named peers, peers met before, and peers that the local network tells of. */
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Libp2p } from "@libp2p/interface";
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr";
import * as assert from "uvu/assert";
import { NethoodError } from "../../src/errors.ts";
import { createNode } from "../../src/node.ts";
import { createNeighbours, talking } from "../../src/routing/neighbours.ts";
import { createBareHost } from "../helpers/bare-host.ts";
import { createFolder } from "../helpers/folder.ts";
import { createLab, labAvailable } from "../helpers/lab.ts";
import { createLoopbackNode, type LoopbackNode } from "../helpers/loopback-node.ts";
import { type Child, type Host, localhost } from "../helpers/process.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Longest time for neighbours to find each other: the newcomer asks at once, and is answered. */
const MEET_MS = 5_000;
const WEEK_MS = 7 * 24 * 3_600_000;

suite("neighbours", (test, left) => {
  test("a named peer is reached when it comes, and again after it restarts", async () => {
    await using home = await createHome();
    const start = () => createLoopbackNode({ dir: home.dir, listen: [home.address] });
    const { id } = await stopped(await start());
    await using reader = await createLoopbackNode({ peers: [`${home.address}/p2p/${id}`] });
    const present = () => reader.peers.includes(id);

    await pause(1_700); // some attempts
    assert.is(reader.told.length, 1, reader.told.join("\n"));
    assert.match(reader.told[0]!, `${home.address}/p2p/${id} did not answer: `);
    for (let run = 0; run < 2; run++) {
      await using _peer = await start();
      await until(`it is reached, run ${run}`, present);
    }
    await until("it is gone", () => !present());
  });

  test("an address alone names whoever is there, and is dialled once", async () => {
    await using home = await createHome();
    await using peer = await createLoopbackNode({ listen: [home.address] });
    let dialled = 0;
    peer.helia.libp2p.addEventListener("connection:open", () => dialled++);
    await using reader = await createLoopbackNode({ peers: [home.address] });
    await until("it is reached", () => reader.peers.includes(peer.id));
    await pause(1_700);
    assert.is(dialled, 1);
  });

  test("who is connected and has nothing to say takes no neighbour's place", async () => {
    await using reader = await createLoopbackNode();
    const { libp2p } = reader.helia;
    const bare = await createBareHost();
    try {
      await libp2p.dial(bare.getMultiaddrs());
      await until("the greetings to be over", () => talking(libp2p) === 0);
      assert.is(libp2p.getPeers().length, 1);
      await using neighbour = await createLoopbackNode();
      await reader.meet(neighbour);
      await until("the neighbour to talk", () => talking(libp2p) === 1);
    } finally {
      await bare.stop();
    }
  });

  test("a malformed peer address is BAD_OPTION at once", async () => {
    const noPort = "/ip4/192.168.1.5";
    for (const peer of ["rubbish", "192.168.1.5:4001", "/ip4/300.0.0.1/tcp/4001", "/tcp", noPort]) {
      await using home = await createHome();
      try {
        await using _node = await createNode({ dir: home.dir, peers: [peer], mdns: false });
      } catch (error) {
        assert.instance(error, NethoodError);
        assert.is((error as NethoodError).code, "BAD_OPTION");
        assert.is((error as NethoodError).message, `"${peer}" is not a peer's address.`);
        continue;
      }
      assert.unreachable(`${peer} was taken`);
    }
  });

  test("peers met before are dialled after a restart, a week later too", async () => {
    await using home = await createHome();
    await using peer = await createLoopbackNode({ listen: [home.address] });
    const first = await createLoopbackNode({ dir: home.dir });
    await first.meet(peer);
    await until("its address is known", async () => {
      const { addresses } = await first.helia.libp2p.peerStore.get(
        first.helia.libp2p.getPeers()[0]!,
      );
      return addresses.length > 0;
    });
    await first.stop();
    using _later = later(WEEK_MS);
    await using second = await createLoopbackNode({ dir: home.dir });
    await until("they have met again", () => second.peers.includes(peer.id));
    assert.equal(second.told, []);
  });

  test("a node can be stopped while it meets somebody", async () => {
    await using peer = await createLoopbackNode();
    for (const ms of [0, 5, 20, 50]) {
      await using node = await createLoopbackNode({ peers: [peer.addresses[0]!] });
      await pause(ms);
      await node.stop();
      assert.equal(node.told, []);
    }
    await pause(200); // what was still on its way would end the process
  });

  test("who is on the way is waited for; where nobody is, nobody is", async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const other = await createBareHost();
    const lan = Object.assign(new EventTarget(), { early: () => [] });
    type Known = { peers?: Multiaddr[]; met?: boolean; mdns?: EventTarget };
    const cases: [what: string, known: Known, found: boolean, ms: number][] = [
      ["nobody", {}, false, 0],
      ["one who is there", { peers: other.getMultiaddrs() }, true, 0],
      ["one who was met before", { met: true }, true, 0],
      ["one who is not", { peers: [multiaddr("/ip4/127.0.0.1/tcp/1")] }, false, 0],
      ["one who says nothing", { peers: [multiaddr(`/ip4/127.0.0.1/tcp/${port}`)] }, false, 1_000],
      ["a local network without answer", { mdns: lan }, false, 300],
      ["an answer of the local network", { mdns: lan }, true, 100],
    ];
    try {
      for (const [what, { peers = [], met, mdns }, found, ms] of cases) {
        const host = await createBareHost();
        Object.assign(host.services, { mdns });
        if (met) {
          await host.peerStore.merge(other.peerId, {
            multiaddrs: other.getMultiaddrs(),
            tags: { "nethood-neighbour": { value: 1 } },
          });
        }
        const neighbours = createNeighbours(host, { peers });
        const started = Date.now();
        if (mdns && found) {
          const multiaddrs = other.getMultiaddrs().map((address) => address.decapsulate("/p2p"));
          const detail = { id: other.peerId, multiaddrs };
          setTimeout(() => mdns.dispatchEvent(new CustomEvent("peer", { detail })), ms);
        }
        assert.is(await neighbours.some(1_000, { expected: true }), found, what);
        const took = Date.now() - started;
        assert.ok(took >= ms - 5 && took < ms + 500, `${what}: ${took} ms`);
        neighbours.stop();
        await host.stop();
      }
    } finally {
      silent.close();
      await other.stop();
    }
  });

  test("a list of known peers that fails is told, and ends nothing", async () => {
    const broken = () => Promise.reject(new Error("the disk is gone"));
    const libp2p = Object.assign(new EventTarget(), {
      services: {},
      peerStore: { all: broken, merge: broken },
      getPeers: () => [],
    });
    const told: string[] = [];
    const neighbours = createNeighbours(libp2p as unknown as Libp2p, {
      log: (line) => told.push(line),
    });
    libp2p.dispatchEvent(new CustomEvent("peer:connect", { detail: "somebody" }));
    await pause(50);
    assert.equal(told, Array(2).fill("The list of known peers failed: the disk is gone"));
    neighbours.stop();
    assert.not(await neighbours.some(60_000));
  });

  const title = "nodes of one network find each other, again after both were away";
  const missing = labAvailable();
  if (missing !== undefined) left(title, missing);
  else {
    test(title, async () => {
      await using lab = await createLab({ hosts: ["a", "b"] });
      await using homes = await createFolder();
      const { a, b } = lab.hosts;
      if (process.versions.deno) {
        await localhost.run(process.execPath, ["cache", "node.ts"], { cwd: ROOT });
      }
      // The second time they know each other, and each has another port than it had.
      for (let run = 0; run < 2; run++) {
        await using first = startNode(a, join(homes.path, "a"));
        const { id } = await first.events.until("ready");
        await using second = startNode(b, join(homes.path, "b"));
        await second.events.until("ready");
        await second.events.until("peer:connect", { where: { id }, ms: MEET_MS });
      }
    });
  }
});

/** A folder for a node, and an address of loopback that nobody listens on. */
async function createHome(): Promise<
  AsyncDisposable & { readonly dir: string; readonly address: string }
> {
  const folder = await createFolder();
  const { address } = await stopped(await createLoopbackNode());
  return {
    dir: folder.path,
    address,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** Who a node was, and where it listened. */
async function stopped(node: LoopbackNode): Promise<{ id: string; address: string }> {
  const { id } = node;
  const address = node.addresses[0]!.split("/p2p/")[0]!;
  await node.stop();
  return { id, address };
}

function startNode(host: Host, dir: string): Child {
  const program = process.versions.deno ? ["run", "-P", "--cached-only"] : [];
  const words = ["node.ts", "--dir", dir, "--dns", "127.0.0.1:9", "--json"];
  return host.spawn(process.execPath, [...program, ...words], { cwd: ROOT });
}

/** Moves the clock ahead until it leaves scope. */
function later(ms: number): Disposable {
  const { now } = Date;
  Date.now = () => now() + ms;
  return { [Symbol.dispose]: () => void (Date.now = now) };
}
