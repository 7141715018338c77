/**
 * `seed` again after one file changed, against the first `seed` of the whole: both by a node that was just started, in one run.
 * Run: deno task bench:reseed
 */
import { appendFileSync, cpSync, existsSync, readFileSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { createNode, createSeeder } from "../../mod.ts";
import { createFolder } from "../helpers/folder.ts";
import { size } from "../../src/size.ts";
import { median, print, type Row, say, seconds, time } from "./table.ts";

const SITE = "/usr/share/doc/python3.11/html";
const RUNS = 5;

/** One that many link to lies at the top, one among three hundred others in a folder below. */
const PAGES = ["index.html", "library/functions.html"];

/** After this no file counts as too new to be known again. */
const OLD_MS = 2_500;

interface Seeded {
  ms: number;
  read: { files: number; bytes: number };
  /** Bytes of blocks that came to the disk, and all that the process wrote. */
  blocks: number;
  written: number;
}

async function measureReseed(): Promise<Row[]> {
  if (!existsSync(SITE)) {
    say(`left out: there is no ${SITE} (Debian package python3.11-doc)`);
    return [];
  }
  await using folder = await createFolder();
  const site = join(folder.path, "site");
  cpSync(SITE, site, { recursive: true, dereference: true });
  await sleep(OLD_MS);
  const first: Seeded[] = [], same: Seeded[] = [];
  const second = PAGES.map(() => [] as Seeded[]);
  for (let run = 0; run < RUNS; run++) {
    const dir = join(folder.path, `node-${run}`);
    first.push(await seed(site, dir));
    same.push(await seed(site, dir));
    for (const [i, page] of PAGES.entries()) {
      appendFileSync(join(site, page), `<!-- ${run} -->`);
      second[i]!.push(await seed(site, dir));
      await sleep(OLD_MS);
      await seed(site, dir); // what was too new is known from now on
    }
    await rm(dir, { recursive: true });
    say(`run ${run + 1} of ${RUNS}: ${seconds(first.at(-1)!.ms)}`);
  }
  const ms = (all: Seeded[]) => median(all.map(({ ms }) => ms));
  return [
    ...PAGES.map((page, i) => [`after ${page} changed`, second[i]!] as const),
    [
      "after nothing changed",
      same,
    ] as const,
  ].map(([what, all]) => ({
    what: `\`seed\` again ${what} ÷ the first \`seed\` (1,065 files, 67 MB)`,
    result: `**${(ms(all) / ms(first)).toFixed(3)}**`,
    figures: `${seconds(ms(all))} ÷ ${seconds(ms(first))}; ${told(all.at(-1)!)}, at first ${
      told(first.at(-1)!)
    }`,
  }));
}

function told({ read, blocks, written }: Seeded): string {
  return `${size(read.bytes)} read, ${size(blocks)} of blocks and ${size(written)} in all written`;
}

async function seed(site: string, dir: string): Promise<Seeded> {
  await using node = await createNode({ dir, listen: [], mdns: false });
  const before = await blockBytes(dir);
  const written = processWrites();
  let read = { files: 0, bytes: 0 };
  const ms = await time(async () => {
    ({ read } = await createSeeder(node).publish(site, { name: "docs.example.org" }));
  });
  const all = processWrites() - written;
  return { ms, read, blocks: await blockBytes(dir) - before, written: all };
}

async function blockBytes(dir: string): Promise<number> {
  let bytes = 0;
  const entries = await readdir(join(dir, "blocks"), { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

/** What this process has handed to the system to be written so far, in bytes; Linux alone tells. */
function processWrites(): number {
  if (process.platform !== "linux") return NaN;
  return Number(/^wchar: (\d+)/m.exec(readFileSync("/proc/self/io", "utf8"))![1]);
}

print(await measureReseed());
process.exit();
