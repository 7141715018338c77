/**
 * First light: a real site, opened by its ordinary address on another node, outlives its server.
 *
 * Four hosts. A publishes Debian's Python documentation, B reads it in a browser, A is killed, C reads the same pages
 * from B, and both keep them when they are alone and the name server is gone. Neighbours find each other by multicast
 * DNS and nothing else. B asks the resolver of its system, C the one it is told.
 */
import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { browserAvailable, createBrowser, type OpenPage } from "../helpers/browser.ts";
import { createFolder } from "../helpers/folder.ts";
import { createKnot, knotAvailable } from "../helpers/knot.ts";
import { createLab, labAvailable } from "../helpers/lab.ts";
import { type Child, type Host, localhost } from "../helpers/process.ts";
import { suite } from "../helpers/suite.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SITE = "/usr/share/doc/python3.11/html";
const NAME = "docs.example.org";
/** A page that nobody in this story opens before its server is dead. */
const UNSEEN = "library/asyncio-dev.html";
/** A word of pages that are all there: Debian compresses one page of this site, and on any server its link is dead. */
const QUERY = "whetting";
/** Time to live of the TXT record, in milliseconds, as `seed` proposes it. */
const TTL_MS = 60_000;
/** Longest time to hash and store the site, in milliseconds. */
const SEED_MS = 120_000;
/** Longest time for neighbours to find each other, in milliseconds. */
const MEET_MS = 30_000;
/** Longest time to wait for an answer, in seconds; a missing page may take long to give up on. */
const ANSWER_S = 90;
/** The whole story, in milliseconds. */
const STORY_MS = 8 * 60_000;
/** Where somebody can look at what the browser showed. */
const PICTURES = join(tmpdir(), "nethood-screenshots");

interface Running {
  host: Host;
  child: Child;
  id: string;
  gateway: string;
}

suite("first light", (test, left) => {
  const missing = [
    labAvailable(),
    knotAvailable(),
    browserAvailable(),
    existsSync(SITE) ? undefined : `there is no ${SITE} (Debian package python3.11-doc)`,
  ].filter((reason) => reason !== undefined);
  const title = "a site outlives its server";
  if (missing.length > 0) left(title, missing.join("; "));
  else test(title, story);
}, STORY_MS);

