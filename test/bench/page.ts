/** A page of a real site from the neighbour over a line of 10 ms each way; the same file from a web server there beside it. */
import { existsSync } from "node:fs";
import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createFolder } from "../helpers/folder.ts";
import { createLab, labAvailable, type LabHost } from "../helpers/lab.ts";
import { localhost } from "../helpers/process.ts";
import { median, ratio, type Row, say, seconds } from "./table.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SITE = "/usr/share/doc/python3.11/html";
const DELAY_MS = 10;
const PAGES = 15;
const WEB_PORT = 8000;
/** Pages of the size people read. */
const MIN_BYTES = 20_000, MAX_BYTES = 400_000;

const WEB = `
  import { createReadStream } from "node:fs";
  import { createServer } from "node:http";
  createServer((request, response) => createReadStream(${
  JSON.stringify(SITE)
} + request.url).pipe(response))
    .listen(${WEB_PORT}, () => console.log('{"event":"ready"}'));
`;

export async function measurePage(): Promise<Row[]> {
  const missing = labAvailable({ delay: true }) ??
    (existsSync(SITE) ? undefined : `there is no ${SITE} (Debian package python3.11-doc)`);
  if (missing !== undefined) {
    say(`left out: a page from the neighbour (${missing})`);
    return [];
  }
  await using folder = await createFolder();
  const dir = folder.path;
  await using lab = await createLab({ hosts: ["a", "b"], delayMs: DELAY_MS });
  return await measure(lab.hosts.a, lab.hosts.b, dir);
}

async function measure(a: LabHost, b: LabHost, dir: string): Promise<Row[]> {
  if (process.versions.deno) {
    await localhost.run(process.execPath, ["cache", "node.ts"], { cwd: ROOT });
  }
  await writeFile(join(dir, "web.mjs"), WEB);
  const run = process.versions.deno ? ["run", "-A"] : [];
  await using web = a.spawn(process.execPath, [...run, join(dir, "web.mjs")]);
  await web.events.until("ready");

  await using publisher = start(a, join(dir, "a"), ["seed", SITE, "--name", "docs.example.org"]);
  const { cid } = await publisher.events.until("seed:done", { ms: 120_000 });
  const seeder = await publisher.events.until("ready");
  await using reader = start(b, join(dir, "b"));
  const { gateway } = await reader.events.until("ready");
  await reader.events.until("peer:connect", { where: { id: seeder.id } });

  const ours: Times[] = [], theirs: Times[] = [];
  // Directories are read with the first page; what is measured is a page of a site that is already open.
  await curl(b, `${gateway}/ipfs/${cid}/library/index.html`);
  await curl(b, `http://${a.address}:${WEB_PORT}/library/index.html`);
  for (const page of await pages()) {
    theirs.push(await curl(b, `http://${a.address}:${WEB_PORT}/library/${page}`));
    ours.push(await curl(b, `${gateway}/ipfs/${cid}/library/${page}`));
  }
  const of = (times: Times[], which: keyof Times) => median(times.map((t) => t[which]));
  return (["first", "last"] as const).map((which) => ({
    what:
      `a page from the neighbour over a ${DELAY_MS} ms line: ${which} byte ÷ from a web server there`,
    result: `**${ratio(of(ours, which), of(theirs, which))}**`,
    figures: `${seconds(of(ours, which))} ÷ ${seconds(of(theirs, which))}`,
  }));
}

/** Milliseconds from the request to the first and to the last byte. */
interface Times {
  first: number;
  last: number;
}

async function curl(host: LabHost, url: string): Promise<Times> {
  const words = ["--silent", "--fail", "--show-error", "--output", "/dev/null", "--write-out"];
  const told = await host.run("curl", [...words, "%{time_starttransfer} %{time_total}", url]);
  const [first = NaN, last = NaN] = told.split(" ").map((s) => 1000 * Number(s));
  return { first, last };
}

function start(host: LabHost, dir: string, words: string[] = []) {
  const program = process.versions.deno ? ["run", "-P", "node.ts"] : ["node.ts"];
  const flags = [...words, "--dir", dir, "--json"];
  return host.spawn(process.execPath, [...program, ...flags], { cwd: ROOT });
}

async function pages(): Promise<string[]> {
  const found: string[] = [];
  for (const name of (await readdir(join(SITE, "library"))).toSorted()) {
    const { size } = await stat(join(SITE, "library", name));
    if (name.endsWith(".html") && size >= MIN_BYTES && size <= MAX_BYTES) found.push(name);
  }
  return found.slice(0, PAGES);
}
