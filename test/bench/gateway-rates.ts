/** Requests and bytes a second, of hot content. The servers take turns, so that a slow moment of the machine meets them all. */
import { rate, stream } from "./gateway-load.ts";
import type { Served, Servers } from "./gateway-servers.ts";
import type { FileName } from "./gateway-site.ts";
import { median, ratio, type Row, say } from "./table.ts";

/** Many short ones: with 1 MiB a set of connections is quick or slow from its beginning to its end, whoever serves it. */
const ROUNDS = 7;
const SECONDS = 2;
/** Before anything is counted: what is hot has been asked for, and the compilers have seen it. */
const WARM_SECONDS = 2;

interface Measurement {
  what: string;
  path: FileName;
  measure: (server: Served, seconds: number) => Promise<number>;
  show: (value: number) => string;
  /** Kubo stands beside us. */
  kubo: boolean;
}

const perSecond = (value: number) => `${Math.round(value).toLocaleString("en")}/s`;
const mibPerSecond = (value: number) => `${Math.round(value / 1024 / 1024)} MiB/s`;

function requests(what: string, path: FileName): Measurement {
  const measure = ({ url }: Served, seconds: number) => rate(`${url}/${path}`, { seconds });
  return { what: `${what}, requests/s`, path, measure, show: perSecond, kubo: true };
}

const MEASUREMENTS: Measurement[] = [
  requests("1 KiB file", "1k.bin"),
  requests("100 KiB file", "100k.bin"),
  requests("1 MiB file", "1m.bin"),
  {
    what: "100 MiB file, one stream, bytes/s",
    path: "100m.bin",
    measure: ({ url }, seconds) => stream(`${url}/100m.bin`, { seconds }),
    show: mibPerSecond,
    kubo: false,
  },
  {
    what: "304 for a known ETag, requests/s",
    path: "1k.bin",
    async measure({ url }, seconds) {
      const answer = await fetch(`${url}/1k.bin`);
      await answer.bytes();
      const header = `If-None-Match: ${answer.headers.get("ETag")}`;
      return await rate(`${url}/1k.bin`, { seconds, header });
    },
    show: perSecond,
    kubo: false,
  },
];

export async function measureRates({ nginx, ours, kubo }: Servers): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { what, measure, show, kubo: beside } of MEASUREMENTS) {
    const servers = [nginx, ours, ...(kubo && beside ? [kubo] : [])];
    const measured = servers.map((): number[] => []);
    for (const server of servers) await measure(server, WARM_SECONDS);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, server] of servers.entries()) {
        measured[i]!.push(await measure(server, SECONDS));
      }
    }
    const [theirs, mine, other] = measured.map(median);
    say(`${what}: ${show(mine!)}, nginx ${show(theirs!)}`);
    rows.push(row(`${what} ÷ nginx`, mine!, theirs!, show));
    if (other !== undefined) rows.push(row("the same ÷ Kubo 0.43", mine!, other, show));
  }
  return rows;
}

function row(what: string, a: number, b: number, show: (value: number) => string): Row {
  return { what, result: `**${ratio(a, b)}**`, figures: `${show(a)} ÷ ${show(b)}` };
}
