/**
 * How an agent, one process in one host, and the run talk: JSON, a line each.
 *
 * The agent gets its {@link Config} as its only argument. It says `ready` (a seeder with what readers have to know), `met`
 * when it is connected to whom it wants to be, `have` for each leaf where it was asked to report, and `done` or `failed`.
 * It hears an {@link Order} at a time. The proof that a reader has everything is the SHA-256 over all files in the order of
 * their paths, or, where it is `unchecked`, how many bytes it read.
 */
import process from "node:process";
import { createInterface } from "node:readline";

/** How long agents wait for those they are to meet, in milliseconds. */
export const MEET_MS = 60_000;

export interface Config {
  role: "seeder" | "reader";
  /** IPv4 address of its host. */
  address: string;
  /** A folder of its own, which is there. */
  dir: string;
  /** What the seeder has. */
  source: string;
  /** Bytes of all that. */
  bytes: number;
  /** Addresses of the hosts before this one: if everybody connects to those, all are connected, and once only. */
  before: string[];
  /** How many others there are who mean well. */
  others: number;
  /** Whether it is to say `have`: the run wants to know when the readers together hold one copy. */
  report: boolean;
  /** What this kind of agent can be told; see contestants.ts. All know `unchecked`. */
  options: Record<string, unknown>;
}

/** What everybody said when ready; a seeder that is asked to report names its `leaves`. */
export type Ready = Record<string, unknown> & { address: string; leaves?: string[] };

export type Order =
  | { do: "meet"; everyone: Ready[] }
  | { do: "go"; seeder: Ready; everyone: Ready[]; proof: string }
  | { do: "stop" };

export function tell(event: string, data: object = {}): void {
  console.log(JSON.stringify({ event, ...data }));
}

/** Seconds since 1970, finely: every agent looks at the same clock. */
export function now(): number {
  return (performance.timeOrigin + performance.now()) / 1000;
}

export function config(): Config {
  return JSON.parse(process.argv[2]!);
}

/** Follows orders until it is told to stop; what goes wrong is said. Never returns. */
export async function obey(
  orders: {
    meet?: (everyone: Ready[]) => Promise<void>;
    /** Reads everything; returns what makes the proof, once the clock has stopped. */
    go: (order: Extract<Order, { do: "go" }>) => Promise<() => string | Promise<string>>;
    stop?: () => Promise<void>;
  },
): Promise<never> {
  const { role } = config();
  const follow = async (order: Order) => {
    if (order.do === "meet") {
      await orders.meet?.(order.everyone);
      tell("met");
    } else if (order.do === "go" && role === "reader") {
      const prove = await orders.go(order);
      const at = now();
      tell("done", { at, ok: await prove() === order.proof });
    }
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const order: Order = JSON.parse(line);
    if (order.do === "stop") break;
    follow(order).catch((error) =>
      tell("failed", { message: error instanceof Error ? error.message : String(error) })
    );
  }
  await orders.stop?.();
  process.exit();
}
