/** A body on its way: never faster than its reader, never for a reader who has left, never short without a sign. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { createBody } from "../../gateway/body.ts";
import { serve } from "../../gateway/serve.ts";
import { NethoodError } from "../../src/errors.ts";
import type { Node, Opened } from "../../src/node.ts";
import { createSite, SITE } from "../helpers/site.ts";
import { open, parse, send } from "../helpers/socket.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

const CHUNK = new Uint8Array(1024 * 1024).fill(120);
const SIZE = 200 * CHUNK.byteLength;
const GET = `GET /film.bin HTTP/1.1\r\nHost: ${SITE}\r\n\r\n`;

/** Longest time for one of these tests, in milliseconds: none of them takes three seconds. */
const LIMIT_MS = 40_000;

/** A file whose chunks are made as they are read. */
class Film {
  /** Chunks handed out. */
  read = 0;
  /** Whether it was read, and nobody reads it any more. */
  closed = false;

  readonly beforeChunk: (n: number, signal: AbortSignal) => unknown;

  constructor(beforeChunk: (n: number, signal: AbortSignal) => unknown = () => 0) {
    this.beforeChunk = beforeChunk;
  }

  wrap = (node: Node) => ({
    ...node,
    open: async (...asked: Parameters<Node["open"]>): Promise<Opened> => {
      const { entry, resolved } = await node.open(...asked);
      if (entry.kind !== "file") return { entry, resolved };
      return {
        entry: { ...entry, size: SIZE, bytes: (_, own) => this.bytes(own!.signal!) },
        resolved,
      };
    },
  });

  async *bytes(signal: AbortSignal) {
    try {
      for (let n = 0; n < SIZE / CHUNK.byteLength; n++) {
        await this.beforeChunk(n, signal);
        this.read++;
        yield CHUNK;
      }
    } finally {
      this.closed = true;
    }
  }
}

suite("gateway: streaming", (test) => {
  test("a slow client does not make the node read the file into memory", async () => {
    const film = new Film();
    await using site = await createSite({ "film.bin": "x" }, film);
    await using server = await serve(site.app, { port: 0 });
    const client = open(server.url);
    client.write(GET);
    await once(client, "readable"); // And not read on.
    await sleep(300);
    const before = film.read;
    await sleep(300);
    assert.is(film.read, before, "it goes on reading");
    assert.ok(before < 40, `${before} MiB were read for nobody`);
    client.resume();
    await until("it goes on when the client does", () => film.read > before);
    client.destroy();
    await until("nobody reads it any more", () => film.closed);
  });

  test("a server gets the bytes in pieces of the size it wants, in order and all of them", async () => {
    const block = (mark: number) => new Uint8Array(600 * 1024).fill(mark);
    async function* rest() {
      yield block(2);
    }
    const piecesOf = async (piece?: number) => {
      const client = new AbortController();
      const onFailure = (error: unknown) => assert.unreachable(String(error));
      const body = createBody(block(1), rest(), { client, endEarly: false, piece, onFailure });
      const pieces: unknown[] = [];
      for await (const bytes of body) pieces.push([bytes[0], bytes.byteLength / 1024]);
      return pieces;
    };
    const whole = [[1, 600], [2, 600]];
    const parts = [1, 2].flatMap((mark) => [[mark, 256], [mark, 256], [mark, 88]]);
    assert.equal(await piecesOf(), parts);
    assert.equal(await piecesOf(Infinity), whole);
  });

  test("a client that leaves in the middle stops the work", async () => {
    const film = new Film();
    await using site = await createSite({ "film.bin": "x" }, film);
    const response = await site.ask(`http://${SITE}/film.bin`);
    const reader = response.body!.getReader();
    await reader.read();
    await reader.cancel();
    await until("nobody reads it any more", () => film.closed);
    assert.ok(film.read < 5);
    assert.equal(site.log, []);
  });

  test("a client that leaves while a part is being searched stops the search", async () => {
    let searching = false;
    const film = new Film((n, signal) => {
      if (n < 2) return;
      searching = true;
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason))
      );
    });
    await using site = await createSite({ "film.bin": "x" }, film);
    await using server = await serve(site.app, { port: 0 });
    const client = open(server.url);
    client.resume();
    client.write(GET);
    await until("a part is searched", () => searching);
    client.destroy();
    await until("nobody reads it any more", () => film.closed);
    assert.is(film.read, 2);
    assert.equal(site.log, []);
  });

  test("a failure in the middle cuts the connection, and is told to the log alone", async () => {
    const lost = new NethoodError("NO_PROVIDERS", "Nobody sent it any more.");
    for (
      const [failure, says] of [[lost, "Nobody sent it"], [new Error("/home/ada"), "/home/ada"]]
    ) {
      const film = new Film(async (n) => {
        await sleep(20);
        if (n === 3) throw failure;
      });
      await using site = await createSite({ "film.bin": "x" }, film);
      await using server = await serve(site.app, { port: 0 });
      // What Deno's server prints by itself goes past the console: that is seen where a whole program cuts off a CAR file.
      const printed: unknown[] = [];
      const { error, info } = console;
      console.error = console.info = (...what: unknown[]) => printed.push(what);
      let text: string;
      try {
        text = await send(server.url, GET).catch(String); // Ended or reset, but not kept open.
      } finally {
        Object.assign(console, { error, info });
      }
      const { headers, body } = parse(text);
      if (headers["content-length"]) {
        assert.is(headers["content-length"], String(SIZE));
        assert.ok(body.length <= 3 * CHUNK.byteLength);
        assert.not.match(body, /[^x]/);
      }
      assert.equal(printed, []);
      assert.is(site.log.length, 1);
      assert.match(site.log[0]!, `/ipns/${SITE}/film.bin was cut off`);
      assert.match(site.log[0]!, says as string);
    }
  });

  test("without a server of ours, a failure in the middle is a stream that errors", async () => {
    const film = new Film((n) => {
      if (n === 3) throw new Error("lost");
    });
    await using site = await createSite({ "film.bin": "x" }, film);
    const response = await site.ask(`http://${SITE}/film.bin`);
    assert.is(response.status, 200);
    const end = await response.arrayBuffer().then(() => "whole", (error) => error.message);
    assert.is(end, "lost");
  });
}, LIMIT_MS);
