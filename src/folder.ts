/** Where a person's Nethood is kept. */
import { homedir } from "node:os";
import { join } from "node:path";

/** The folder used where none is given. */
export function defaultDir(env: Record<string, string | undefined>): string {
  return join(env.XDG_DATA_HOME || join(homedir(), ".local", "share"), "nethood");
}
