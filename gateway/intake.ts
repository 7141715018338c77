/** Bodies of requests: nobody makes us hold more than there is room for, or wait for what never comes. */
import type { Context } from "hono";

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
export async function readText(c: Context, limit: number): Promise<string | undefined> {
  const { raw } = c.req;
  const length = Number(c.req.header("content-length"));
  if (length > limit) return undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), BODY_MS);
  });
  const whole = length >= 0 ? raw.text() : readAtMost(raw.body, limit)
    .then((bytes) => bytes && new TextDecoder().decode(bytes));
  try {
    return await Promise.race([whole, late]);
  } finally {
    clearTimeout(timer);
  }
}
