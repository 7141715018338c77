/** Bodies of requests: nobody makes us hold more than there is room for, or wait for what never comes. */
import { setTimeout } from "node:timers";

/** How long a body may take, in milliseconds. */
const BODY_MS = 10_000;

/** The whole body, or undefined as soon as it is longer: nobody makes us hold more. */
export async function readAtMost(
  body: ReadableStream<Uint8Array> | null,
  limit: number,
): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body ?? []) {
    length += part.byteLength;
    if (length > limit) return undefined; // Leaving the loop cancels what is still to come.
    parts.push(part);
  }
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

/** A body as text: undefined where it is longer, or takes too long. What says how long it is, is read in one piece. */
export function readText(raw: Request, limit: number): Promise<string | undefined> {
  const length = Number(raw.headers.get("content-length") ?? NaN);
  if (length > limit) return Promise.resolve(undefined);
  return inTime(
    length >= 0 ? raw.text() : readAtMost(raw.body, limit)
      .then((bytes) => bytes && new TextDecoder().decode(bytes)),
  );
}

/** Who waits for a body, the first one in front: all have the same time, so that one timer is enough for them. */
const waiting = new Set<{ until: number; giveUp: () => void }>();
let timer: ReturnType<typeof setTimeout> | undefined;

function inTime<T>(work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const wait = { until: performance.now() + BODY_MS, giveUp: () => resolve(undefined) };
    const over = () => waiting.delete(wait);
    waiting.add(wait);
    if (timer === undefined) look();
    work.then((value) => {
      over();
      resolve(value);
    }, (error) => {
      over();
      reject(error);
    });
  });
}

function look(): void {
  timer = undefined;
  for (const wait of waiting) {
    const left = wait.until - performance.now();
    if (left > 0) {
      timer = setTimeout(look, left);
      timer.unref(); // It keeps no process that wants to end.
      return;
    }
    waiting.delete(wait);
    wait.giveUp();
  }
}
