/** The run's end of the conversation with an agent: see talk.ts. */
import { fileURLToPath } from "node:url";
import type { Child, Host } from "../../helpers/process.ts";
import type { Contestant } from "./contestants.ts";
import type { Config, Order, Ready } from "./talk.ts";

/** How a reader ended: with everything, or why not. */
export type Outcome = { at: number } | { failed: string };

export interface Agent {
  readonly host: string;
  readonly pid: number;
  /** What it said when it was ready. @throws what kept it from it */
  ready(ms: number): Promise<Ready>;
  /** Connected to whom it wants to be. @throws what kept it from it */
  met(ms: number): Promise<void>;
  /** Never throws: a reader that dies, or is late, has failed. */
  outcome(ms: number): Promise<Outcome>;
  tell(order: Order): void;
  /** Ends it without a word. */
  kill(): void;
  readonly exit: Promise<unknown>;
}

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

export function startAgent(
  host: Host,
  contestant: Contestant,
  config: Omit<Config, "address" | "options">,
  onHave: (leaf: string) => void = () => {},
): Agent {
  const [program, ...words] = contestant.program;
  const whole: Config = { ...config, address: host.address, options: contestant.options };
  const child = host.spawn(program, [...words, JSON.stringify(whole)], {
    cwd: ROOT,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    listens: true,
  });
  if (config.report) void hear(child, onHave);

  const first = async (events: string[], ms: number) => {
    const waits = [...events, "failed"].map((event) => child.events.until(event, { ms }));
    const said = await Promise.race(waits);
    // The others end with the agent, and are nobody's.
    for (const wait of waits) wait.catch(() => undefined);
    if (said.event === "failed") throw new Error(String(said.message));
    return said;
  };

  return {
    host: host.name,
    pid: child.pid,
    ready: async (ms) => await first(["ready"], ms) as unknown as Ready,
    met: async (ms) => void await first(["met"], ms),
    async outcome(ms) {
      try {
        const { at, ok } = await first(["done"], ms);
        return ok ? { at: Number(at) } : { failed: "what it read is not what was seeded" };
      } catch (error) {
        return { failed: (error as Error).message };
      }
    },
    tell: (order) => child.tell(order),
    kill: () => child.kill("SIGKILL"),
    exit: child.exit,
  };
}

async function hear(child: Child, onHave: (leaf: string) => void): Promise<void> {
  for await (const line of child.stdout) {
    if (!line.startsWith('{"event": "have"') && !line.startsWith('{"event":"have"')) continue;
    onHave(String(JSON.parse(line).leaf));
  }
}