async function story() {
  // the lab has no internet: what the program imports has to be here before
  if (process.versions.deno) {
    await localhost.run(process.execPath, ["cache", "node.ts"], { cwd: ROOT });
  }
  await using files = await createFolder();
  const dir = files.path;
  await using lab = await createLab({ hosts: ["a", "b", "c", "dns"] });
  const { a, b, c, dns } = lab.hosts;
  const [dirA, dirB, dirC] = [join(dir, "a"), join(dir, "b"), join(dir, "c")];
  await b.setResolvers([dns.address]);
  const toldDns = ["--dns", dns.address];

  // A publishes, and its publisher puts the printed line into the zone
  const publisher = await startNode(a, dirA, ["seed", SITE, "--name", NAME]);
  const { dnslink } = await publisher.child.events.until("seed:done", { ms: SEED_MS });
  assert.match(String(dnslink), /^_dnslink\.docs\.example\.org\. 60 IN TXT "dnslink=\/ipns\/k51/);
  const knot = await createKnot({ host: dns, records: [String(dnslink)] });

  // B reads
  let readerB = await startNode(b, dirB);
  await meets(readerB, publisher);
  const seen = await readInBrowser(readerB, join(PICTURES, "b-online.png"));
  assert.not.ok(seen.includes(`/${UNSEEN}`), "the story's own mistake: it opened the unseen page");
  await readInEveryForm(readerB, dir);

  // A dies without a word; C comes, and has only B
  publisher.child.kill("SIGKILL");
  assert.is((await publisher.child.exit).signal, "SIGKILL");
  let readerC = await startNode(c, dirC, toldDns);
  await meets(readerC, readerB);
  await readInBrowser(readerC, join(PICTURES, "c-after-the-kill.png"));
  await identical(readerC, seen, dir);
  await apologizes(readerC, dir);

  // the name server goes too, and each reader is alone: still there
  await endsWell(readerB);
  await endsWell(readerC);
  await knot.stop();
  const silence = Date.now();

  const idB = readerB.id;
  readerB = await startNode(b, dirB);
  assert.is(readerB.id, idB, "a node stays itself");
  await readInBrowser(readerB, join(PICTURES, "b-offline.png"));
  await identical(readerB, seen, dir);
  await endsWell(readerB);

  // not even when the name has run out
  readerC = await startNode(c, dirC, toldDns);
  await new Promise((resolve) => setTimeout(resolve, silence + TTL_MS + 1_000 - Date.now()));
  await readInBrowser(readerC, join(PICTURES, "c-offline.png"));
  await identical(readerC, seen, dir);
  await endsWell(readerC);
}

async function startNode(host: Host, dir: string, words: string[] = []): Promise<Running> {
  const program = process.versions.deno ? ["run", "-P", "node.ts"] : ["node.ts"];
  const child = host.spawn(process.execPath, [...program, ...words, "--dir", dir, "--json"], {
    cwd: ROOT,
  });
  const { id, gateway } = await child.events.until("ready", { ms: SEED_MS });
  return { host, child, id: String(id), gateway: String(gateway) };
}

async function meets(node: Running, other: Running) {
  await node.child.events.until("peer:connect", { where: { id: other.id }, ms: MEET_MS });
}

async function endsWell({ child, host }: Running) {
  assert.equal(await child.stop(), { code: 0, signal: null }, `${host.name}: ${child.log}`);
}

/** Reads as a person does: opens the address, follows links, searches; the paths of all that was loaded. */
async function readInBrowser({ host, gateway }: Running, picture: string): Promise<string[]> {
  await using browser = await createBrowser({ host, proxy: gateway });
  const opened = await browser.openPage(`http://${NAME}/`);
  const { page } = opened;
  assert.is(opened.status, 200);
  assert.match(await page.title(), "3.11.2 Documentation");
  await wellDressed(opened);
  await mkdir(PICTURES, { recursive: true });
  await page.screenshot({ path: picture });

  for (const step of ["library/index.html", "pathlib.html", "../index.html"]) {
    await page.locator(`a[href="${step}"]:visible`).first().click();
    await page.waitForURL(`**/${step.replace("../", "")}`, { waitUntil: "networkidle" });
    await wellDressed(opened);
  }
  await page.locator("input[name=q]:visible").first().fill(QUERY);
  await page.keyboard.press("Enter");
  // the search is a script over an index, and fetches every page it found to quote from it
  await page.waitForURL("**/search.html?*", { waitUntil: "networkidle" });
  await page.waitForSelector("#search-results li a");
  await wellDressed(opened);
  return [...new Set(opened.loaded.map((url) => new URL(url).pathname))];
}

/** Nothing failed, and style sheets, scripts and images are there. */
async function wellDressed({ page, trouble }: OpenPage) {
  assert.equal(trouble, []);
  // as text, since this runs in the page
  assert.equal(
    await page.evaluate(`({
      pictures: [...document.images].every((image) => image.complete && image.naturalWidth > 0),
      styles: [...document.styleSheets].every((sheet) => sheet.cssRules.length > 0),
      scripts: typeof jQuery,
    })`),
    { pictures: true, styles: true, scripts: "function" },
  );
}

/** The address as it stands through the proxy, and the two forms that need none. */
async function readInEveryForm(node: Running, dir: string) {
  const { port } = new URL(node.gateway);
  const forms: [string, string[]][] = [
    [`http://${NAME}/`, ["--proxy", node.gateway]],
    [`http://${NAME.replaceAll(".", "-")}.ipns.localhost:${port}/`, []],
    [`http://127.0.0.1:${port}/ipns/${NAME}/`, []],
  ];
  for (const [base, options] of forms) {
    for (const path of ["", "library/pathlib.html", "_images/pathlib-inheritance.png"]) {
      const { status, body } = await fetchFrom(node, base + path, dir, options);
      assert.is(status, 200, base + path);
      assert.ok(body.equals(await onDisk(path)), `${base}${path} is not what is on disk`);
    }
  }
}

/** Every one of these paths gives the bytes that the publisher has on disk. */
async function identical(node: Running, paths: string[], dir: string) {
  assert.ok(paths.length > 10, `only ${paths.length} paths`);
  for (const path of paths) {
    const url = `http://${NAME}${path}`;
    const { status, body } = await fetchFrom(node, url, dir, ["--proxy", node.gateway]);
    assert.is(status, 200, `${url} on ${node.host.name}`);
    assert.ok(
      body.equals(await onDisk(path)),
      `${url} on ${node.host.name} is not what is on disk`,
    );
  }
}

/** A page that nobody has any more: a page for people, and nothing about the machine. */
async function apologizes(node: Running, dir: string) {
  const words = ["--proxy", node.gateway, "--header", "Accept: text/html"];
  const { status, type, body } = await fetchFrom(node, `http://${NAME}/${UNSEEN}`, dir, words);
  const text = body.toString();
  assert.ok(status === 504 || status === 404, `status ${status}`);
  assert.match(type, /^text\/html/);
  assert.match(text, /<h1/i);
  for (const secret of [dir, ROOT, "/usr/", "file://", "node_modules", "npm:"]) {
    assert.not.match(text, secret);
  }
  assert.not.match(text, /^\s+at .+:\d+/m, "a stack trace");
}

async function fetchFrom({ host }: Running, url: string, dir: string, options: string[]) {
  const file = join(dir, `body-${host.name}`);
  await rm(file, { force: true }); // an empty body leaves an old file alone
  const [status, type = ""] = (await host.run("curl", [
    ...["--silent", "--show-error", "--max-time", String(ANSWER_S), "--output", file],
    ...["--write-out", "%{http_code} %{content_type}", ...options, url],
  ])).trim().split(/ (.*)/);
  const body = existsSync(file) ? await readFile(file) : Buffer.alloc(0);
  return { status: Number(status), type, body };
}

function onDisk(path: string): Promise<Buffer> {
  const file = decodeURIComponent(path);
  return readFile(join(SITE, file === "" || file.endsWith("/") ? `${file}index.html` : file));
}
