/** Whoever asks the servers: wrk for rates, curl for one stream and for the time to the first byte. On the second core. */
import { spawnSync } from "node:child_process";
import { localhost } from "../helpers/process.ts";
import { median } from "./table.ts";

/** The cores of the machine, as taskset spells them. */
export const SERVER_CORE = "0", CLIENT_CORE = "1", BOTH_CORES = "0,1";

/** What is not installed; undefined where all is. */
export function missingTools(): string | undefined {
  const missing = ["nginx", "wrk", "curl", "taskset"].filter((tool) =>
    spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0
  );
  return missing.length > 0 ? `${missing.join(", ")} not installed` : undefined;
}

/** Requests a second that were answered, all of them well. */
export async function rate(
  url: string,
  { connections = 32, seconds, header }: {
    connections?: number;
    seconds: number;
    header?: string;
  },
): Promise<number> {
  const words = [
    "-t1",
    `-c${connections}`,
    `-d${seconds}s`,
    "--timeout", // the default of two seconds is less than a thousand first answers may take
    "10s",
    ...(header ? ["-H", header] : []),
    url,
  ];
  const told = await client("wrk", words);
  if (/Non-2xx|Socket errors/.test(told)) throw new Error(`${url}:\n${told}`);
  return Number(/^Requests\/sec:\s+([\d.]+)/m.exec(told)?.[1]);
}

/** Bytes a second of one download after the other, for so many seconds: their median. */
export async function stream(url: string, { seconds }: { seconds: number }): Promise<number> {
  const rates: number[] = [];
  for (const end = Date.now() + 1000 * seconds; Date.now() < end;) {
    rates.push(Number(await curl(url, "%{speed_download}")));
  }
  return median(rates);
}

/** Milliseconds from the request to the first byte of the answer, on a connection of its own. */
export async function firstByte(url: string): Promise<number> {
  return 1000 * Number(await curl(url, "%{time_starttransfer}"));
}

async function curl(url: string, what: string): Promise<string> {
  const words = ["--silent", "--fail", "--show-error", "--output", "/dev/null"];
  return (await client("curl", [...words, "--write-out", what, url])).trim();
}

function client(program: string, args: string[]): Promise<string> {
  return localhost.run("taskset", ["-c", CLIENT_CORE, program, ...args]);
}
