/** An errand for the node that runs on the same folder; where none runs, for one that is started for it. */
import { setTimeout as pause } from "node:timers/promises";
import { askNode } from "../control.ts";
import { defaultDir } from "../dir.ts";
import { NethoodError } from "../errors.ts";
import type { Settings } from "../options.ts";
import type { Teller } from "../teller.ts";
import { start, type Surroundings } from "./run.ts";

/** How long a folder may be locked by a node that does not answer yet, or not any more, in milliseconds. */
const BUSY_MS = 5_000, AGAIN_MS = 200;

/** @returns the result, as JSON has it */
export async function ask(
  request: { method: string; params: Record<string, unknown> },
  settings: Settings,
  around: Surroundings,
  teller: Teller,
  onEvent?: (event: string, data: Record<string, unknown>) => void,
): Promise<unknown> {
  const { signal } = around;
  const dir = settings.dir ?? defaultDir(around.env);
  for (const end = Date.now() + BUSY_MS;;) {
    const answer = await askNode(dir, request, { signal, onEvent });
    if (answer !== undefined) return answer.result;
    try {
      await using node = await start(settings, around, teller);
      const { methodsOf } = await import("./methods.ts");
      const tell = (event: string, data: object) => onEvent?.(event, data as typeof request.params);
      return await methodsOf(node)[request.method]!(request.params, { signal, tell });
    } catch (error) {
      const locked = error instanceof NethoodError && error.code === "DIR_LOCKED";
      if (!locked || Date.now() > end) throw error;
      await pause(AGAIN_MS, undefined, { signal });
    }
  }
}
