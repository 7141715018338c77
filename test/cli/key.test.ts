/** `nethood key`, as a person uses it. */
import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { addFiles, createFolder } from "../helpers/folder.ts";
import { commandLine, complains, outcome, run, startNode, text } from "../helpers/program.ts";
import { localhost } from "../helpers/process.ts";
import { suite } from "../helpers/suite.ts";

const SITE = "docs.example.org";
const ART = `${"abandon ".repeat(23)}art\n`;

/** The name of the key of {@link ART}, as Kubo has it, too. */
const ART_NAME = /\/ipns\/(k51[0-9a-z]+)/;

/** What says that something is a private key, or half of one. */
const SECRET = /abandon|PRIVATE KEY|MC[45]C|AAAAAAAA/;

const eventsOf = (stdout: string) =>
  stdout.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line));

suite("key", (test) => {
  test("out to a file that only its owner reads, and back from any form", async () => {
    await using files = await createFolder();
    const [dir, other] = [join(files.path, "node"), join(files.path, "other")];
    const [words, phrase] = [join(files.path, "words"), join(files.path, "phrase")];
    await writeFile(words, ART);
    await writeFile(phrase, "grüße 1\n");

    const imported = await run(["key", "import", SITE, words], { dir });
    assert.is(imported.code, 0, imported.said);
    const key = ART_NAME.exec(imported.stdout)![1]!;
    assert.match(imported.stdout, `_dnslink.${SITE}. 60 IN TXT "dnslink=/ipns/${key}"`);
    assert.match(imported.said, /words can be read by others on this machine: chmod 600 /);

    const cwd = files.path;
    const written = await run(["key", "export", SITE, "--json"], { dir, cwd });
    assert.equal(eventsOf(written.stdout), [
      { event: "key:exported", site: SITE, name: key, file: `${SITE}.pem` },
    ]);
    const file = join(cwd, `${SITE}.pem`);
    assert.is((await stat(file)).mode & 0o777, 0o600);
    const pem = await text(file);
    assert.match(pem, `Nethood: the key of ${SITE}, /ipns/${key}\n-----BEGIN PRIVATE KEY-----\n`);
    complains(await run(["key", "export", SITE], { dir, cwd }), 1, /is there already, and is left/);
    assert.is(await text(file), pem);

    const locked = join(files.path, "locked.pem");
    const how = ["--passphrase-file", phrase];
    const protectedOne = await run(["key", "export", SITE, "-o", locked, ...how], { dir });
    assert.match(protectedOne.stdout, /locked\.pem, protected by the passphrase\./);
    assert.match(await text(locked), /-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    complains(
      await run(["key", "import", SITE, locked], { dir: other }),
      1,
      /a passphrase\.\n.*--passphrase-file/,
    );
    const back = await run(["key", "import", SITE, locked, ...how, "--json"], { dir: other });
    assert.equal(eventsOf(back.stdout).map(({ name, known }) => [name, known]), [[key, false]]);
    assert.not.match(back.said, /can be read by others/);

    const list = await run(["key"], { dir: other });
    assert.is(list.stdout, `${SITE}  ${key}\n`);
  });

  test("a key is shown only where it was asked for", async () => {
    await using files = await createFolder();
    const dir = join(files.path, "node");
    const words = join(files.path, "words");
    await writeFile(words, ART, { mode: 0o600 });
    const said: string[] = [];
    const told = async (args: string[]) => {
      const { stdout, said: errors } = await run(["key", ...args], { dir, cwd: files.path });
      said.push(stdout, errors);
    };
    await told(["import", SITE, words]);
    await told(["import", SITE, words, "--json", "--debug"]);
    await told(["import", "b.example.org", words, "--passphrase-file", words, "--debug"]);
    await told(["export", SITE, "--debug"]);
    await told(["export", SITE, "--words", "--json"]);
    await told(["export", SITE, "--stdout", "--json"]);
    await told(["list", "--json"]);
    await writeFile(words, ART.replace("art", "zoo"));
    await told(["import", "c.example.org", words, "--debug"]);
    await told(["import", "c.example.org", words, "--json"]);
    await writeFile(words, (await text(join(files.path, `${SITE}.pem`))).replace("MC4C", "MC5C"));
    await told(["import", "c.example.org", words, "--debug"]);
    for (const part of said) assert.not.match(part, SECRET);

    const shown = await run(["key", "export", SITE, "--words"], { dir });
    assert.is(shown.stdout.split(/\s+/).join(" ").trim(), ART.trim());
    assert.is(shown.stdout.trim().split("\n").length, 4);
    const pem = await run(["key", "export", SITE, "--stdout"], { dir });
    assert.is(pem.stdout, await text(join(files.path, `${SITE}.pem`)));
    assert.equal((await readdir(files.path)).sort(), [`${SITE}.pem`, "node", "words"]);
  });

  test("the standard input is a file, too", async () => {
    await using files = await createFolder();
    await writeFile(join(files.path, "words"), ART, { mode: 0o600 });
    const dir = join(files.path, "node");
    const line = commandLine(["key", "import", SITE, "-"], { dir });
    const piped = ["-c", `"$@" < words`, "sh", ...line];
    const { code, stdout } = await outcome(localhost.spawn("sh", piped, { cwd: files.path }));
    assert.is(code, 0);
    assert.match(stdout, ART_NAME);
  });

  test("rotate prints the new line for the DNS, and readers follow", async () => {
    await using files = await createFolder();
    const [dir, site] = [join(files.path, "node"), join(files.path, "site")];
    await addFiles(site, { "a.txt": "1" });
    let old: string;
    {
      await using seeder = await startNode(["seed", site, "--name", SITE], { dir });
      old = String((await seeder.events.until("seed:done")).name);
    }
    const rotated = await run(["key", "rotate", SITE, "--json"], { dir });
    const [event] = eventsOf(rotated.stdout);
    assert.equal([event.event, event.site, event.before], ["key:rotated", SITE, old]);
    assert.is(event.dnslink, `_dnslink.${SITE}. 60 IN TXT "dnslink=/ipns/${event.name}"`);

    await addFiles(site, { "a.txt": "2" });
    await using seeder = await startNode(["seed", site, "--name", SITE], { dir });
    assert.is((await seeder.events.until("seed:done")).name, event.name);
    const got = await run(["get", `/ipns/${old}/a.txt`, "--peer", seeder.address]);
    assert.is(got.stdout.trim(), "2");
  });

  test("all of it while the seeder runs, which publishes with the new key from then on", async () => {
    await using files = await createFolder({ "site/a.txt": "1", words: ART });
    const [dir, site] = [join(files.path, "node"), join(files.path, "site")];
    const seed = ["seed", site, "--name", SITE, "--watch", "--quiet", "0.3"];
    await using seeder = await startNode(seed, { dir });
    const old = String((await seeder.events.until("seed:done")).name);
    const told = async (...words: string[]) =>
      eventsOf((await run(["key", ...words, "--json"], { dir, cwd: files.path })).stdout)
        .find(({ event }) => event.startsWith("key:"));
    assert.is((await told("export", SITE)).name, old);
    const other = await told("import", "b.example.org", "words");
    const { name, before } = await told("rotate", SITE);
    assert.is(before, old);
    assert.equal(
      (await told("list")).keys.map(({ key, state }: Record<string, string>) => `${key} ${state}`),
      [`${other.name} current`, `${name} current`, `${old} retired`],
    );
    const taken = await run(["key", "import", SITE, "words"], { dir, cwd: files.path });
    complains(taken, 1, /There is another key of docs\.example\.org here already/);

    await addFiles(site, { "a.txt": "2" });
    await seeder.events.until("seed:version");
    for (const key of [name, old]) {
      const got = await run(["get", `/ipns/${key}/a.txt`, "--peer", seeder.address]);
      assert.is(got.stdout.trim(), "2", key);
    }
  });

  test("keys behind a passphrase publish, are moved, and open for nobody without it", async () => {
    await using files = await createFolder({ "site/a.txt": "1", phrase: "grüße 1\n", other: "2" });
    const [dir, site] = [join(files.path, "node"), join(files.path, "site")];
    const phrase = join(files.path, "phrase");
    const seed = ["seed", site, "--name", SITE];
    const env = { NETHOOD_KEYS_PASSPHRASE_FILE: phrase };
    let name: unknown;
    {
      await using seeder = await startNode(seed, { dir });
      ({ name } = await seeder.events.until("seed:done"));
    }
    {
      await using seeder = await startNode([...seed, "--keys-passphrase-file", phrase], { dir });
      assert.is((await seeder.events.until("seed:done")).name, name);
    }
    complains(
      await run(["key"], { dir }),
      1,
      /protected by a passphrase\.\n.*--keys-passphrase-file/,
    );
    const wrong = ["key", "--keys-passphrase-file", join(files.path, "other")];
    complains(await run(wrong, { dir }), 1, /The passphrase does not open the keys/);
    const [rotated] = eventsOf((await run(["key", "rotate", SITE, "--json"], { dir, env })).stdout);
    assert.is(rotated.before, name);
    await addFiles(site, { "a.txt": "2" });
    await using seeder = await startNode(seed, { dir, env });
    assert.is((await seeder.events.until("seed:done")).name, rotated.name);
    // The node has opened them: what goes through it needs no passphrase.
    assert.match((await run(["key"], { dir })).stdout, rotated.name);
  });

  test("wrong words end with 2 and say what is right", async () => {
    const cases: [string[], RegExp][] = [
      [["key", "forget", SITE], /"key forget" is no command\.\n +There are key list, key export,/],
      [["key", "export"], /key export needs the site's name\.\n +For example: .* key export docs/],
      [["key", "import", SITE], /key import needs the site's name and a file/],
      [["key", "rotate"], /key rotate needs the site's name/],
      [["key", "rotate", SITE, "--words"], /belong to key export/],
      [["key", "export", SITE, "--words", "--stdout"], /Leave out one of the options/],
      [["get", SITE, "--words"], /--words does not belong to "get"/],
    ];
    for (const [words, says] of cases) {
      await using dir = await createFolder();
      complains(await run(words, { dir: join(dir.path, "node") }), 2, says);
    }
    await using dir = await createFolder();
    const none = join(dir.path, "none");
    complains(await run(["key", "export", SITE], { dir: none }), 1, /There is no key of docs\.ex/);
    const missing = await run(["key", "import", SITE, join(dir.path, "x")], { dir: none });
    complains(missing, 1, /The file .* cannot be read\.\n +Check its name/);
  });

  test("no key is left where it cannot be written, and a folder's mode is nobody's business", async () => {
    await using files = await createFolder();
    const dir = join(files.path, "node");
    await writeFile(join(files.path, "words"), ART, { mode: 0o600 });
    await run(["key", "import", SITE, join(files.path, "words")], { dir });
    const file = join(files.path, "none", "key.pem");
    complains(
      await run(["key", "export", SITE, "-o", file], { dir }),
      1,
      /cannot be written\.\n.*-o/,
    );
    assert.is((await stat(join(dir, "nethood.sqlite"))).mode & 0o777, 0o600);
  });
});
