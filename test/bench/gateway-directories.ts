/** The time to the first byte of files that were never opened before, in a sharded directory and in small ones. */
import { firstByte } from "./gateway-load.ts";
import type { Served } from "./gateway-servers.ts";
import type { Content } from "./gateway-site.ts";
import { median, ratio, type Row } from "./table.ts";

/** Between two requests, so that what is kept of one is not in the way of the next, in milliseconds. */
const PAUSE_MS = 30;

export async function measureDirectories(
  { origin }: Served,
  { middle: { many, few } }: Content,
): Promise<Row[]> {
  const times = { many: [] as number[], few: [] as number[] };
  for (const [n, path] of many.entries()) {
    times.many.push(await opened(`${origin}${path}`));
    times.few.push(await opened(`${origin}${few[n]}`));
  }
  const [of100k, of10] = [median(times.many), median(times.few)];
  return [{
    what:
      "first byte of a file in the middle of a directory of 100,000 (HAMT), opened for the first time ÷ of ten",
    result: `**${ratio(of100k, of10)}**`,
    figures: `${of100k.toFixed(1)} ms ÷ ${of10.toFixed(1)} ms`,
  }];
}

async function opened(url: string): Promise<number> {
  const ms = await firstByte(url);
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  return ms;
}
