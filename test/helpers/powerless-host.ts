/** A place where programs obey the permissions of files, which root alone need not. */
import process from "node:process";
import { createHost, type Host } from "./process.ts";

export function powerlessHost(): Host {
  const lost = "-dac_override,-dac_read_search";
  const prefix = process.getuid?.() === 0 ? ["setpriv", `--bounding-set=${lost}`] : [];
  return createHost("powerless", "127.0.0.1", prefix);
}
