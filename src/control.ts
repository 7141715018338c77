/**
 * How a command reaches the node that runs on the same folder, whose database is locked by it: a Unix socket in the folder, and
 * lines of JSON. A client sends `{ method, params }`; it is sent any number of `{ event, data }`, and at last a `{ result }`
 * or an `{ error: { code, message, hint } }`. One request a connection; who hangs up no longer wants it.
 */
import { Buffer } from "node:buffer";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { type ErrorCode, isErrorCode, NethoodError } from "./errors.ts";

/** Longest path of a socket that every system takes, in bytes: 104 on macOS, 108 on Linux, each with a zero at its end. */
const MAX_PATH = 103;

/** Longest line, in bytes: a request may be a note, an event a version. */
const MAX_LINE = 1024 * 1024;

/** How long a client may take to say what it wants, in milliseconds. */
const REQUEST_MS = 10_000;

export interface MethodContext {
  /** Aborted when nobody waits for it any more. */
  signal: AbortSignal;
  /** Tells the client of something before the result. */
  tell(event: string, data: object): void;
}

/** What a node does for a command; parameters and result are as JSON has them. */
export type Method = (params: Record<string, unknown>, context: MethodContext) => Promise<unknown>;

export interface AskOptions {
  signal?: AbortSignal | undefined;
  onEvent?: ((event: string, data: Record<string, unknown>) => void) | undefined;
}

