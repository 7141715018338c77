/** The commands: a running node until its person ends it, or a finished errand. */
import { createReadStream } from "node:fs";
import process from "node:process";
import type { Writable } from "node:stream";
import { serve, type Server } from "../gateway/serve.ts";
import type { DirectoryEntry, DocumentEntry, Entry, FileEntry } from "./content/read.ts";
import { NethoodError } from "./errors.ts";
import type { Node, NodeOptions } from "./node.ts";
import type { Command, Settings } from "./options.ts";
import type { Teller } from "./teller.ts";

/** What the program has of its surroundings; the tests give it others. */
export interface Surroundings {
  env: Record<string, string | undefined>;
  stdout: Writable;
  stderr: Writable;
  /** How this program is called, for the help. */
  run: string;
  /** Aborted when the person wants it to end. */
  signal: AbortSignal;
}

/** Names shown of a folder that has no page of its own. */
const SHOWN = 8;

type Run = (settings: Settings, around: Surroundings, teller: Teller) => Promise<void>;

export const COMMANDS: Record<Command, Run> = {
  async node(settings, around, teller) {
    if (settings.argument !== undefined) {
      throw new NethoodError("BAD_OPTION", `"${settings.argument}" is one word too many.`, {
        hint: `Did you mean: ${around.run} get ${settings.argument}`,
      });
    }
    await using node = await start(settings, around, teller);
    await using server = await openGateway(node, settings, teller);
    await run(node, server, around, teller);
  },

  async seed(settings, around, teller) {
    const { argument: dir, name, hidden, chunk } = settings;
    if (dir === undefined || name === undefined) {
      throw new NethoodError("BAD_OPTION", "seed needs a folder and the site's name.", {
        hint: `For example: ${around.run} seed ./site --name docs.example.org`,
      });
    }
    const { createSeeder } = await import("./seeder.ts");
    await using node = await start(settings, around, teller);
    // Opened first: a port in use is better known before an hour of hashing than after it.
    await using server = await openGateway(node, settings, teller);
    const published = await createSeeder(node).publish(dir, {
      name,
      hidden,
      chunk,
      signal: around.signal,
      onProgress: teller.hashing,
    });
    teller.published(published, server.url);
    await run(node, server, around, teller);
  },

  async keep(settings, around, teller) {
    const { argument: address } = settings;
    if (address === undefined) {
      throw new NethoodError("BAD_OPTION", "keep needs an address.", {
        hint: `For example: ${around.run} keep docs.example.org`,
      });
    }
    const { parseAddress } = await import("./content/address.ts");
    const parsed = parseAddress(address);
    await using node = await start(settings, around, teller);
    await using server = await openGateway(node, settings, teller);
    const onProgress = teller.keeping("keep");
    teller.kept(await node.keep(parsed, { signal: around.signal, onProgress }), address);
    await run(node, server, around, teller);
  },

  async get(settings, around, teller) {
    const { argument: text, output } = settings;
    const { signal } = around;
    if (text === undefined) {
      throw new NethoodError("BAD_OPTION", "get needs an address.", {
        hint: `For example: ${around.run} get http://docs.example.org/manual.pdf -o manual.pdf`,
      });
    }
    if (settings.json && output === undefined) {
      throw new NethoodError("BAD_OPTION", "get --json needs a file for the content.", {
        hint: "Name it with -o: the standard output has only JSON lines then.",
      });
    }
    const { parseAddress } = await import("./content/address.ts");
    const { checkFree, pour, save, saveFolder } = await import("./output.ts");
    const address = parseAddress(text);
    await using node = await start(settings, around, teller);
    const { entry } = await node.open(address, { signal, index: output === undefined });
    if (entry.kind === "directory" && output !== undefined) {
      await checkFree(output); // before an hour of fetching rather than after it
      const whole = await node.keep(address, { signal, onProgress: teller.keeping("get") });
      const files = await saveFolder(await localMembers(node, entry, signal), output, { signal });
      return teller.saved(whole, files, output);
    }
    const file = await aFile(entry, text, signal);
    const bytes = file.bytes(undefined, { signal });
    if (output === undefined) return await pour(bytes, around.stdout, { signal });
    await save(teller.receiving(bytes, file.size), output, { signal });
    teller.received(file, output);
  },

  async import(settings, around, teller) {
    const { argument: file } = settings;
    if (file === undefined) {
      throw new NethoodError(
        "BAD_OPTION",
        "import needs a CAR file, or - for the standard input.",
        {
          hint: `For example: ${around.run} import site.car`,
        },
      );
    }
    await using node = await start(settings, around, teller);
    const { signal } = around;
    const chunks = readChunks(file, signal);
    teller.imported(await node.import(chunks, { signal, onProgress: teller.importing }));
  },
};

