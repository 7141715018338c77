/** What becomes of an address that is opened, and what may be asked of the opening. */
import type { Blocks } from "./content/blocks.ts";
import type { Entry, Found } from "./content/read.ts";
import type { Resolved } from "./name/resolve.ts";

/** What a folder shows of itself where a page is wanted. */
const INDEX = "index.html";

export interface ResolveOptions {
  signal?: AbortSignal | undefined;
  /** Asks nobody else: what is not on this machine is a NOT_CACHED. Default: false. */
  local?: boolean | undefined;
}

export interface OpenOptions extends ResolveOptions {
  /** Opens a folder's `index.html` in its place, where it has one, as a web server does. Default: false. */
  index?: boolean;
}

/** What an address turned out to be, and how it was found. */
export interface Opened {
  entry: Entry;
  resolved: Resolved;
}

/** Where an address leads: a block that was not read yet. */
export interface Located {
  found: Found;
  resolved: Resolved;
  /** Where it and what is below it are read from, `local` or not as it was asked for. */
  blocks: Blocks;
}

/** A folder's index page, under the address it has of its own. */
export async function indexOf(
  { entry, resolved }: Opened,
  options: ResolveOptions,
): Promise<Opened | undefined> {
  if (entry.kind !== "directory") return undefined;
  const page = await entry.child(INDEX, options);
  if (page?.kind !== "file" && page?.kind !== "symlink") return undefined;
  const { path, chain } = resolved;
  return {
    entry: page,
    resolved: {
      ...resolved,
      path: [...path, INDEX],
      chain: chain.map((address) => `${address}/${INDEX}`),
    },
  };
}
