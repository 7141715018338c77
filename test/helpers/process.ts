/**
 * Programs beside the test: started, read line by line, ended by their own id. A {@link Host} is the place they run
 * in: {@link localhost} for this machine, or a network namespace from `lab.ts`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import process from "node:process";
import type { Readable } from "node:stream";

/** Longest wait for an expected event, in milliseconds: hashing a whole real site is the slowest of them. */
const EVENT_MS = 60_000;
/** How long a program may take to end after SIGTERM before it gets SIGKILL, in milliseconds. */
const GRACE_MS = 10_000;
/** How much of a program's stderr an error message quotes, in characters. */
const LOG_TAIL = 2_000;

export interface SpawnOptions {
  /** Added to the test's own environment. */
  env?: Record<string, string>;
  cwd?: string;
  /** It listens to {@link Child.tell}. Default: its stdin is empty. */
  listens?: boolean;
}

/** How a program ended: an exit code, or the signal that ended it. */
export interface Ended {
  code: number | null;
  signal: string | null;
}

/** One line of JSON that a program printed. */
export type Event = { event: string } & Record<string, unknown>;

export interface Child extends AsyncDisposable {
  /** The command line, for what is told of it. */
  readonly command: string;
  readonly pid: number;
  /** Lines on stdout; every reader gets all of them from the first. */
  readonly stdout: AsyncIterable<string>;
  readonly events: {
    /** The first event of this name (and with these values), already said or still to come. */
    until(
      event: string,
      options?: { where?: Record<string, unknown>; ms?: number },
    ): Promise<Event>;
  };
  /** What it wrote to stderr so far. */
  readonly log: string;
  readonly exit: Promise<Ended>;
  /** Says a line of JSON to its stdin; one that has ended hears nothing. */
  tell(message: object): void;
  kill(signal?: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL for those who do not listen. */
  stop(): Promise<Ended>;
}

/** A place that programs run in. */
export interface Host {
  readonly name: string;
  /** The IPv4 address under which other hosts reach it. */
  readonly address: string;
  /** What starts a program there, as a command of this machine. */
  command(program: string, args?: string[]): [string, ...string[]];
  spawn(program: string, args?: string[], options?: SpawnOptions): Child;
  /** Runs to the end; throws what it said on stderr unless it ended with 0. */
  run(program: string, args?: string[], options?: SpawnOptions): Promise<string>;
}

/** Makes a host out of an address and the words that put a command into it. */
export function createHost(name: string, address: string, prefix: string[] = []): Host {
  const command = (program: string, args: string[] = []): [string, ...string[]] =>
    [...prefix, program, ...args] as [string, ...string[]];
  return {
    name,
    address,
    command,
    spawn: (program, args, options) => start(command(program, args), options),
    run: (program, args, options) => output(command(program, args), options),
  };
}

/** This machine, on loopback. */
export const localhost: Host = createHost("localhost", "127.0.0.1");

/** What still runs if the test ends early: an exit handler cannot wait, so it kills. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

function start([program, ...args]: [string, ...string[]], options: SpawnOptions = {}): Child {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: [options.listens ? "pipe" : "ignore", "pipe", "pipe"],
  });
  const { stdin } = child;
  stdin?.on("error", () => {}); // it ended before it had heard everything: `exit` tells
  running.add(child);
  const command = [program, ...args].join(" ");
  const stdout = replay(child.stdout!); // stdin being either, the types know of no pipe
  let log = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => log += text);
  child.once("exit", () => running.delete(child));
  const exit = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  }).finally(() => running.delete(child));
  exit.catch(() => {}); // reported by whoever waits for it

  // by id: after `child.kill()` Deno 2.9 reports that signal as the end, whatever the program made of it
  const kill = (signal: NodeJS.Signals = "SIGTERM") => {
    if (!running.has(child) || child.pid === undefined) return;
    try {
      process.kill(child.pid, signal);
    } catch {
      // it ended a moment ago
    }
  };

  const stop = async () => {
    kill("SIGTERM");
    const impatient = setTimeout(() => kill("SIGKILL"), GRACE_MS);
    try {
      return await exit;
    } finally {
      clearTimeout(impatient);
    }
  };

  const until = async (event: string, where: Record<string, unknown>) => {
    for await (const line of stdout) {
      const said = parse(line);
      if (said?.event !== event) continue;
      if (Object.entries(where).every(([key, value]) => said[key] === value)) return said;
    }
    const { code, signal } = await exit;
    throw new Error(
      `${command} ended with ${code ?? signal} before "${event}":\n` +
        log.slice(-LOG_TAIL),
    );
  };

  return {
    command,
    pid: child.pid ?? 0,
    stdout,
    events: {
      until: (event, { where = {}, ms = EVENT_MS } = {}) =>
        within(
          ms,
          until(event, where),
          () => `no "${event}" in ${ms} ms from ${command}:\n${log.slice(-LOG_TAIL)}`,
        ),
    },
    get log() {
      return log;
    },
    exit,
    tell: (message) => void (stdin?.writable && stdin.write(`${JSON.stringify(message)}\n`)),
    kill,
    stop,
    [Symbol.asyncDispose]: async () => void await stop(),
  };
}

async function output(command: [string, ...string[]], options?: SpawnOptions): Promise<string> {
  const child = start(command, options);
  let text = "";
  for await (const line of child.stdout) text += line + "\n";
  const { code, signal } = await child.exit;
  if (code !== 0) {
    throw new Error(`${command.join(" ")} ended with ${code ?? signal}: ${child.log.trim()}`);
  }
  return text;
}

/** The lines of a stream, kept, so that several readers can come late and miss nothing. */
function replay(stream: Readable): AsyncIterable<string> {
  const lines: string[] = [];
  let open = true;
  let wake = () => {};
  let more = new Promise<void>((resolve) => wake = resolve);
  const tell = () => {
    wake();
    more = new Promise<void>((resolve) => wake = resolve);
  };
  const reader = createInterface({ input: stream, crlfDelay: Infinity });
  reader.on("line", (line) => {
    lines.push(line);
    tell();
  });
  reader.on("close", () => {
    open = false;
    tell();
  });
  return {
    async *[Symbol.asyncIterator]() {
      for (let next = 0;;) {
        const line = lines[next];
        if (line !== undefined) {
          next++;
          yield line;
        } else if (open) await more;
        else return;
      }
    },
  };
}

function parse(line: string): Event | undefined {
  if (!line.startsWith("{")) return;
  try {
    return JSON.parse(line);
  } catch {
    return;
  }
}

/** Waits for work so many milliseconds, and no longer; what is told then is what `late` says. */
export async function within<T>(ms: number, work: Promise<T>, late: () => string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const alarm = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(late())), ms);
  });
  try {
    return await Promise.race([work, alarm]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {}); // it lost the race, and says so when the program ends
  }
}
