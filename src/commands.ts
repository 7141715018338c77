/** The commands: a running node until its person ends it, or a finished errand. */
import { follow } from "./commands/follow.ts";
import { get } from "./commands/get.ts";
import { importFile } from "./commands/import.ts";
import { key } from "./commands/key.ts";
import { keep } from "./commands/keep.ts";
import { runNode } from "./commands/node.ts";
import type { Run } from "./commands/run.ts";
import { seed } from "./commands/seed.ts";
import { site } from "./commands/site.ts";
import { tracker } from "./commands/tracker.ts";
import type { Command } from "./options.ts";

export const COMMANDS: Record<Command, Run> = {
  node: runNode,
  seed,
  site,
  keep,
  follow,
  get,
  import: importFile,
  key,
  tracker,
};
