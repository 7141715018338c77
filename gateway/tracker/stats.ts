/** How much a tracker has, for programs that watch it. */
import type { Tracker } from "../../src/tracker.ts";

/** What was asked since the start, by kind and by the status of the answer. */
export class Asked {
  readonly counts: Map<string, number> = new Map();

  count(kind: string, status: number): void {
    const name = `${kind} ${status}`;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}

export async function statsResponse(tracker: Tracker): Promise<Response> {
  const { id, url, ttl } = tracker;
  return new Response(JSON.stringify({ id, url, ttl, ...await tracker.stats() }), {
    headers: {
      "Content-Type": "application/json",
      "Cache-Control": "public, max-age=15",
      "Access-Control-Allow-Origin": "*",
    },
  });
}

/** The text format of Prometheus, version 0.0.4. */
export async function metricsResponse(tracker: Tracker, asked: Asked): Promise<Response> {
  const { peers, seeds, reads, records } = await tracker.stats();
  const requests = [...asked.counts].map(([name, count]): [string, number] => {
    const [kind, status] = name.split(" ");
    return [`{kind="${kind}",status="${status}"}`, count];
  });
  const text = [
    metric("peers", "gauge", "Peers that announced, and for which it holds.", [["", peers]]),
    metric("announces", "gauge", "Keys that peers have.", [
      [`{state="whole"}`, seeds],
      [`{state="fetched"}`, reads],
    ]),
    metric("ipns_records", "gauge", "IPNS records that are kept.", [["", records]]),
    metric("requests_total", "counter", "Requests since the start.", requests),
  ].join("");
  return new Response(text, {
    headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" },
  });
}

function metric(name: string, type: string, help: string, values: [string, number][]): string {
  const full = `nethood_tracker_${name}`;
  const lines = values.map(([labels, value]) => `${full}${labels} ${value}\n`);
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join("")}`;
}
