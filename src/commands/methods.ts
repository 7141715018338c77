/** What commands ask of a node: of the one that runs on their folder, else of one that they start. */
import { Buffer } from "node:buffer";
import type { Method } from "../control.ts";
import { NethoodError } from "../errors.ts";
import { siteOf } from "../follower.ts";
import { exportPem, exportWords, importKey, listKeys, rotateKey } from "../keys.ts";
import type { Node } from "../node.ts";
import { createSeeder } from "../seeder.ts";
import { countOf } from "../site/diff.ts";
import { createSites, type LoggedVersion } from "../site/sites.ts";

type NodeMethod = (node: Node, ...rest: Parameters<Method>) => ReturnType<Method>;

const METHODS: Record<string, NodeMethod> = {
  async "site.log"(node, params, { signal, tell }) {
    const limit = whole(params, "limit");
    let last: number | undefined;
    for await (const version of createSites(node).log(text(params, "name"), { limit, signal })) {
      if (!version.beside) last = version.number;
      tell("site:version", plain(version));
    }
    return { older: (last ?? 1) - 1 };
  },

  async "site.diff"(node, params, { signal, tell }) {
    const [from, to] = [whole(params, "from"), whole(params, "to")];
    const changes = createSites(node).diff(text(params, "name"), from, to, { signal });
    const counts = countOf();
    for await (const change of changes) {
      counts[change.kind]++;
      const { from, to } = { from: undefined, to: undefined, ...change };
      tell("site:change", { ...change, from: from && String(from), to: to && String(to) });
    }
    return counts;
  },

  async "site.rollback"(node, params, { signal }) {
    const release = await createSeeder(node).rollback(
      text(params, "name"),
      whole(params, "number"),
      {
        ...params.note === undefined ? {} : { note: text(params, "note") },
        ...params.lifetime === undefined ? {} : { lifetime: whole(params, "lifetime") },
        ...params.ttl === undefined ? {} : { ttl: whole(params, "ttl") },
        signal,
      },
    );
    const { cid, site, key, version, unchanged, changes } = release;
    return {
      site,
      name: key,
      cid: String(cid),
      version: version.number,
      versionCid: String(version.cid),
      unchanged,
      changes,
    };
  },

  async "follow.start"({ follower }, params) {
    const keep = params.keep === undefined ? undefined : whole(params, "keep");
    return await follower.follow(text(params, "name"), { keep });
  },

  async "follow.stop"({ follower }, params) {
    const site = siteOf(text(params, "name"));
    return { site, followed: await follower.unfollow(site) };
  },

  "follow.list": ({ follower }) => follower.list(),

  "key.list": (node, _, { signal }) => listKeys(node, { signal }),

  "key.pem": async (node, params, { signal }) =>
    await exportPem(node, { name: text(params, "name"), ...passphraseIn(params), signal }),

  "key.words": async (node, params, { signal }) =>
    await exportWords(node, { name: text(params, "name"), signal }),

  "key.import": async (node, params, { signal }) =>
    await importKey(node, {
      name: text(params, "name"),
      file: Buffer.from(text(params, "file"), "base64"),
      ...passphraseIn(params),
      signal,
    }),

  "key.rotate": async (node, params, { signal }) =>
    await rotateKey(node, { name: text(params, "name"), signal }),
};

/** The methods of one node. */
export function methodsOf(node: Node): Record<string, Method> {
  return Object.fromEntries(
    Object.entries(METHODS).map(([name, method]) => [name, (...args) => method(node, ...args)]),
  );
}

/** A version as JSON has it. */
function plain({ number, cid, version, size, fork, beside }: LoggedVersion): object {
  const { time, note, root } = version ?? {};
  return {
    number,
    cid: root && String(root),
    versionCid: String(cid),
    time,
    size,
    note,
    fork,
    beside,
  };
}

/** That of a key's file. */
function passphraseIn(params: Record<string, unknown>): { passphrase?: string } {
  return params.passphrase === undefined ? {} : { passphrase: text(params, "passphrase") };
}

function text(params: Record<string, unknown>, name: string): string {
  const value = params[name];
  if (typeof value === "string") return value;
  throw missing(name);
}

function whole(params: Record<string, unknown>, name: string): number {
  const value = params[name];
  if (Number.isSafeInteger(value)) return value as number;
  throw missing(name);
}

function missing(name: string): NethoodError {
  return new NethoodError("BAD_OPTION", `The request says no "${name}".`, {
    hint: "It comes from another version of this program: restart the node.",
  });
}
