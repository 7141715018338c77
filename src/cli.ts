/** The program: arguments in, an exit code out. */
import { COMMANDS } from "./commands.ts";
import type { Surroundings } from "./commands/run.ts";
import { NethoodError, systemCode } from "./errors.ts";
import { helpText } from "./help.ts";
import { parseSettings, type Settings } from "./options.ts";
import { createTeller } from "./teller.ts";

export type { Surroundings } from "./commands/run.ts";

export const VERSION = "0.1.0";

/**
 * Exit codes: 0 done or stopped as asked, 1 failed, 2 called wrongly, 130 stopped before it was done, 141 nobody reads its
 * output any more (what a shell reports of programs that SIGPIPE ended).
 */
const FAILED = 1, MISUSED = 2, INTERRUPTED = 130, UNREAD = 141;

/** Runs one command; resolves with the exit code. Nothing it throws is meant for a person: they get a sentence on stderr. */
export async function main(argv: string[], around: Surroundings): Promise<number> {
  // A log that nobody reads any more is no reason to end a node; `get` notices by itself.
  for (const stream of [around.stdout, around.stderr]) stream.on("error", () => undefined);
  let settings: Settings;
  try {
    settings = parseSettings(argv, around.env);
  } catch (error) {
    lastWords(error, argv, around);
    return MISUSED;
  }
  if (settings.help) around.stdout.write(helpText(around.run));
  else if (settings.version) around.stdout.write(`Nethood ${VERSION}\n`);
  if (settings.help || settings.version) return 0;

  const teller = createTeller(around, settings);
  try {
    await COMMANDS[settings.command](settings, around, teller);
    return 0;
  } catch (error) {
    if (around.signal.aborted) {
      teller.note("Stopped before it was done. Nothing is lost: run the same command again.");
      return INTERRUPTED;
    }
    if (settings.command === "get" && systemCode(error) === "EPIPE") return UNREAD;
    teller.failure(error);
    return error instanceof NethoodError && error.code === "BAD_OPTION" ? MISUSED : FAILED;
  }
}

/** Tells an error where no settings say how: even what nobody caught becomes a sentence. Returns the exit code. */
export function lastWords(error: unknown, argv: string[], around: Surroundings): number {
  createTeller(around, {
    json: argv.includes("--json"),
    debug: argv.includes("--debug") || Boolean(around.env.NETHOOD_DEBUG),
  }).failure(error);
  return FAILED;
}
