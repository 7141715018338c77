/** The house's plan, enforced: arrows point down, runtimes stay at the door, no file outgrows its reader. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { suite } from "./helpers/suite.ts";

const TOP = fileURLToPath(new URL("..", import.meta.url));
const MAX_LINES = 300;

/** The floor of each room; a file imports its own room or a lower floor. The first match counts. */
const FLOORS: [RegExp, number][] = [
  [
    /^(mod|node)\.ts$|^src\/(cli|commands|help|options|output|progress|teller|texts|values)\.ts$|^src\/(commands|options)\/|^gateway\/mod\.ts$/,
    6,
  ],
  [/^gateway\//, 5],
  [
    /^src\/(node|node-options|opened|seeder|tracker|keeper|keys|secrets|finding|follower|naming|control)\.ts$/,
    4,
  ],
  [/^src\/(site|tracker|web)\//, 3],
  [/^src\/(name|routing)\//, 2],
  [/^src\/(content|swarm)\//, 1],
  [/^src\/store\//, 0],
  [/^src\/(abort|dir|errors|pause|printable|size|time)\.ts$/, -1],
];

/** What may stand at the top level: the owner's list, and what tools insist on. */
const TOP_LEVEL =
  /^(deno\.json|package\.json|tsconfig\.json|mod\.ts|node\.ts|src|gateway|examples|test|docs|README\.md|LICENSE|deno\.lock|\.ci|\.github|\.git|\.gitignore|\.cache|node_modules)$/;

function sources(...rooms: string[]): string[] {
  return rooms.flatMap((room) =>
    room.endsWith(".ts")
      ? [room]
      : readdirSync(join(TOP, room), { recursive: true, encoding: "utf8" }).filter((f) =>
        f.endsWith(".ts")
      ).map((f) => join(room, f))
  );
}

const read = (file: string) => readFileSync(join(TOP, file), "utf8");
const floor = (file: string) => FLOORS.find(([room]) => room.test(file))?.[1];
const room = (file: string) => dirname(file);

suite("architecture", (test) => {
  test("every file has a floor and imports only its own room or a lower floor", () => {
    const wrong: string[] = [];
    for (const file of sources("mod.ts", "node.ts", "src", "gateway")) {
      if (floor(file) === undefined) wrong.push(`${file} has no floor`);
      for (const [, path] of read(file).matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)) {
        const imported = normalize(join(dirname(file), path!));
        const up = floor(imported)! > floor(file)!;
        const sideways = floor(imported) === floor(file) && room(imported) !== room(file) &&
          floor(file)! < 4;
        if (up) wrong.push(`${file} imports ${imported}, which is above it`);
        if (sideways && !allowedSideways(file, imported)) {
          wrong.push(`${file} imports ${imported}, another room of its floor`);
        }
      }
    }
    assert.equal(wrong, []);
  });

  test("only serve.ts and the program's entry know which runtime this is", () => {
    const wrong = sources("src", "gateway").filter((file) =>
      file !== "gateway/serve.ts" && /\bDeno\b[.?]/.test(code(file))
    );
    assert.equal(wrong, []);
  });

  test("only the program's entry reads the environment or ends the process", () => {
    const wrong = sources("mod.ts", "src", "gateway").filter((file) =>
      /process\.(env|exit|argv)/.test(code(file))
    );
    assert.equal(wrong, []);
  });

  test("no file is longer than a reader's patience", () => {
    const long = sources("mod.ts", "node.ts", "src", "gateway", "examples", "test").filter((file) =>
      read(file).split("\n").length > MAX_LINES
    );
    assert.equal(long, []);
  });

  test("nothing stands at the top level that does not belong there", () => {
    assert.equal(readdirSync(TOP).filter((name) => !TOP_LEVEL.test(name)), []);
  });

  test("the front door exports at most eight values", async () => {
    assert.ok(Object.keys(await import("../mod.ts")).length <= 8);
  });

  test("the lock file names no registry", () => {
    assert.not.match(read("deno.lock"), /https?:\/\//);
  });

  test("package.json and deno.json agree", () => {
    const [npm, jsr] = ["package.json", "deno.json"].map((file) => JSON.parse(read(file)));
    assert.is(npm.version, jsr.version);
    assert.equal(Object.keys(npm.exports), Object.keys(jsr.exports));
  });
});

/** A swarm and content read each other's types: how a block is asked for. Names are looked up through routing. */
function allowedSideways(file: string, imported: string): boolean {
  return floor(file) === floor(imported) && /^src\/(swarm|routing)\//.test(file) &&
    /^src\/(content|name)\//.test(imported);
}

/** A file without its comments. */
function code(file: string): string {
  return read(file).replace(/\/\*[^]*?\*\/|\/\/.*$/gm, "");
}
