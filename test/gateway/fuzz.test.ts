/** Nearly good requests, a hundred thousand of them: each gets an honest answer, in time, that tells nothing of this machine. */
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import * as assert from "uvu/assert";
import { createFuzz, type FuzzRequest } from "../helpers/fuzz.ts";
import { collect } from "../helpers/garbage.ts";
import {
  createHostileGateway,
  type HostileGateway,
  toRequest,
} from "../helpers/hostile-gateway.ts";
import { suite } from "../helpers/suite.ts";

const REQUESTS = 100_000;

/** The same for everybody, so that who sees it fail has changed something. NETHOOD_FUZZ_SEED=$RANDOM looks elsewhere. */
const SEED = 704915404;

/** After so many of them the tiers of memory have what they may have. */
const WARM = 30_000;

/** Requests under way at once. */
const AT_ONCE = 256;

/**
 * Longest that an answer may take, in milliseconds: what is late is not lost. On a busy machine Deno's Web Crypto leaves some
 * of 256 signatures waiting for seconds while it checks others that came later, and has all of them checked in the end.
 */
const LIMIT_MS = 60_000;
const LATE = new Error("there is no answer");

/** Longest that all of it may take, in milliseconds: half a minute where nothing else runs. */
const WHOLE_MS = 300_000;

/** Pieces of an answer that are read. Some have no end. */
const ENOUGH = 32;

/** What the process may grow by from then on, in bytes: room for what is under way at the end of the count, none for a leak. */
const GROWTH = 32 * 1024 * 1024;

/** What such requests get, each of them by some; and what a full store or a working cache may say beside it. */
const ALL_SEEN = [
  ...[200, 204, 206, 301, 302, 303, 304, 307, 308],
  ...[400, 403, 404, 405, 406, 410, 412, 416, 422, 451],
  ...[500, 501, 502, 504],
];
const STATUSES = [...ALL_SEEN, 507];

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
  test("a hundred thousand requests that are not quite right", async () => {
    await using gateway = await createHostileGateway();
    const seed = Number(process.env.NETHOOD_FUZZ_SEED ?? SEED);
    const fuzz = createFuzz(seed, gateway.parts);
    /** One for each thing that went wrong. */
    const failures = new Map<string, string>();
    const seen = new Set<number>();
    let next = 0, cuts = 0, before = 0;
    const work = async () => {
      for (let i = next++; i < REQUESTS; i = next++) {
        if (i === WARM) before = memory();
        const request = fuzz(i);
        try {
          const answer = await inTime(ask(gateway, request));
          check(request, answer);
          seen.add(answer.status);
          if (answer.cut) cuts++;
        } catch (error) {
          const what = String(error);
          if (!failures.has(what)) failures.set(what, repeat(seed, i, request, what));
          if (error === LATE) next = REQUESTS; // Those that follow would take as long.
        }
        await setImmediate(); // Files are read between two turns of the loop, not within one.
      }
    };
    const rejections = await unhandled(() => Promise.all(Array.from({ length: AT_ONCE }, work)));

    assert.ok(failures.size === 0, [...failures.values()].join("\n"));
    assert.equal(rejections, [], `seed ${seed}`);
    const told = (what: RegExp) => gateway.log.filter((line) => what.test(line));
    assert.equal(told(/unexpected|Error\b|\n\s+at /), [], `seed ${seed}`);
    // Whoever runs this node can read of each body that broke off, of those too that nobody read so far.
    assert.ok(cuts > 0 && cuts <= told(/was cut off in the middle/).length, `seed ${seed}`);
    // What is not asked for is not tested.
    assert.equal(ALL_SEEN.filter((status) => !seen.has(status)), [], `seed ${seed}`);
    const grown = memory() - before;
    assert.ok(grown < GROWTH, `${grown} bytes more than before, seed ${seed}`);
  });
}, WHOLE_MS);

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

function check(
  { method, url, headers: sent }: FuzzRequest,
  { status, headers, body }: Answer,
): void {
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

/** Gives up an answer that is late, so that it can be told which. */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(LATE), LIMIT_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What nobody caught while this went on. */
async function unhandled(work: () => Promise<unknown>): Promise<unknown[]> {
  const rejections: unknown[] = [];
  const note = (reason: unknown) => rejections.push(reason);
  process.on("unhandledRejection", note);
  try {
    await work();
    await setImmediate();
  } finally {
    process.off("unhandledRejection", note);
  }
  return rejections;
}

/** All that is held, once what is held no more is gone. */
function memory(): number {
  collect();
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
