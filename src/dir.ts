/** The folder of a node whose person names none. */
import { homedir } from "node:os";
import { join } from "node:path";

export function defaultDir(env: Record<string, string | undefined>): string {
  return join(env.XDG_DATA_HOME || join(homedir(), ".local", "share"), "nethood");
}
