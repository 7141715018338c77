/** The real program, as a person starts it: alone on loopback, in a folder of the test's own. */
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { type Child, type Ended, localhost, type SpawnOptions, within } from "./process.ts";

export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

export const onDeno: boolean = process.versions.deno !== undefined;

/**
 * The runtime under a name of its own: Deno's child_process knows its own path, even among the arguments of others, and
 * would add a grant of every permission behind it.
 */
export const RUNTIME: string = onDeno ? linked(process.execPath) : process.execPath;

/** "Hello, reader!" as a CID that carries its own bytes: every node has it. */
export const HELLO = "/ipfs/bafkqad2imvwgy3zmebzgkylemvzcccq";

/** How long a program may take to end once a test waits for that, in milliseconds: four times what the slowest takes. */
const END_MS = 20_000;

/** A CID of content that nobody has. */
export const NOWHERE = "/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";

/** Nobody is looked for, and nobody is in the way. */
const ALONE = ["--no-mdns", "--listen", "/ip4/127.0.0.1/tcp/0"];

export interface ProgramOptions extends SpawnOptions {
  /** The node's folder; without one it is left to the program and the environment. */
  dir?: string;
  /** Default: {@link ALONE}. */
  place?: string[];
}

/** The command line of the program. */
export function commandLine(
  words: string[],
  { dir, place = ALONE }: ProgramOptions = {},
): [string, ...string[]] {
  const program = onDeno ? ["run", "-P", join(ROOT, "node.ts")] : [join(ROOT, "node.ts")];
  return [RUNTIME, ...program, ...words, ...place, ...(dir ? ["--dir", dir] : [])];
}

export function start(words: string[], options: ProgramOptions = {}): Child {
  const [program, ...args] = commandLine(words, options);
  return localhost.spawn(program, args, options);
}

/** A node that is ready, with its gateway on any free port. */
export async function startNode(
  words: string[] = [],
  options: ProgramOptions = {},
): Promise<Child & { gateway: string; id: string; address: string }> {
  const child = start([...words, "--port", "0", "--json"], options);
  const { gateway, id, addresses } = await child.events.until("ready");
  const [address] = addresses as string[];
  return Object.assign(child, {
    gateway: String(gateway),
    id: String(id),
    address: String(address),
  });
}

/** What a program that ended has left behind. */
export interface Outcome extends Ended {
  stdout: string;
  /** What the program itself said on stderr, without the runtime's own remarks. */
  said: string;
}

/** Runs the program to its end. */
export async function run(words: string[], options: ProgramOptions = {}): Promise<Outcome> {
  return await outcome(start(words, options));
}

/** Waits for the end of a program, but not without end: one that goes on is killed, and what it said is told. */
export async function outcome(child: Child): Promise<Outcome> {
  let stdout = "";
  const ending = async () => {
    for await (const line of child.stdout) stdout += `${line}\n`;
    return await child.exit;
  };
  const late = () => {
    child.kill("SIGKILL");
    return `not ended after ${END_MS} ms: ${child.command}\n${ownWords(child.log)}${stdout}`;
  };
  return { ...await within(END_MS, ending(), late), stdout, said: ownWords(child.log) };
}

/** Runs the program on a terminal that it has to itself; `said` is all that is seen there. */
export async function onTerminal(
  words: string[],
  options: ProgramOptions & { line?: [string, ...string[]] } = {},
): Promise<Outcome> {
  const line = (options.line ?? commandLine(words, options)).map((word) => `'${word}'`).join(" ");
  const seen = await outcome(localhost.spawn("script", ["-qec", line, "/dev/null"], options));
  return { ...seen, said: ownWords(seen.stdout) };
}

/** The exit code, and one sentence that says what to do next; never a stack trace. */
export function complains(
  { code, said, stdout }: Outcome,
  expected: number,
  sentence: RegExp,
): void {
  assert.is(code, expected, said);
  assert.ok(sentence.test(said), `${sentence} is not in: ${said}`);
  assert.not.match(said + stdout, /^\s+at /m, "a stack trace reached a person");
  assert.not.match(said, /not foreseen/);
  assert.is(said.match(/^nethood: /gm)?.length, 1, `one sentence, not:\n${said}`);
}

export async function text(file: string): Promise<string> {
  return await readFile(file, "utf8");
}

function linked(program: string): string {
  const dir = mkdtempSync(join(tmpdir(), "nethood-runtime-"));
  process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
  const link = join(dir, "runtime");
  symlinkSync(program, link);
  return link;
}

/** Deno remarks on its permissions, and on packages' build scripts, in frames of their own. */
function ownWords(log: string): string {
  return log.replaceAll("\r\n", "\n").split("\n").filter((line) =>
    // deno-lint-ignore no-control-regex -- colours
    !/^(?:\x1b\[[\d;]*m)*(?:Warning|[╭│╰])/.test(line)
  ).join("\n");
}
