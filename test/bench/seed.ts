/** `seed` against plain SHA-256 of the same bytes, and against Kubo's `ipfs add`, each into an empty store. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { createNode, createSeeder } from "../../mod.ts";
import { createFolder } from "../helpers/folder.ts";
import { createKubo, kuboAvailable } from "../helpers/kubo.ts";
import { median, ratio, type Row, say, seconds, time } from "./table.ts";

const SITE = "/usr/share/doc/python3.11/html";
const BIG_MIB = 512;
const RUNS = 3;

export async function measureSeed(): Promise<Row[]> {
  await using folder = await createFolder();
  const dir = folder.path;
  const big = join(dir, "big");
  await makeBig(big);
  const rows: Row[] = [];
  if (existsSync(SITE)) rows.push(...await compare("a real site, 1,065 files, 67 MB", SITE, dir));
  else say(`left out: there is no ${SITE} (Debian package python3.11-doc)`);
  return [...rows, ...await compare(`one file of ${BIG_MIB} MiB`, big, dir)];
}

async function compare(what: string, site: string, dir: string): Promise<Row[]> {
  const times = { sha: [] as number[], ours: [] as number[], kubo: [] as number[] };
  const missing = kuboAvailable();
  for (let run = 0; run < RUNS; run++) {
    times.sha.push(await time(() => hashAll(site)));
    const ours = await oursAdds(site, join(dir, "ours"));
    times.ours.push(ours.ms);
    if (missing === undefined) {
      const kubo = await kuboAdds(site, join(dir, "kubo"));
      if (kubo.cid !== ours.cid) throw new Error(`${ours.cid} here, ${kubo.cid} by Kubo`);
      times.kubo.push(kubo.ms);
    }
    say(`${what}, ${run + 1} of ${RUNS}: ${seconds(ours.ms)}`);
  }
  const [sha, ours, kubo] = [median(times.sha), median(times.ours), median(times.kubo)];
  const rows: Row[] = [{
    what: `\`seed\` of ${what} ÷ SHA-256 of the same bytes`,
    result: `**${ratio(ours, sha)}**`,
    figures: `${seconds(ours)} ÷ ${seconds(sha)}`,
  }];
  if (missing === undefined) {
    rows.push({
      what: `the same ÷ Kubo 0.43 \`ipfs add\``,
      result: `**${ratio(ours, kubo)}**`,
      figures: `${seconds(ours)} ÷ ${seconds(kubo)}`,
    });
  } else say(`Kubo is left out: ${missing}`);
  return rows;
}

async function oursAdds(site: string, dir: string): Promise<{ ms: number; cid: string }> {
  try {
    await using node = await createNode({ dir, listen: [], mdns: false });
    let cid = "";
    const ms = await time(async () => {
      const published = await createSeeder(node).publish(site, { name: "docs.example.org" });
      cid = published.cid.toString();
    });
    return { ms, cid };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function kuboAdds(site: string, dir: string): Promise<{ ms: number; cid: string }> {
  try {
    await using kubo = await createKubo({ dir, profile: "unixfs-v1-2025", offline: true });
    let cid = "";
    const words = [
      "add",
      "--recursive",
      "--dereference-symlinks",
      "--quieter",
      "--progress=false",
      site,
    ];
    const ms = await time(async () => cid = (await kubo.ipfs(words)).trim());
    return { ms, cid };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The least that anybody who names content by its hash has to do: read every byte and hash it. */
async function hashAll(site: string): Promise<void> {
  const entries = await readdir(site, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const hash = createHash("sha256");
    const file = join(entry.parentPath, entry.name);
    for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
      hash.update(chunk);
    }
    hash.digest();
  }
}

/** A folder with one file whose every chunk is another. */
async function makeBig(dir: string): Promise<void> {
  await mkdir(dir);
  await using file = await open(join(dir, "big.bin"), "w");
  const chunk = new Uint8Array(1024 * 1024);
  for (let part = 0; part < chunk.length; part += 65_536) {
    crypto.getRandomValues(chunk.subarray(part, part + 65_536));
  }
  for (let n = 0; n < BIG_MIB; n++) {
    new DataView(chunk.buffer).setUint32(0, n);
    await file.write(chunk);
  }
}
