/** A gateway that has enemies: its node holds hostile blocks, and some names lead to them. */
import { createGateway } from "../../gateway/app.ts";
import { createDnsServer } from "./dns-server.ts";
import type { FuzzParts, FuzzRequest } from "./fuzz.ts";
import { createHostileBlocks } from "./hostile-blocks.ts";
import { createLoopbackNode, type LoopbackNode } from "./loopback-node.ts";
import { createMemoryBlocks } from "./memory-blocks.ts";
import { createKeychain, nameOf, signAnything, signRecord } from "./signer.ts";

/** Time for what nobody has, and for a first byte, in milliseconds: nobody is there who could send it. */
const TIMEOUT_MS = 20, PATIENCE_MS = 2_000;

const PROXY = "10.0.0.1";

export interface HostileGateway extends AsyncDisposable {
  app: ReturnType<typeof createGateway>;
  node: LoopbackNode;
  /** What the gateway logged. */
  log: string[];
  /** What a request can ask it for. */
  parts: FuzzParts;
  /** A good request for this is answered by this text. */
  fine: { path: string; text: string };
}

export async function createHostileGateway(): Promise<HostileGateway> {
  await using opened = new AsyncDisposableStack();
  const blocks = createMemoryBlocks();
  const { site, roots, paths, missing } = await createHostileBlocks(blocks);
  const keychain = createKeychain();
  const [ours, theirs] = [await keychain.generateKey("a"), await keychain.generateKey("b")];
  const [key, other] = [nameOf(ours).toString(), nameOf(theirs).toString()];
  const value = `/ipfs/${site}`;
  const names: Record<string, string> = {
    "docs.example.org": value,
    "site-with-dashes.example.org": value,
    "keyed.example.org": `/ipns/${key}`,
    "holed.example.org": `/ipfs/${roots.holed}`,
    "rules.example.org": `/ipfs/${roots["broken rules"]}`,
    "long-rules.example.org": `/ipfs/${roots["long rules"]}`,
    "folder-rules.example.org": `/ipfs/${roots["rules that are a folder"]}`,
    "lost.example.org": `/ipfs/${roots.lost}`,
    "round.example.org": "/ipns/about.example.org",
    "about.example.org": "/ipns/round.example.org/x",
  };
  const dns = opened.use(await createDnsServer({}));
  const node = opened.use(
    await createLoopbackNode({
      listen: [],
      dns: [dns.address],
      names,
      timeout: TIMEOUT_MS,
      memory: 4 * 1024 * 1024,
    }),
  );
  for await (const { cid, bytes } of blocks.store.getAll()) {
    await node.helia.blockstore.put(cid, bytes);
  }
  const record = await signRecord(ours, { value });
  await node.names.put(nameOf(ours), record);
  const log: string[] = [];
  const app = createGateway(node, {
    log: (line) => log.push(line),
    hosts: ["gateway.example"],
    trustProxy: [PROXY],
    patience: PATIENCE_MS,
  });
  const cids = [...Object.values(roots), ...missing];
  const kept = opened.move();
  return {
    app,
    node,
    log,
    fine: { path: `/ipfs/${roots.text}`, text: "text of a file" },
    parts: {
      // Half of what is asked for is the site itself, in its several spellings.
      cids: [
        ...cids.map(String),
        ...Array.from(cids, () => String(site)),
        site.toV0().toString(),
      ],
      keys: [...Array.from({ length: 20 }, () => key), other, node.id],
      names: [...Object.keys(names), "unknown.example.org", "1.2.3.4.example", "*.example"],
      paths,
      gateways: ["localhost:7080", "gateway.example", "gateway.example:7080"],
      records: [
        record as Uint8Array<ArrayBuffer>,
        await signRecord(theirs, { sequence: 2n ** 63n }),
        await signRecord(ours, { lifetime: -1 }),
        await signAnything(ours, { Value: 7, TTL: -1, Validity: undefined }),
        record.slice(0, 40),
        new Uint8Array(11_000),
      ] as Uint8Array<ArrayBuffer>[],
      clients: ["127.0.0.1", "127.0.0.1", "::1", PROXY, "203.0.113.9", "fe80::1%eth0", undefined],
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** The request as a server makes it: its URL is what came, and so is its method. */
export function toRequest({ method, url, headers, body }: FuzzRequest): Request {
  const init = body === undefined ? {} : { method: "PUT", body };
  const request = new Request("http://localhost/", { ...init, headers });
  return Object.defineProperties(request, { url: { value: url }, method: { value: method } });
}
