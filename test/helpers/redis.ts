/** A Redis of a test's own: Debian's redis-server, in a folder and on a port that it has to itself. */
import { spawnSync } from "node:child_process";
import { createFolder } from "./folder.ts";
import { freePort } from "./port.ts";
import { type Child, localhost } from "./process.ts";
import { until } from "./until.ts";

export interface RedisOptions {
  /** Default: it wants none. */
  password?: string;
  /** Files of a certificate and its key, for TLS alone. Default: none. */
  tls?: { cert: string; key: string };
}

export interface Redis extends AsyncDisposable {
  readonly port: number;
  /** Where it is, as `--store` takes it, with the password. */
  readonly url: string;
  /** Its folder. */
  readonly dir: string;
  readonly pid: number;
  /** Starts it again, after it was killed, with what is in its folder. */
  start(): Promise<void>;
  kill(): Promise<void>;
  /** Runs a command with `redis-cli`, and returns what it prints. */
  ask(...words: string[]): Promise<string>;
}

/** Why Redis can't run here, or `undefined` if it can. */
export function redisAvailable(): string | undefined {
  if (spawnSync("redis-server", ["--version"]).error) {
    return "there is no `redis-server` (Debian package redis-server)";
  }
}

/** Starts a Redis that writes each change to its disk at once. */
export async function createRedis(options: RedisOptions = {}): Promise<Redis> {
  const { password, tls } = options;
  await using starting = new AsyncDisposableStack();
  const dir = starting.use(await createFolder()).path;
  const port = await freePort();
  const line = [
    ...["--bind", "127.0.0.1", "--dir", dir],
    ...(tls === undefined ? ["--port", String(port)] : [
      ...["--port", "0", "--tls-port", String(port), "--tls-auth-clients", "no"],
      ...["--tls-cert-file", tls.cert, "--tls-key-file", tls.key],
    ]),
    ...["--appendonly", "yes", "--appendfsync", "always", "--save", ""],
    ...(password === undefined ? [] : ["--requirepass", password]),
  ];
  let child: Child;
  const start = async () => {
    const started = child = localhost.spawn("redis-server", line);
    let told = "", ended = false;
    const listen = async () => {
      for await (const text of started.stdout) told += `${text}\n`;
      ended = true;
    };
    listen();
    await until("redis-server starts", () => ended || /Ready to accept connections/.test(told));
    if (ended) throw new Error(`redis-server did not start:\n${told}${started.log}`);
  };
  starting.defer(async () => void await child.stop());
  await start();
  const running = starting.move();
  return {
    port,
    url: `redis${tls === undefined ? "" : "s"}://${
      password === undefined ? "" : `:${encodeURIComponent(password)}@`
    }127.0.0.1:${port}`,
    dir,
    get pid() {
      return child.pid;
    },
    start,
    async kill() {
      child.kill("SIGKILL");
      await child.exit;
    },
    ask: (...command) =>
      localhost.run("redis-cli", ["-p", String(port), ...command], {
        ...(password !== undefined && { env: { REDISCLI_AUTH: password } }),
      }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
