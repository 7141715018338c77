/** Where a node listens, what carries its blocks, who it is, and what is told when it cannot listen. */
import { spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { MemoryBlockstore } from "blockstore-core";
import { MemoryDatastore } from "datastore-core";
import { multiaddr } from "@multiformats/multiaddr";
import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import { sha256 } from "multiformats/hashes/sha2";
import * as assert from "uvu/assert";
import type { NethoodError } from "../../src/errors.ts";
import { startHelia } from "../../src/swarm/helia.ts";
import type { HostSettings, LoadWebRtc } from "../../src/swarm/host.ts";
import { failure } from "../helpers/failure.ts";
import { createFolder } from "../helpers/folder.ts";
import { createLoopbackNode, type LoopbackNode } from "../helpers/loopback-node.ts";
import { takePort } from "../helpers/port.ts";
import { createHost } from "../helpers/process.ts";
import { suite } from "../helpers/suite.ts";

const ALONE = fileURLToPath(new URL("../helpers/alone.ts", import.meta.url));
const BLOCK = new TextEncoder().encode("carried");
const CID_OF_BLOCK = CID.createV1(raw.code, await sha256.digest(BLOCK));

/** Longest wait for the next thing that a lonely node does, in milliseconds. */
const STEP_MS = 20_000;

/** Multiaddrs to listen on, and what a connection's address then looks like. */
const TRANSPORTS: [string, RegExp][] = [
  ["/ip4/127.0.0.1/tcp/0", /\/tcp\/\d+\/p2p\//],
  ["/ip4/127.0.0.1/tcp/0/ws", /\/tcp\/\d+\/ws\/p2p\//],
  ["/ip4/127.0.0.1/udp/0/webrtc-direct", /\/udp\/\d+\/webrtc-direct\/certhash\//],
];

suite("host", (test, left) => {
  for (const [listen, used] of TRANSPORTS) {
    test(`a block is carried over ${listen}`, async () => {
      await using seeder = await createLoopbackNode({ listen: [listen] });
      await using reader = await createLoopbackNode({ listen: [] });
      await seeder.helia.blockstore.put(CID_OF_BLOCK, BLOCK);
      await dial(reader, seeder);
      assert.match(String(reader.helia.libp2p.getConnections()[0]?.remoteAddr), used);
      assert.equal(await reader.blocks.get(CID_OF_BLOCK), BLOCK);
    });
  }

  test("without WebRTC a node starts all the same, and says so once", async () => {
    const { told, addresses } = await start({ mdns: false }, noWebRtc);
    assert.equal(told, [
      "WebRTC does not work here, browsers have to use WebSockets: no native module",
    ]);
    assert.ok(addresses.some((address) => address.includes("/ws/")));
    assert.not(addresses.some((address) => address.includes("/webrtc-direct")));
    const error = await failure(
      start({ mdns: false, listen: ["/ip4/127.0.0.1/udp/0/webrtc-direct"] }, noWebRtc),
    );
    assert.is(error.code, "BAD_OPTION");
  });

  test("where WebRTC loads but cannot listen, the rest does", async () => {
    const { addresses } = await start({ mdns: false }, mutedWebRtc);
    assert.ok(addresses.some((address) => /\/tcp\/\d+\/p2p/.test(address)));
  });

  test("an address in use is PORT_IN_USE, and named", async () => {
    await using taken = await takePort();
    const udpTaker = createSocket("udp4");
    await new Promise<void>((resolve) => udpTaker.bind(0, "127.0.0.1", resolve));
    const tcp = `/ip4/127.0.0.1/tcp/${taken.port}`;
    const udp = `/ip4/127.0.0.1/udp/${udpTaker.address().port}`;
    try {
      for (const listen of [tcp, `${tcp}/ws`, `${udp}/webrtc-direct`]) {
        const error = await refused(listen);
        assert.is(error.code, "PORT_IN_USE");
        assert.is(error.message, `${listen} is in use by another program.`);
      }
    } finally {
      udpTaker.close();
    }
  });

  test("an address that nothing can listen on is BAD_OPTION, and named", async () => {
    for (
      const wrong of [
        "rubbish",
        "/ip4/127.0.0.1/tcp/port",
        "/ip4/127.0.0.1",
        "/ip4/127.0.0.1/udp/0/quic-v1", // of a transport that is not here
        "/ip4/203.0.113.1/tcp/0", // of another machine: 203.0.113.0/24 is for documentation
        "/ip6/2001:db8::1/tcp/0", // the same in IPv6
      ]
    ) {
      const error = await refused(wrong);
      assert.is(error.code, "BAD_OPTION", wrong);
      assert.ok(error.message.includes(wrong), error.message);
      assert.match(error.hint!, "/ip4/0.0.0.0/tcp/4001");
    }
  });

  test("a node is the same peer at every start from one folder", async () => {
    await using dir = await createFolder();
    const ids: string[] = [];
    for (let i = 0; i < 2; i++) {
      await using node = await createLoopbackNode({ dir: dir.path });
      ids.push(node.id);
    }
    await using other = await createLoopbackNode();
    assert.is(ids[0], ids[1]);
    assert.is.not(other.id, ids[0]);
  });

  const places: [string, string][] = [
    ["with no interface at all", ":"],
    ["with loopback alone", "ip link set lo up"],
    [
      "without IPv6",
      "for which in all default; do echo 1 >/proc/sys/net/ipv6/conf/$which/disable_ipv6; done && ip link set lo up",
    ],
  ];
  const missing = spawnSync("unshare", ["-n", "true"]).status === 0
    ? undefined
    : "network namespaces need Linux and root";
  for (const [place, prepare] of places) {
    const title = `${place} a node starts, serves what it has, and stops`;
    if (missing !== undefined) left(title, missing);
    else test(title, () => lonelyStory(prepare));
  }
});

/**
 * Dials until there is an answer: on a machine with several interfaces, libdatachannel may have a dial go out through two of
 * them, which meet as strangers at the listener.
 */
async function dial(reader: LoopbackNode, { addresses }: LoopbackNode): Promise<void> {
  const address = multiaddr(addresses[0]!);
  for (let left = 9;; left--) {
    try {
      return void await reader.helia.libp2p.dial(address, { signal: AbortSignal.timeout(1_500) });
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

/** Runs {@link ALONE} in a network namespace of its own. */
async function lonelyStory(prepare: string): Promise<void> {
  await using dir = await createFolder();
  const host = createHost("alone", "", [
    "unshare",
    "-n",
    "sh",
    "-c",
    `${prepare} && exec "$@"`,
    "sh",
  ]);
  const runtime = process.versions.deno ? ["run", "-A", "--cached-only"] : [];
  await using child = host.spawn(process.execPath, [...runtime, ALONE, dir.path]);
  const said = (event: string) => child.events.until(event, { ms: STEP_MS });
  const addresses = (await said("ready")).addresses as string[];
  const on = (start: RegExp) => addresses.some((address) => start.test(address));
  assert.is(on(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\//), prepare.includes("lo up"), "TCP");
  assert.is(on(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/ws\//), prepare.includes("lo up"), "WebSockets");
  assert.is(on(/^\/ip6\//), prepare === "ip link set lo up", "IPv6");
  assert.is((await said("opened")).size, 11);
  assert.is((await said("missing")).code, "NO_PROVIDERS");
  await said("stopped");
  assert.equal(await child.exit, { code: 0, signal: null });
}

const noWebRtc: LoadWebRtc = () => Promise.reject(new Error("no native module\nat some path"));

/** WebRTC on a machine that lets nobody listen on UDP. */
const mutedWebRtc: LoadWebRtc = async () => {
  const { webRTCDirect } = await import("@libp2p/webrtc");
  return {
    webRTCDirect: (init) => (components) => {
      const transport = webRTCDirect(init)(components);
      const createListener = transport.createListener.bind(transport);
      const listen = () => Promise.reject(new Error("UDP is blocked"));
      transport.createListener = (options) => Object.assign(createListener(options), { listen });
      return transport;
    },
  };
};

/** Starts a host and ends it again; where it listened and what it told. */
async function start(settings: HostSettings, load?: LoadWebRtc) {
  const stores = { blockstore: new MemoryBlockstore(), datastore: new MemoryDatastore() };
  const told: string[] = [];
  const { helia } = await startHelia(stores, settings, (line) => told.push(line), load);
  const addresses = helia.libp2p.getMultiaddrs().map(String);
  await helia.stop();
  return { told, addresses };
}

/** What is told of an address to listen on that fails, beside one that does not. */
function refused(address: string): Promise<NethoodError> {
  return failure(start({ mdns: false, listen: ["/ip4/127.0.0.1/tcp/0", address] }));
}
