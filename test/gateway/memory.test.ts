/** What many connections at once cost: what they all read is in memory but once. */
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";
import { createNode } from "../../src/node.ts";
import { createSeeder } from "../../src/seeder.ts";
import { addFiles, createFolder } from "../helpers/folder.ts";
import { processMemory } from "../helpers/process-memory.ts";
import { startNode } from "../helpers/program.ts";
import { open } from "../helpers/socket.ts";
import { suite } from "../helpers/suite.ts";

const CONNECTIONS = 500;
/** Requests of each connection, one after the other. */
const REQUESTS = 10;
const SIZE = 100 * 1024;
/** Eighty megabytes for a thousand, where a stream for each answer takes more than a hundred and ten. */
const MOST_PER_CONNECTION = 80_000;

suite("gateway: memory", (test) => {
  if (process.platform !== "linux") return; // Nowhere else can it be read.

  test("connections that read the same file share its bytes", async () => {
    await using folder = await createFolder();
    const site = join(folder.path, "site"), dir = join(folder.path, "node");
    await addFiles(site, { "a.bin": new Uint8Array(SIZE) });
    await using node = await createNode({ dir, listen: [], mdns: false });
    const { cid } = await createSeeder(node).publish(site, { name: "docs.example.org" });
    await node.stop();

    await using child = await startNode([], { dir });
    const answer = await fetch(`${child.gateway}/ipfs/${cid}/a.bin`);
    await answer.bytes();
    const idle = await processMemory(child.pid, "VmRSS");
    const get = `GET /ipfs/${cid}/a.bin HTTP/1.1\r\nHost: ${new URL(child.gateway).host}\r\n\r\n`;
    const clients = Array.from({ length: CONNECTIONS }, () => reader(child.gateway, get));
    await Promise.all(clients);
    const taken = await processMemory(child.pid, "VmHWM") - idle;
    assert.ok(taken < CONNECTIONS * MOST_PER_CONNECTION, `${Math.round(taken / 1e6)} MB`);
  });
});

/** Asks again as soon as it has an answer, and leaves after the last. */
async function reader(url: string, get: string): Promise<void> {
  const socket = open(url);
  await once(socket, "connect");
  socket.write(get);
  let got = 0;
  let asked = 1;
  for await (const chunk of socket) {
    got += chunk.byteLength;
    if (got < asked * SIZE) continue;
    if (asked++ === REQUESTS) break;
    socket.write(get);
  }
  socket.destroy();
}