/** Answers commands until it is disposed of. A node whose folder cannot have a socket runs without, and says so. */
export async function serveControl(
  dir: string,
  methods: Record<string, Method>,
  { log = () => undefined }: { log?: (line: string) => void } = {},
): Promise<AsyncDisposable> {
  const over = new AbortController();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => undefined); // The client is gone, which its "close" tells.
    // What it goes on saying is read by nobody.
    serve(socket).finally(() => socket.end(() => socket.destroy()));
  });
  await using opening = new AsyncDisposableStack();
  try {
    const path = await place(dir, opening);
    await listen(server, path);
  } catch (error) {
    log(
      `Commands such as "site log" have to wait until this node ends: it has no socket (${error}).`,
    );
    return { [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  opening.defer(async () => {
    over.abort(new NethoodError("STOPPED", "The node was stopped before it was done."));
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.end();
    const late = setTimeout(() => sockets.forEach((socket) => socket.destroy()), 1_000);
    await closed;
    clearTimeout(late);
  });
  return opening.move();

  async function serve(socket: Socket): Promise<void> {
    const gone = new AbortController();
    socket.setTimeout(REQUEST_MS, () => socket.destroy());
    const say = (line: object) =>
      void (socket.writable && socket.write(`${JSON.stringify(line)}\n`));
    try {
      const requests = lines(socket);
      const { value } = await requests.next();
      if (value === undefined) return;
      socket.setTimeout(0);
      // Only one that is read on tells that its client is gone.
      requests.next().catch(() => undefined).then(() =>
        gone.abort(new Error("the client hung up"))
      );
      const { method, params = {} } = value;
      const work = typeof method === "string" && Object.hasOwn(methods, method)
        ? methods[method]!
        : undefined;
      if (work === undefined) throw unknown(String(method));
      const signal = AbortSignal.any([gone.signal, over.signal]);
      const tell = (event: string, data: object) => say({ event, data });
      say({ result: await work(params as Record<string, unknown>, { signal, tell }) ?? null });
    } catch (error) {
      const { code, hint } = error instanceof NethoodError ? error : { code: "", hint: undefined };
      say({
        error: { code, hint, message: error instanceof Error ? error.message : String(error) },
      });
    }
  }
}

/**
 * Asks the node that runs on a folder.
 *
 * @returns undefined where none runs there
 * @throws {NethoodError} whatever the method does; STOPPED where the node ended meanwhile
 */
export async function askNode(
  dir: string,
  request: { method: string; params: object },
  { signal, onEvent }: AskOptions = {},
): Promise<{ result: unknown } | undefined> {
  signal?.throwIfAborted();
  const socket = await reach(dir);
  if (socket === undefined) return undefined;
  const stop = () => socket.destroy();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    socket.on("error", () => undefined); // Then there are no more lines.
    socket.write(`${JSON.stringify(request)}\n`);
    const answers = lines(socket);
    for (;;) {
      const { value } = await answers.next().catch((cause) => hungUp(cause, signal));
      if (value === undefined) return hungUp(undefined, signal);
      const { event, data, error, result } = value;
      if (error) throw revived(error as { code: string; message: string; hint?: string });
      if (result !== undefined) return { result };
      onEvent?.(String(event), data as Record<string, unknown>);
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    socket.destroy();
  }
}

function socketIn(dir: string): string | undefined {
  const path = join(dir, "control.sock");
  return Buffer.byteLength(path) <= MAX_PATH ? path : undefined;
}

/** In a folder whose path is too long for a socket this file says where it is instead. */
function pointerIn(dir: string): string {
  return join(dir, "control.path");
}

/** Where the socket is to be; what a node that was killed has left there is taken away, since its folder is ours. */
async function place(dir: string, opening: AsyncDisposableStack): Promise<string> {
  const near = socketIn(dir);
  if (near !== undefined) {
    await rm(near, { force: true });
    return near;
  }
  // Nobody else may enter what mkdtemp makes.
  const far = await mkdtemp(join(tmpdir(), "nethood-"));
  opening.defer(() => rm(far, { recursive: true, force: true }));
  const path = join(far, "control.sock");
  await writeFile(pointerIn(dir), path, { mode: 0o600 });
  opening.defer(() => rm(pointerIn(dir), { force: true }));
  return path;
}

async function listen(server: Server, path: string): Promise<void> {
  const listening = new Promise<void>((resolve, reject) => {
    server.once("error", reject).once("listening", resolve);
  });
  // The socket is made in this call, for nobody else from its first moment.
  const before = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(before);
  }
  await listening;
}

/** A connection to the node that runs on a folder. */
async function reach(dir: string): Promise<Socket | undefined> {
  const path = socketIn(dir) ?? await readFile(pointerIn(dir), "utf8").catch(() => undefined);
  if (path === undefined) return undefined;
  // A node that was killed leaves a path behind, and anybody can make such a folder where all may write.
  const owner = (await stat(dirname(path)).catch(() => undefined))?.uid;
  if (owner !== undefined && owner !== (await stat(dir)).uid) return undefined;
  return await new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => resolve(socket));
    // Nobody listens, or not for this person: whoever opens the folder then is told what is wrong with it.
    socket.once("error", () => resolve(undefined));
  });
}

/** Whoever stops reading may still write. */
async function* lines(socket: Socket): AsyncGenerator<Record<string, unknown>> {
  let held = "";
  for await (const chunk of socket.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    held += chunk;
    for (let end = held.indexOf("\n"); end >= 0; end = held.indexOf("\n")) {
      const line = held.slice(0, end);
      held = held.slice(end + 1);
      const message: unknown = JSON.parse(line);
      if (typeof message !== "object" || message === null) throw new Error("no message");
      yield message as Record<string, unknown>;
    }
    if (held.length > MAX_LINE) throw new Error("too long a line");
  }
}

function hungUp(cause: unknown, signal: AbortSignal | undefined): never {
  signal?.throwIfAborted();
  throw new NethoodError("STOPPED", "The node was stopped before it was done.", {
    cause,
    hint: "Run the same command again.",
  });
}

function revived({ code, message, hint }: { code: string; message: string; hint?: string }): Error {
  if (!isErrorCode(code)) return new Error(message);
  return new NethoodError(code as ErrorCode, message, hint === undefined ? {} : { hint });
}

function unknown(method: string): NethoodError {
  return new NethoodError("UNSUPPORTED", `The node that runs here knows no "${method}".`, {
    hint: "It is of another version of this program: restart it.",
  });
}
