/** What a site's `_headers` says of a page: read once for each version of the site, and asked for each page. */
import { isAbort } from "../src/abort.ts";
import { type Address, formatAddress } from "../src/content/address.ts";
import type { Entry, FileEntry } from "../src/content/read.ts";
import { NethoodError } from "../src/errors.ts";
import type { Resolved } from "../src/name/resolve.ts";
import type { Content } from "./content.ts";
import {
  type HeaderRule,
  headersProblems,
  matchHeaders,
  MAX_HEADERS_FILE,
  parseHeaders,
} from "./headers-file.ts";
import type { Asked } from "./request.ts";
import { readSmall } from "./small-file.ts";

/** The name of the file, in the first folder of a site. */
const FILE = "_headers";

/** Versions of sites, and files, that are remembered: what is read now, not all there ever were. */
const MAX_REMEMBERED = 64;

/** How long a page waits for the file, in milliseconds: nobody has it who got some pages from elsewhere, and then left. */
const WAIT_MS = 1_000;

/** How long a file that could not be read is not asked for again, in milliseconds. */
const RETRY_MS = 30_000;

/** What a page gets where the site's word is not known now: it may not be kept, for the next one will have it. */
const UNKNOWN = { "Cache-Control": "no-cache" };

export interface Shown {
  resolved: Resolved;
  /** The address that led there. Default: the one that was asked for. */
  of?: Address;
}

/** Fields that a site adds to the file that is shown at an address, or that take the place of ours. */
export type SiteHeaders = (
  asked: Pick<Asked, "path">,
  address: Address,
  shown: Shown,
  options: { signal: AbortSignal; local: boolean },
) => Promise<Headers>;

interface Reading {
  /** Undefined where the file could not be read. */
  rules: Promise<HeaderRule[] | undefined>;
  /** When it is to be tried again, as `performance.now()` counts. */
  until: number;
}

/** @param options.wait how long a page waits for the file, in milliseconds. Default: 1,000 */
export function createSiteHeaders(
  content: Content,
  { log, wait = WAIT_MS }: { log: (line: string) => void; wait?: number },
): SiteHeaders {
  const versions = new Map<string, Reading>();
  const files = new Map<string, HeaderRule[]>();

  return async ({ path }, address, { resolved, of = address }, { signal, local }) => {
    const version = versionOf(of, resolved);
    let reading = versions.get(version);
    if (reading === undefined || reading.until < performance.now()) {
      reading = local
        // Nobody may be asked for it: what is found here holds for this one page.
        ? { rules: read(version, address, { signal, local }).catch(unreadable), until: 0 }
        : start(version, address);
    }
    const rules = await soon(reading.rules, wait, signal);
    if (rules === undefined) return new Headers(UNKNOWN);
    return matchHeaders(rules, path.endsWith("/") ? [...address.path, ""] : address.path);
  };

  /** One reading serves all who ask; it is not bound to any of them. */
  function start(version: string, address: Address): Reading {
    const { signal } = new AbortController();
    const rules = read(version, address, { signal, local: false }).catch((error) => {
      reading.until = performance.now() + RETRY_MS;
      if (!(error instanceof NethoodError && error.code === "STOPPED")) {
        log(`${name(address)} could not be read, its site is shown without: ${told(error)}`);
      }
      return undefined;
    });
    const reading: Reading = { rules, until: Infinity };
    remember(versions, version, reading);
    return reading;
  }

  /**
   * Under the site's own address, for that is what is kept: the rules are to hold when the publisher is gone. Unless the name
   * has come to mean another version meanwhile.
   */
  async function open(
    version: string,
    file: Address,
    options: { signal: AbortSignal; local: boolean },
  ): Promise<Entry> {
    const { entry, resolved } = await content.open(file, options);
    if (versionOf(file, resolved) === version) return entry;
    return (await content.open(`${version}/${FILE}`, options)).entry;
  }

  async function read(
    version: string,
    address: Address,
    options: { signal: AbortSignal; local: boolean },
  ): Promise<HeaderRule[]> {
    try {
      const entry = await open(version, fileOf(address), options);
      if (entry.kind === "file") return files.get(String(entry.cid)) ?? await parse(entry);
      log(`${name(address)} counts for nothing: it is not a file.`);
      return [];
    } catch (error) {
      if (error instanceof NethoodError && error.code === "NOT_FOUND") return [];
      throw error;
    }

    async function parse(file: FileEntry): Promise<HeaderRule[]> {
      const bytes = await readSmall(file, MAX_HEADERS_FILE, options);
      const parsed = parseHeaders(bytes);
      for (const problem of headersProblems(name(address), parsed)) log(problem);
      remember(files, String(file.cid), parsed.rules);
      return parsed.rules;
    }
  }
}

/** The folder in which a site's `_headers` lies, as an address that can never mean anything else. */
function versionOf({ path }: Address, { cid, path: whole }: Resolved): string {
  const folder = whole.slice(0, whole.length - path.length);
  return formatAddress({ namespace: "ipfs", root: String(cid), path: folder });
}

function fileOf({ namespace, root }: Address): Address {
  return { namespace, root, path: [FILE] };
}

/** What comes in time. */
async function soon<T>(
  work: Promise<T>,
  ms: number,
  signal: AbortSignal,
): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), ms);
  const leave = () => late.resolve(undefined);
  signal.addEventListener("abort", leave, { once: true });
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", leave);
  }
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  if (map.size >= MAX_REMEMBERED) map.delete(map.keys().next().value!);
  map.set(key, value);
}

/** What is not on this machine is no news to the one who asked for what is. */
function unreadable(error: unknown): undefined {
  if (error instanceof NethoodError || isAbort(error)) return undefined;
  throw error;
}

function name(address: Address): string {
  return formatAddress(fileOf(address));
}

function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