/** The bytes of a file, or for `-` of the standard input. */
async function* readChunks(file: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    const stream = file === "-" ? process.stdin : createReadStream(file);
    const chunks: AsyncIterator<Uint8Array> = stream[Symbol.asyncIterator]();
    // Not the stream's own signal: it would wait for what a pipe may send in an hour.
    for (;;) {
      const { value, done } = await orAbort(chunks.next(), signal);
      if (done) return;
      yield value;
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw new NethoodError("BAD_CAR", `The file ${file} cannot be read.`, {
      cause,
      hint: "Check its name, and that you may read it.",
    });
  }
}

/** What comes first: the result, or the end of waiting for it. */
async function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([work, stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function start(
  settings: Settings,
  { env, signal }: Surroundings,
  teller: Teller,
): Promise<Node> {
  // Loaded only now: --help must not wait for all of libp2p.
  const { createNode, defaultDir } = await import("./node.ts");
  const { parseNameMap } = await import("./name/static.ts");
  const { listen, peers, dns, mdns, nameMap, upload, download } = settings;
  const options: NodeOptions = {
    dir: settings.dir ?? defaultDir(env),
    mdns,
    log: teller.note,
    signal,
    ...(listen && { listen }),
    ...(peers && { peers }),
    ...(dns && { dns }),
    ...(upload !== undefined && { upload }),
    ...(download !== undefined && { download }),
    ...(nameMap && { names: parseNameMap(nameMap) }),
  };
  return await createNode(options);
}

async function openGateway(node: Node, settings: Settings, teller: Teller): Promise<Server> {
  const { createGateway } = await import("../gateway/app.ts");
  const { port, host: hostname, gatewayHosts: hosts, trustProxy, patience } = settings;
  const options = {
    log: teller.note,
    ...(hosts && { hosts }),
    ...(trustProxy && { trustProxy }),
    ...(patience && { patience }),
  };
  return await serve(createGateway(node, options), {
    ...(port !== undefined && { port }),
    ...(hostname !== undefined && { hostname }),
  });
}

/** A node at the service of its person until they end it. */
async function run(
  node: Node,
  server: Server,
  { signal }: Surroundings,
  teller: Teller,
): Promise<void> {
  signal.throwIfAborted();
  teller.ready(node, server.url);
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  teller.note("Stopping.");
}

/** A folder's parts, all of which are here. */
async function localMembers(node: Node, folder: DirectoryEntry, signal: AbortSignal) {
  const { localOnly } = await import("./content/blocks.ts");
  const { open } = await import("./content/read.ts");
  const { members } = await import("./content/tar.ts");
  const blocks = localOnly(node.blocks);
  return members(blocks, await open(blocks, folder.cid, [], { signal }), { signal });
}

async function aFile(entry: Entry, address: string, signal: AbortSignal): Promise<FileEntry> {
  if (entry.kind === "file") return entry;
  if (entry.kind === "document") return asFile(entry);
  const symlink = entry.kind === "symlink";
  throw new NethoodError(
    "NOT_A_FILE",
    symlink
      ? `${address} is a symbolic link to ${entry.target}.`
      : `${address} is a folder without an index.html.`,
    { hint: symlink ? "Open what it links to." : await namesIn(entry, signal) },
  );
}

/** A document as its bytes. */
function asFile({ block, cid, above, roots }: DocumentEntry): FileEntry {
  const size = block.byteLength;
  const bytes: FileEntry["bytes"] = async function* (range = { start: 0, end: size }) {
    yield block.subarray(range.start, range.end);
  };
  return { kind: "file", cid, above, roots, size, bytes };
}

async function namesIn(folder: DirectoryEntry, signal: AbortSignal): Promise<string> {
  const names: string[] = [];
  for await (const { name } of folder.entries({ signal })) {
    if (names.push(name) > SHOWN) break;
  }
  if (names.length === 0) return "It is empty.";
  const more = names.length > SHOWN ? ", …" : "";
  return `Add the name of a file in it: ${names.slice(0, SHOWN).join(", ")}${more}`;
}
