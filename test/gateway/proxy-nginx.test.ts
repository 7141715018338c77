/** The README's nginx configuration, as it stands there, in front of a node. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, connect as connectTcp, createServer } from "node:net";
import { join } from "node:path";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { createGateway } from "../../gateway/app.ts";
import { serve } from "../../gateway/serve.ts";
import { createSite, SITE } from "../helpers/site.ts";
import { type Answer, parse } from "../helpers/socket.ts";
import { suite } from "../helpers/suite.ts";

const README = fileURLToPath(new URL("../../README.md", import.meta.url));
const GATEWAY = "gateway.example.com";
const missing = ["nginx", "openssl"].filter((tool) => spawnSync(tool, ["-v"]).error !== undefined);

suite("gateway: nginx", (test, left) => {
  if (missing.length > 0) return left("the README's nginx", `no ${missing.join(" and ")} here`);

  test("it makes a public gateway of a node, as the README says", async () => {
    await using site = await createSite({ "index.html": "home", "a b.txt": "a" });
    const app = createGateway(site.node, { hosts: [GATEWAY], trustProxy: ["127.0.0.1"] });
    await using server = await serve(app, { port: 0 });
    await using nginx = await startNginx(site.dir, server.url);
    const ask = (host: string, path: string, ...headers: string[]) =>
      askTls(nginx.port, [`GET ${path} HTTP/1.1`, `Host: ${host}`, ...headers]);

    const cid = await ask(GATEWAY, `/ipfs/${site.cid}/a%20b%2Fc//d?x=%2F`);
    assert.is(cid.status, 301);
    assert.is(cid.headers.location, `https://${site.cid}.ipfs.${GATEWAY}/a%20b%2Fc//d?x=%2F`);
    const name = await ask(GATEWAY, `/ipns/${SITE}`);
    assert.is(name.headers.location, `https://docs-example-org.ipns.${GATEWAY}/`);
    assert.is((await ask(`${site.cid}.ipfs.${GATEWAY}`, "/a%20b.txt")).body, "a");
    assert.is((await ask(`docs-example-org.ipns.${GATEWAY}`, "/")).body, "home");
    assert.match((await ask(GATEWAY, "/")).body, `https://${GATEWAY}/ipns/docs.example.org/`);

    // Neither what a client writes into the proxy's headers counts, nor the name of the reader's own page.
    const forged = await ask(GATEWAY, "/", "X-Forwarded-Host: localhost", "X-Forwarded-Proto: x");
    assert.match(forged.body, `https://${GATEWAY}/ipns/docs.example.org/`);
    assert.not.match((await ask("localhost", "/")).body, "<form");
  });
});

/** nginx with the README's server on a free port of loopback, and a certificate of its own. */
async function startNginx(dir: string, upstream: string) {
  const port = await freePort();
  const [pem, key, pid] = ["pem", "key", "pid"].map((name) => join(dir, `nginx.${name}`));
  const subject = ["-subj", `/CN=${GATEWAY}`, "-keyout", key!, "-out", pem!];
  const made = spawnSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject]);
  assert.is(made.status, 0, `${made.stderr}`);
  const server = /```nginx\n([^`]+)```/.exec(await readFile(README, "utf8"))![1]!
    .replace("listen 443 ssl", `listen 127.0.0.1:${port} ssl`)
    .replace("/etc/ssl/gateway.example.com.pem", pem!)
    .replace("/etc/ssl/gateway.example.com.key", key!)
    .replace("http://127.0.0.1:7080", upstream);
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${dir}/nginx-${name};`);
  const conf = join(dir, "nginx.conf");
  await writeFile(
    conf,
    `daemon off; pid ${pid}; error_log stderr; events {}
http { access_log off; server_names_hash_bucket_size 128; ${temp.join(" ")}
${server} }`,
  );
  const child = spawn("nginx", ["-p", dir, "-c", conf], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "exit");
  let said = "";
  child.stderr.on("data", (bytes) => said += bytes);
  for (let tries = 0; !(await listens(port)); tries++) {
    assert.ok(tries < 100 && child.exitCode === null, `nginx did not start: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listens(port: number): Promise<boolean> {
  const socket = connectTcp(port, "127.0.0.1");
  const connected = await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  });
  socket.destroy();
  return connected;
}

async function askTls(port: number, lines: string[]): Promise<Answer> {
  const options = { port, host: "127.0.0.1", servername: GATEWAY, rejectUnauthorized: false };
  const socket = connect(options);
  socket.write([...lines, "Connection: close", "", ""].join("\r\n"));
  let text = "";
  for await (const bytes of socket) text += bytes.toString("latin1");
  return parse(text);
}
