/** What a person types, right and wrong, before anything runs. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as assert from "uvu/assert";
import { createFolder } from "../helpers/folder.ts";
import { localhost } from "../helpers/process.ts";
import {
  complains,
  onDeno,
  onTerminal,
  outcome,
  ROOT,
  run,
  RUNTIME,
  startNode,
} from "../helpers/program.ts";
import { suite } from "../helpers/suite.ts";

/** Wrong words, and what is said about them. */
const WRONG: [string[], RegExp][] = [
  [["--colour"], /Unknown option '--colour'\.\n +Run it with --help/],
  [["publish"], /There is no command "publish"/],
  [["get", "/ipfs/a", "/ipfs/b"], /"\/ipfs\/b" is one word too many/],
  [
    ["node", "docs.example.org"],
    /one word too many.\n +Did you mean: .*node\.ts get docs\.example/,
  ],
  [["get"], /get needs an address\.\n +For example: /],
  [["get", "/ipfs/a", "--json"], /get --json needs a file.*\n.* -o/],
  [["seed"], /seed needs a folder and the site's name\.\n +For example: /],
  [["seed", "./site"], /seed needs a folder and the site's name/],
  [["keep"], /keep needs an address\.\n +For example: /],
  [["--upload", "fast"], /"fast" is not a rate\.\n +Write bytes a second as 500k or 2M/],
  [["--download", "2"], /"2" is too low a rate\.\n +Write .*at least 1k/],
  [["get", "/ipfs/a", "--upload", "-1"], /--upload needs a value/],
  [["seed", "./site", "--name", "x.org", "--chunk", "2M"], /"2M" is not a size.*\n.* 64k, or/],
  [["seed", "./site", "--name", "x.org", "--chunk", "1k"], /"1k" is not a size.*\n.*from 4\.0 KiB/],
  [["get", "/ipfs/a", "--chunk", "64k"], /--chunk does not belong to "get"/],
  [["get", "/ipfs/a", "--name", "x.org"], /--name does not belong to "get"/],
  [["--dht", "maybe"], /"maybe" is no role in a DHT\.\n +Write server, or client/],
  [["--port"], /--port needs a value/],
  [["--dir", "--json"], /--dir needs a value/],
  [["--dir", ""], /--dir needs a value/],
  [["--port", "80800"], /"80800" is not a port\.\n +Ports are numbers from 0 to 65535/],
];

/** Addresses that only their own parsers understand. */
const WRONG_ADDRESSES: [string[], RegExp][] = [
  [["--dns", "1.1.1"], /"1\.1\.1" is not a DNS server.*\n +Write it as 1\.1\.1\.1/],
  [["--peer", "192.168.1.5"], /"192\.168\.1\.5" is not a peer's address\.\n +Use one that/],
  [["--peer", "/ip4/192.168.1.5"], /"\/ip4\/192\.168\.1\.5" is not a peer's address/],
  [["--bootstrap", "192.168.1.5"], /"192\.168\.1\.5" is not a peer's address/],
  [["--dht", "client"], /has to know somebody of the DHT\.\n +Name a peer of it with --bootstrap/],
  [["--listen", "4001"], /"4001" is not an address to listen on\.\n +Use addresses of this/],
];

suite("usage", (test) => {
  test("wrong words end with 2 and a sentence that says what to do", async () => {
    for (const [words, sentence] of WRONG) complains(await run(words, { place: [] }), 2, sentence);
    const env = { NETHOOD_PORT: "http" };
    complains(await run([], { place: [], env }), 2, /"http" is not a port/);
  });

  test("an address that is none is told before anything is written", async () => {
    await using dir = await createFolder();
    const own = join(dir.path, "node");
    for (const [words, sentence] of WRONG_ADDRESSES) {
      complains(await run(words, { dir: own, place: [] }), 2, sentence);
      assert.not.ok(existsSync(own), `${words} left a folder`);
    }
  });

  test("--help has examples, and every option with its default and its variable", async () => {
    const { code, stdout, said } = await run(["--help"], { place: [] });
    assert.equal([code, said.trim()], [0, ""]);
    assert.match(stdout, /node\.ts seed \.\/site --name docs\.example\.org /);
    assert.match(stdout, /node\.ts get docs\.example\.org\/manual\.pdf -o manual\.pdf/);
    const help = stdout.replace(/\s+/g, " ");
    for (
      const told of [
        /--dir FOLDER .*default ~\/\.local\/share\/nethood\) \[env NETHOOD_DIR\]/,
        /--port N .*default 7080.*env NETHOOD_PORT/,
        /--host ADDRESS .*default 127\.0\.0\.1.*env NETHOOD_HOST/,
        /--listen MULTIADDR .*default: every interface.*env NETHOOD_LISTEN/,
        /--peer MULTIADDR .*default: none.*env NETHOOD_PEERS/,
        /--bootstrap MULTIADDR .*default: no DHT.*env NETHOOD_BOOTSTRAP/,
        /--dht ROLE .*default: server on a local network.*env NETHOOD_DHT/,
        /--dns SERVER .*default: the system's.*env NETHOOD_DNS/,
        /--upload RATE .*500k or 2M \(default: no limit\) \[env NETHOOD_UPLOAD\]/,
        /--download RATE .*500k or 2M \(default: no limit\) \[env NETHOOD_DOWNLOAD\]/,
        /--chunk SIZE .*4k to 1M.*default: 1M\) \[seed only\]/,
        /keep docs\.example\.org --upload 2M +keep a whole site/,
        /--port N .*\[.*; node, seed, keep and follow only\]/,
        /--no-mdns .*default: do/,
        /--name DNSNAME .*seed only/,
        /--hidden .*seed only/,
        /-o, --output FILE .*get and key only/,
        /--words .*key only/,
        /--passphrase-file FILE .*key only/,
        /--json .*--debug .*env NETHOOD_DEBUG.*-h, --help .*--version/,
      ]
    ) assert.match(help, told);
    assert.ok(stdout.split("\n").every((line) => line.length <= 100), "it fits on a screen");
  });

  test("--help waits for no package: what it needs is in this house", () => {
    const packages: string[] = [];
    const seen = new Set<string>();
    const visit = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      const code = readFileSync(file, "utf8");
      for (
        const [, path] of code.matchAll(/^(?:import|export) (?!type )(?:[^;"]*?from )?"([^"]+)"/gm)
      ) {
        if (path!.startsWith(".")) visit(join(dirname(file), path!));
        else if (!path!.startsWith("node:")) packages.push(`${file} imports ${path}`);
      }
    };
    visit(join(ROOT, "src/cli.ts"));
    assert.ok(seen.has(join(ROOT, "src/options/table.ts")));
    assert.equal(packages, []);
  });

  test("--version is the package's", async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const { code, stdout } = await run(["--version"], { place: [] });
    assert.equal([code, stdout], [0, `Nethood ${version}\n`]);
  });

  test("the environment stands in for options", async () => {
    await using dir = await createFolder();
    const own = join(dir.path, "elsewhere");
    const env = { NETHOOD_DIR: own, NETHOOD_LISTEN: "/ip4/127.0.0.1/tcp/0" };
    await using node = await startNode(["--no-mdns"], { env, place: [] });
    assert.equal((await node.events.until("ready")).dir, own);
    assert.match(node.address, /^\/ip4\/127\.0\.0\.1\/tcp\//);
  });

  if (!onDeno) return;

  test("without permissions it names the command that gives them, and asks nothing", async () => {
    const line = [RUNTIME, "run", join(ROOT, "node.ts")] as const;
    const sentence = /It may not use net, read.*\.\n +Start it with: deno run -P node\.ts/;
    const [program, ...args] = line;
    complains(await outcome(localhost.spawn(program, args)), 1, sentence);
    complains(await onTerminal([], { line: [...line] }), 1, sentence);
  });
});
