/**
 * What can go wrong, told twice: `code` for programs, `message` and `hint` for people.
 * The HTTP status each code becomes stands beside it, so that the gateway needs no list of its own.
 */
const STATUS = {
  /** An address, CID, option or header that cannot be read. */
  BAD_ADDRESS: 400,
  BAD_OPTION: 400,
  /** The path does not exist below a root that we could read. */
  NOT_FOUND: 404,
  /** The name exists nowhere: NXDOMAIN, no DNSLink record, no IPNS record. */
  NO_DNSLINK: 404,
  NAME_LOOP: 400,
  /** The content is there but is not what was asked for (a directory where a file is needed). */
  NOT_A_FILE: 400,
  /** The content is not to be had in the form that was asked for. */
  NOT_ACCEPTABLE: 406,
  /** It is not on this machine, and nobody else was to be asked. */
  NOT_CACHED: 412,
  /** Bytes we cannot decode: an unknown codec or hash, a broken node. */
  UNSUPPORTED: 501,
  BAD_BLOCK: 502,
  /** Nobody reachable has it, or nobody answered in time. */
  NO_PROVIDERS: 504,
  DNS_UNREACHABLE: 502,
  /** A name server that was to write a site's records, and did not. */
  DNS_UPDATE_FAILED: 502,
  IPNS_NOT_FOUND: 404,
  IPNS_INVALID: 502,
  /** A record that somebody wants to hand in. */
  IPNS_REFUSED: 400,
  IPNS_FULL: 507,
  /** A site's private key: one that cannot be read, that is not here, that is in the way. */
  BAD_KEY: 400,
  KEY_EXISTS: 409,
  /** A site's versions: one that is not its own, one that nobody has, one that never was. */
  VERSION_INVALID: 502,
  VERSION_MISSING: 504,
  NO_VERSION: 404,
  /** A site that is to be published, and whose key is not here. */
  NO_KEY: 400,
  TIMEOUT: 504,
  /** This machine: its folders, its ports, its disk. */
  DIR_LOCKED: 500,
  DIR_UNWRITABLE: 500,
  DIR_TOO_NEW: 500,
  PORT_IN_USE: 500,
  DISK_FULL: 507,
  /** The database in which several trackers keep what they share. */
  STORE_UNREACHABLE: 503,
  FILE_UNWRITABLE: 500,
  BAD_SITE: 400,
  /** A folder that changed while it was read. */
  SITE_CHANGED: 409,
  BAD_CAR: 400,
  /** A file of the site that says where lost readers go, and cannot be used. */
  BAD_REDIRECTS: 500,
  STOPPED: 503,
} as const;

/** Every code a {@link NethoodError} can carry. */
export type ErrorCode = keyof typeof STATUS;

/** Whether a word is one of them. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(STATUS, code);
}

/** The one error class of Nethood. Match on `code`; show `message` and, if there is one, `hint`. */
export class NethoodError extends Error {
  override readonly name = "NethoodError";
  readonly code: ErrorCode;
  /** What the person can do next, as one sentence. */
  readonly hint: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; hint?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }

  /** The HTTP status this error becomes. */
  get status(): number {
    return STATUS[this.code];
  }
}

/** Where nobody else was to be asked for something that is not here. */
export function notCached(what: string): NethoodError {
  return new NethoodError("NOT_CACHED", `${what} is not on this machine.`, {
    hint: "Ask again without only-if-cached, so that others are asked for it.",
  });
}

/** What was looked for; undefined where there is no such thing, which libp2p and Helia say with an error of this name. */
export async function unlessMissing<T>(search: Promise<T>): Promise<T | undefined> {
  try {
    return await search;
  } catch (error) {
    if (error instanceof Error && error.name === "NotFoundError") return undefined;
    throw error;
  }
}

/** The `code` of a Node.js system error such as `ENOSPC`, searched through the chain of causes. */
export function systemCode(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    const code = (e as { code?: unknown }).code;
    if (typeof code === "string" && /^E[A-Z]+$/.test(code)) return code;
  }
  return undefined;
}
