/** The program: arguments in, a running node or a finished errand out. */
import { rename, rm } from "node:fs/promises";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import type { Writable } from "node:stream";
import { serve } from "../gateway/serve.ts";
import type { AddProgress } from "./content/write.ts";
import { NethoodError } from "./errors.ts";
import type { Node, NodeOptions } from "./node.ts";
import { helpText, parseSettings, type Settings } from "./options.ts";
import { createTeller, type Teller } from "./teller.ts";

export const VERSION = "0.1.0";

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

/** Exit codes: 0 done or stopped as asked, 1 failed, 2 called wrongly, 130 stopped before it was done. */
const FAILED = 1, MISUSED = 2, INTERRUPTED = 130;

/** Runs one command; resolves with the exit code. Nothing it throws is meant for a person: they get a sentence on stderr. */
export async function main(argv: string[], around: Surroundings): Promise<number> {
  let settings: Settings;
  try {
    settings = parseSettings(argv, around.env);
  } catch (error) {
    createTeller(around, false).failure(error);
    return MISUSED;
  }
  if (settings.help) around.stdout.write(helpText(around.run));
  if (settings.version) around.stdout.write(`Nethood ${VERSION}\n`);
  if (settings.help || settings.version) return 0;

  const teller = createTeller(around, settings.json);
  try {
    await COMMANDS[settings.command](settings, around, teller);
    return 0;
  } catch (error) {
    if (around.signal.aborted) {
      teller.note("Stopped before it was done. Nothing is lost: run the same command again.");
      return INTERRUPTED;
    }
    teller.failure(error);
    return error instanceof NethoodError && error.code === "BAD_OPTION" ? MISUSED : FAILED;
  }
}

const COMMANDS = {
  async node(settings: Settings, around: Surroundings, teller: Teller): Promise<void> {
    if (settings.argument !== undefined) {
      throw new NethoodError("BAD_OPTION", `"${settings.argument}" is one word too many.`, {
        hint: `Did you mean: ${around.run} get ${settings.argument}`,
      });
    }
    await using node = await start(settings, around, teller);
    await run(node, settings, around, teller);
  },

  async seed(settings: Settings, around: Surroundings, teller: Teller): Promise<void> {
    const { argument: dir, name } = settings;
    if (dir === undefined || name === undefined) {
      throw new NethoodError("BAD_OPTION", "seed needs a folder and the site's name.", {
        hint: `For example: ${around.run} seed ./site --name docs.example.org`,
      });
    }
    await using node = await start(settings, around, teller);
    const { createSeeder } = await import("./seeder.ts");
    const { signal } = around;
    const onProgress = (progress: AddProgress) => teller.progress(progress);
    const published = await createSeeder(node).publish(dir, {
      name,
      hidden: settings.hidden,
      signal,
      onProgress,
    });
    teller.published(published);
    await run(node, settings, around, teller);
  },

  async get(settings: Settings, around: Surroundings, teller: Teller): Promise<void> {
    const { argument: address, output } = settings;
    if (address === undefined) {
      throw new NethoodError("BAD_OPTION", "get needs an address.", {
        hint: `For example: ${around.run} get http://docs.example.org/manual.pdf -o manual.pdf`,
      });
    }
    await using node = await start(settings, around, teller);
    const { entry } = await node.open(address, { signal: around.signal });
    if (entry.kind !== "file") {
      throw new NethoodError("NOT_A_FILE", `${address} is a ${entry.kind}, not a file.`, {
        hint: "Add the name of a file in it, such as index.html.",
      });
    }
    const bytes = entry.bytes(undefined, { signal: around.signal });
    if (output === undefined) await pour(bytes, around.stdout);
    else await save(bytes, output);
    if (output !== undefined) teller.note(`${entry.size} bytes are in ${output}.`);
  },
};

async function start(
  settings: Settings,
  { env, signal }: Surroundings,
  teller: Teller,
): Promise<Node> {
  // Loaded only now: --help must not wait for all of libp2p.
  const { createNode, defaultDir } = await import("./node.ts");
  const { listen, peers, dns, mdns } = settings;
  const options: NodeOptions = {
    dir: settings.dir ?? defaultDir(env),
    mdns,
    log: teller.note,
    ...(listen && { listen }),
    ...(peers && { peers }),
    ...(dns && { dns }),
  };
  const node = await createNode(options);
  if (!signal.aborted) return node;
  await node.stop();
  throw signal.reason;
}

/** A node at the service of its person until they end it. */
async function run(
  node: Node,
  settings: Settings,
  { signal }: Surroundings,
  teller: Teller,
): Promise<void> {
  const { createGateway } = await import("../gateway/app.ts");
  const { port, host: hostname } = settings;
  await using server = await serve(createGateway(node, { log: teller.note }), {
    ...(port !== undefined && { port }),
    ...(hostname !== undefined && { hostname }),
  });
  teller.ready(node, server.url);
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
  teller.note("Stopping.");
}

async function pour(bytes: AsyncIterable<Uint8Array>, to: Writable): Promise<void> {
  for await (const chunk of bytes) {
    if (!to.write(chunk)) await new Promise((resolve) => to.once("drain", resolve));
  }
}

/** Under its own name only when it is whole. */
async function save(bytes: AsyncIterable<Uint8Array>, file: string): Promise<void> {
  const part = `${file}.part`;
  const to = createWriteStream(part);
  try {
    await pour(bytes, to);
    await finished(to.end());
    await rename(part, file);
  } catch (error) {
    to.destroy();
    await rm(part, { force: true });
    throw error;
  }
}
