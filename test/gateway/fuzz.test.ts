/** Nearly good requests, a hundred thousand of them: each gets an honest answer, in time, that tells nothing of this machine. */
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as assert from "uvu/assert";
import { createFuzz, type FuzzRequest } from "../helpers/fuzz.ts";
import {
  createHostileGateway,
  type HostileGateway,
  toRequest,
} from "../helpers/hostile-gateway.ts";
import { suite } from "../helpers/suite.ts";

const REQUESTS = Number(process.env.FUZZ_N ?? 100_000);

/** Requests under way at once. */
const AT_ONCE = 256;

/** Longest that an answer may take, in milliseconds: more than patience, for so many want the one core. */
const LIMIT_MS = 10_000;

/** Pieces of an answer that are read. Some have no end. */
const ENOUGH = 32;

/** What the process may have grown by at the end: the tiers of memory have their own limits, below this. */
const GROWTH = 128 * 1024 * 1024;

const STATUSES = [
  ...[200, 204, 206, 301, 302, 303, 304, 307, 308],
  ...[400, 403, 404, 405, 406, 410, 412, 416, 422, 451],
  ...[500, 501, 502, 504, 507],
];

/** Of this machine, of this program's inside, or of a value that nobody meant to send. */
const INWARD = /\/tmp\/|\/home\/|\/root\/|node_modules|\.ts:\d|\n {4}at |undefined|\[object|NaN/;

interface Answer {
  status: number;
  headers: Headers;
  body: string;
  /** Whether the body broke off; its client sees that. */
  cut: boolean;
}

suite("gateway: fuzz", (test) => {
  test("a hundred thousand malformed requests", async () => {
    await using gateway = await createHostileGateway();
    const seed = Number(process.env.NETHOOD_FUZZ_SEED ?? Date.now() % 2 ** 31);
    const fuzz = createFuzz(seed, gateway.parts);
    /** One for each thing that went wrong. */
    const failures = new Map<string, string>();
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on("unhandledRejection", note);
    const underway = new Map<number, number>();
    const watch = Promise.withResolvers<never>();
    watch.promise.catch(() => undefined);
    const timer = setInterval(() => {
      const late = [...underway].find(([, since]) => Date.now() - since > LIMIT_MS);
      if (late) watch.reject(new Error(repeat(seed, late[0], fuzz(late[0]), "no answer")));
    }, 500);
    const seen = new Map<number, number>();
    let next = 0, cuts = 0;
    let before = 0;
    const work = async () => {
      for (let i = next++; i < REQUESTS; i = next++) {
        // By then the tiers of memory have what they may have.
        if (i === Math.floor(REQUESTS / 4)) before = memory();
        const request = fuzz(i);
        underway.set(i, Date.now());
        try {
          const answer = await ask(gateway, request);
          check(request, answer);
          if (answer.cut) cuts++;
          seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
        } catch (error) {
          const what = String(error);
          if (!failures.has(what)) failures.set(what, repeat(seed, i, request, what));
        }
        underway.delete(i);
        await setImmediate(); // Files are read between two turns of the loop, not within one.
      }
    };
    try {
      await Promise.race([watch.promise, Promise.all(Array.from({ length: AT_ONCE }, work))]);
    } finally {
      clearInterval(timer);
      process.off("unhandledRejection", note);
    }
    console.log(cuts);
    console.log(
      gateway.log.length,
      [...new Set(gateway.log.map((l) => l.replace(/\/\S+|baf\w+/g, "…")))].slice(0, 50),
    );
    console.log([...seen].sort());
    assert.is([...failures.values()].join("\n"), "");
    const unexpected = gateway.log.filter((line) => /unexpected|Error\b|\n\s+at /.test(line));
    console.log(seed, Object.fromEntries(seen), (memory() - before) / 1e6, cuts);
    const kinds = new Map(gateway.log.map((l) => [l.replace(/\/\S+|baf\w+/g, "…"), l]));
    console.log(gateway.log.length, [...kinds.keys()].slice(0, 50));
    assert.equal(unexpected, [], `seed ${seed}`);
    assert.equal(rejections, [], `seed ${seed}`);
    const grown = memory() - before;
    assert.ok(grown < GROWTH, `${grown} bytes more than before, seed ${seed}`);
  });
});

async function ask(
  { app }: Pick<HostileGateway, "app">,
  request: FuzzRequest,
): Promise<Answer> {
  const { client } = request;
  const env = { cutsShortBodies: true, ...(client !== undefined && { client }) };
  const response = await app.fetch(toRequest(request), env);
  const { status, headers } = response;
  let body = "", length = 0, pieces = 0, cut = false;
  const decoder = new TextDecoder("latin1");
  try {
    for await (const chunk of response.body ?? []) {
      length += chunk.byteLength;
      body += decoder.decode(chunk.subarray(0, 4096));
      if (++pieces === ENOUGH) break;
    }
    const told = headers.get("content-length");
    if (request.method !== "HEAD" && status !== 304) {
      cut = pieces < ENOUGH && told !== null && length !== Number(told);
    }
  } catch {
    cut = true; // How a stream without a length ends that cannot be completed.
  }
  return { status, headers, body, cut };
}

function check({ method, url, headers: sent }: FuzzRequest, { status, headers, body }: Answer) {
  assert.ok(STATUSES.includes(status), `status ${status}`);
  const fields = [...headers].join("\n");
  const inward = INWARD.exec(`${fields}\n\n${body}`);
  assert.is(
    inward,
    null,
    `it tells of this machine: ${inward?.input.slice(inward.index - 200, inward.index + 200)}`,
  );
  if (method === "HEAD") assert.is(body, "", "the body of HEAD");
  // What a site shows in place of what it does not have is its own.
  if (status < 400 || headers.has("x-ipfs-roots") && status !== 416) return;
  if (method === "HEAD") return;
  const wantsPage = new Headers(sent).get("accept")?.includes("text/html");
  const type = headers.get("content-type");
  if (wantsPage && !url.includes("/routing/v1")) {
    assert.is(type, "text/html; charset=utf-8");
    assert.match(body, /^\s*<!doctype html>/i);
  } else if (type !== "text/html; charset=utf-8") {
    assert.is(type, "text/plain; charset=utf-8");
    assert.match(body, /^[^\n\r]{10,1200}\n$/, `a line: ${body.slice(0, 60)}`);
  }
}

/** All that is held, once what is held no more is gone. */
function memory(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What is needed to have it once more. */
function repeat(seed: number, i: number, request: FuzzRequest, what: string): string {
  const { method, url, headers } = request;
  const shown = JSON.stringify([
    method,
    url.slice(0, 500),
    headers.map(([n, v]) => [n, v.slice(0, 200)]),
  ]);
  return `request ${i} of NETHOOD_FUZZ_SEED=${seed}: ${what}\n${shown.slice(0, 2000)}`;
}
