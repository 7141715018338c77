/** The servers that are compared, each on the first core alone. */
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createKubo, kuboAvailable } from "../helpers/kubo.ts";
import { type Child, localhost } from "../helpers/process.ts";
import { SERVER_CORE } from "./gateway-load.ts";
import type { Content } from "./gateway-site.ts";
import { say } from "./table.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface Served {
  /** What the files of the site are below. */
  url: string;
  /** Of the gateway, or of the web server. */
  origin: string;
  pid: number;
}

export interface Servers extends AsyncDisposable {
  nginx: Served;
  ours: Served;
  kubo?: Served;
}

export async function startServers(dir: string, content: Content): Promise<Servers> {
  await using starting = new AsyncDisposableStack();
  const nginx = await startNginx(join(dir, "nginx"), content.root, starting);
  const ours = await startNode(content, starting);
  const missing = kuboAvailable();
  if (missing !== undefined) say(`Kubo is left out: ${missing}`);
  const kubo = missing ? undefined : await startKubo(join(dir, "kubo"), content, starting);
  const running = starting.move();
  return {
    nginx,
    ours,
    ...(kubo && { kubo }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** nginx as Debian configures it (sendfile, tcp_nopush, an access log, no open_file_cache), but with one worker. */
async function startNginx(
  dir: string,
  root: string,
  owner: AsyncDisposableStack,
): Promise<Served> {
  await mkdir(dir);
  const port = await freePort();
  await writeFile(
    join(dir, "nginx.conf"),
    `
daemon off;
user ${process.getuid?.() === 0 ? "root" : "nobody"};
worker_processes 1;
pid ${dir}/pid;
error_log ${dir}/error.log;
events { worker_connections 2048; }
http {
  sendfile on;
  tcp_nopush on;
  types_hash_max_size 2048;
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log ${dir}/access.log;
  gzip on;
  client_body_temp_path ${dir}/body;
  server { listen 127.0.0.1:${port}; root ${root}; }
}
`,
  );
  const words = pinned("nginx", ["-p", dir, "-c", join(dir, "nginx.conf")]);
  const child = owner.use(localhost.spawn(...words));
  const origin = `http://127.0.0.1:${port}`;
  await answers(`${origin}/1k.bin`, child);
  return { url: origin, origin, pid: child.pid };
}

async function startNode(content: Content, owner: AsyncDisposableStack): Promise<Served> {
  const deno = process.versions.deno !== undefined;
  const program = deno ? ["run", "-P", "node.ts"] : ["node.ts"];
  // The same words as a person's, but that nobody is looked for.
  const flags = ["--dir", content.nodeDir, "--port", "0", "--no-mdns", "--json"];
  const words = pinned(process.execPath, [...program, ...flags]);
  const child = owner.use(localhost.spawn(...words, { cwd: ROOT }));
  const { gateway } = await child.events.until("ready");
  return { url: `${gateway}/ipfs/${content.cid}`, origin: `${gateway}`, pid: child.pid };
}

async function startKubo(
  dir: string,
  content: Content,
  owner: AsyncDisposableStack,
): Promise<Served> {
  const kubo = owner.use(await createKubo({ dir, profile: "unixfs-v1-2025", offline: true }));
  const cid =
    (await kubo.ipfs(["add", "--recursive", "--quieter", "--progress=false", content.root]))
      .trim();
  if (cid !== String(content.cid)) throw new Error(`${content.cid} here, ${cid} by Kubo`);
  await localhost.run("taskset", ["--all-tasks", "-p", "-c", SERVER_CORE, String(kubo.pid)]);
  return { url: `${kubo.gateway}/ipfs/${cid}`, origin: kubo.gateway, pid: kubo.pid };
}

function pinned(program: string, args: string[]): [string, string[]] {
  return ["taskset", ["-c", SERVER_CORE, program, ...args]];
}

async function answers(url: string, child: Child): Promise<void> {
  for (let left = 100; left > 0; left--) {
    try {
      await (await fetch(url)).bytes();
      return;
    } catch {
      // It does not listen yet.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`${url} does not answer:\n${child.log}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
