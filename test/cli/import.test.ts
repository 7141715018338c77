/** `import`: a CAR file becomes content of this node. */
import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as dagCbor from "@ipld/dag-cbor";
import * as assert from "uvu/assert";
import { block, car, varint } from "../helpers/car.ts";
import { commandLine, complains, outcome, run, startNode } from "../helpers/program.ts";
import { createFolder } from "../helpers/folder.ts";
import { localhost } from "../helpers/process.ts";
import { suite } from "../helpers/suite.ts";

suite("import", (test) => {
  test("what was imported is opened by its root, under a name of the map, after a restart", async () => {
    await using dir = await createFolder();
    const own = { dir: join(dir.path, "node") };
    const page = await block("hello from a file");
    const file = join(dir.path, "site.car");
    await writeFile(file, car([page.cid], [page]));
    const imported = await run(["import", file], own);
    assert.is(imported.code, 0, imported.said);
    assert.is(imported.stdout, `1 block taken in, 17 B.\nRoots:\n  ${page.cid}\n`);
    assert.is((await run(["get", `/ipfs/${page.cid}`], own)).stdout, "hello from a file\n");

    await using node = await startNode(
      ["--name-map", `docs.example.org:/ipfs/${page.cid}`],
      own,
    );
    const began = Date.now();
    const named = await fetch(`${node.gateway}/ipns/docs.example.org`);
    const seconds = Math.ceil((Date.now() - began) / 1000);
    assert.is(await named.text(), "hello from a file");
    const [, left] = /^public, max-age=(\d+)$/.exec(named.headers.get("cache-control")!)!;
    assert.ok(Number(left) <= 60 && Number(left) >= 60 - seconds, left); // it runs from the look-up on
  });

  test("- reads the standard input; --json tells the same to a program", async () => {
    await using dir = await createFolder();
    const own = { dir: join(dir.path, "node") };
    const page = await block("hello from a pipe");
    const folder = await block(dagCbor.encode({ page: page.cid }), 0x71);
    const file = join(dir.path, "site.car");
    await writeFile(file, car([folder.cid], [folder]));
    const words = commandLine(["import", "-", "--json"], own).map((word) => `'${word}'`).join(" ");
    const piped = await outcome(
      localhost.spawn("bash", ["-c", `exec ${words} < <(cat '${file}')`]),
    );
    assert.is(piped.code, 0, piped.said);
    assert.equal(JSON.parse(piped.stdout.trim().split("\n").at(-1)!), {
      event: "import:done",
      roots: [String(folder.cid)],
      blocks: 1,
      bytes: folder.bytes.byteLength,
      missing: 1,
    });
    const again = await run(["import", file], own);
    assert.match(again.stdout, /Note: 1 block below them were not in the file/);
    await writeFile(file, car([], [page]));
    assert.match((await run(["import", file], own)).stdout, /names no root, so nothing in it is/);
  });

  test("what is no CAR file: a sentence, and 1; called wrongly: 2, before anything is written", async () => {
    await using dir = await createFolder();
    const own = { dir: join(dir.path, "node") };
    const made = async (name: string, bytes: Uint8Array) => {
      await writeFile(join(dir.path, name), bytes);
      return join(dir.path, name);
    };
    const page = await block("page");
    const wrong: [string[], number, RegExp][] = [
      [["import"], 2, /import needs a CAR file, or - for.*\n +For example: .* import site\.car/],
      [["import", "a", "b"], 2, /"b" is one word too many/],
      [["import", "a", "--port", "0"], 2, /--port does not belong to "import"/],
      [
        ["import", "a", "--name-map", "x"],
        2,
        /"x" does not say what a name means\.\n +Write it as/,
      ],
      [["import", "a", "--name-map", "x.org:/ipfs/y"], 2, /"x\.org:\/ipfs\/y" does not say/],
      [["import", "a", "--name-map", `x:/ipfs/${page.cid}`], 2, /does not say what a name/],
    ];
    for (const [words, code, sentence] of wrong) {
      complains(await run(words, { ...own, place: [] }), code, sentence);
      assert.not.ok(existsSync(own.dir), `${words} left a folder`);
    }
    const bad: [string, RegExp][] = [
      [join(dir.path, "nowhere.car"), /nowhere\.car cannot be read\.\n +Check its name/],
      [dir.path, /cannot be read\.\n +Check its name/],
      [await made("page.html", new TextEncoder().encode("<!doctype html>")), /not a CAR file/],
      [await made("cut.car", car([], [page]).subarray(0, -1)), /it is damaged\.\n +Get the file/],
      [
        await made("lie.car", car([], [{ cid: page.cid, bytes: new Uint8Array(9) }])),
        /is not what its name says\.\n +Get the file again/,
      ],
    ];
    for (const [file, sentence] of bad) complains(await run(["import", file], own), 1, sentence);
  });

  test("Ctrl-C while it reads: 130, what came is kept, and the folder is free", async () => {
    await using dir = await createFolder();
    const own = { dir: join(dir.path, "node") };
    const page = await block("the first of many");
    // a pipe that stays open, as a download that goes on
    const file = join(dir.path, "endless");
    await localhost.run("mkfifo", [file]);
    const begun = join(dir.path, "begun.car");
    await writeFile(begun, Buffer.concat([car([page.cid], [page]), varint(1000)]));
    await using feeder = localhost.spawn("sh", [
      "-c",
      `exec 3> '${file}'; cat '${begun}' >&3; exec sleep 60`,
    ]);
    // Node cannot end while it reads a pipe as a file: it is the standard input
    const words = commandLine(["import", "-", "--json"], own).map((word) => `'${word}'`).join(" ");
    await using child = localhost.spawn("sh", ["-c", `exec ${words} < '${file}'`]);
    await child.events.until("import:progress", { ms: 20_000 });
    const asked = Date.now();
    child.kill("SIGINT");
    const { code, stdout, said } = await outcome(child);
    assert.is(code, 130, said);
    assert.ok(Date.now() - asked < 30_000, "it waited for the rest of the file");
    assert.match(JSON.parse(stdout.trim().split("\n").at(-1)!).text, /^Stopped before it was done/);
    assert.is((await run(["get", `/ipfs/${page.cid}`], own)).stdout, "the first of many\n");
    await feeder.stop();
  });
});
