/** What a machine, a network or a name can have against it: a sentence each, and nothing is lost. */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as assert from "uvu/assert";
import { createDisk, mountAvailable } from "../helpers/disk.ts";
import { createDnsServer } from "../helpers/dns-server.ts";
import { createFolder } from "../helpers/folder.ts";
import { takePort } from "../helpers/port.ts";
import { complains, HELLO, NOWHERE, run, startNode } from "../helpers/program.ts";
import { suite } from "../helpers/suite.ts";

suite("trouble", (test, left) => {
  test("a malformed CID is told before anything is started", async () => {
    await using dir = await createFolder();
    const own = join(dir.path, "node");
    complains(
      await run(["get", "/ipfs/xyz"], { dir: own }),
      1,
      /"xyz" is not a valid CID\.\n +Addr/,
    );
    assert.not.ok(existsSync(own));
  });

  test("a name without DNSLink, a resolver that is not there, content that nobody has", async () => {
    await using dir = await createFolder();
    await using dns = await createDnsServer({ "example.org": { txt: [], ttl: 60 } });
    const get = (name: string, server: string, address: string) =>
      run(["get", address, "--dns", server], { dir: join(dir.path, name) });
    const [nameless, mute, nobody] = await Promise.all([
      get("a", dns.address, "http://plain.example.org/"),
      get("b", "127.0.0.1:1", "http://docs.example.org/"),
      get("c", dns.address, NOWHERE),
    ]);
    complains(nameless, 1, /plain\.example\.org .*DNSLink.*\n +\S/);
    assert.ok(dns.queries.includes("udp _dnslink.plain.example.org"));
    complains(
      mute,
      1,
      /docs\.example\.org: 127\.0\.0\.1:1 \((?:timeout|connection refused)\).*\n.*--dns/,
    );
    complains(nobody, 1, /is not on this machine\. No neighbour is connected\.\n.*--peer/);
  });

  test("ports that are taken: the gateway's, before a site is hashed, and the node's own", async () => {
    await using dir = await createFolder();
    await using taken = await takePort();
    const { port } = taken;
    await mkdir(join(dir.path, "site"));
    await writeFile(join(dir.path, "site", "index.html"), "hello");
    const seed = ["seed", join(dir.path, "site"), "--name", "docs.example.org"];
    const listen = ["--no-mdns", "--listen", `/ip4/127.0.0.1/tcp/${port}`];
    const [gateway, seeding, own] = await Promise.all([
      run(["--port", `${port}`], { dir: join(dir.path, "a") }),
      run([...seed, "--port", `${port}`], { dir: join(dir.path, "b") }),
      run([], { dir: join(dir.path, "c"), place: listen }),
    ]);
    for (const ended of [gateway, seeding]) {
      complains(ended, 1, new RegExp(`Port ${port} of 127\\.0\\.0\\.1 is in use.*\\n.*--port 0`));
    }
    assert.not.match(seeding.said + seeding.stdout, /Hashing|published/);
    complains(own, 1, / is in use by another program\.\n +Choose another port with --listen/);
    // and the folder of the one that failed is free
    assert.is((await run(["get", HELLO], { dir: join(dir.path, "c") })).code, 0);
  });

  test("a folder that cannot be the node's: a file in the way, a newer program's, another's", async () => {
    await using dir = await createFolder();
    const [file, newer, used] = ["file", "newer", "used"].map((name) => join(dir.path, name));
    await writeFile(file!, "in the way");
    await run(["get", HELLO], { dir: newer! });
    writeVersion(newer!, 99);
    await using _node = await startNode([], { dir: used! });
    const get = (dir: string) => run(["get", HELLO], { dir });
    const [one, two, three] = await Promise.all([get(file!), get(newer!), get(used!)]);
    complains(one, 1, /\/file cannot be a folder: a file is in the way\.\n.*--dir/);
    complains(two, 1, /was written by a newer Nethood \(format 99\)\.\n +Update this program/);
    complains(three, 1, /Another Nethood node is using the folder .*\/used\.\n +Stop that one/);
    // nothing was touched: with the program that wrote it, it opens
    writeVersion(newer!, 1);
    assert.is((await get(newer!)).stdout.trim(), "Hello, reader!");
  });

  const readOnly = "a folder on a disk that is read-only";
  if (mountAvailable()) left(readOnly, mountAvailable()!);
  else {
    test(readOnly, async () => {
      await using disk = await createDisk("1m");
      disk.remount("ro");
      complains(
        await run(["get", HELLO], { dir: join(disk.path, "node") }),
        1,
        /cannot be written\.\n.*--dir/,
      );
    });
  }
});

function writeVersion(dir: string, version: number): void {
  const db = new DatabaseSync(join(dir, "nethood.sqlite"));
  db.exec(`PRAGMA user_version = ${version}`);
  db.close();
}
