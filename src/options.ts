/** Everything a person can set, in one table: the parser, the help and the environment cannot disagree. */
import { parseArgs } from "node:util";
import { NethoodError } from "./errors.ts";
import { parseChunk, parsePort, parseRate, parseSeconds } from "./values.ts";

export interface Option {
  type: "string" | "boolean";
  short?: string;
  multiple?: boolean;
  /** What stands for the value in the help. */
  value?: string;
  help: string;
  /** Environment variable that is read where the option is not given. */
  env?: string;
  /** Commands it belongs to; none: all that run a node. */
  only?: Command[];
}

export const COMMANDS = ["node", "seed", "keep", "get", "import"] as const;

export type Command = typeof COMMANDS[number];

/** The commands that run until they are ended, with a gateway. */
const SERVING: Command[] = ["node", "seed", "keep"];

const TABLE = {
  dir: {
    type: "string",
    value: "FOLDER",
    env: "NETHOOD_DIR",
    help: "where blocks, keys and records are kept (default ~/.local/share/nethood)",
  },
  port: {
    type: "string",
    value: "N",
    env: "NETHOOD_PORT",
    help: "port of the gateway (default 7080; 0: any free one)",
    only: SERVING,
  },
  host: {
    type: "string",
    value: "ADDRESS",
    env: "NETHOOD_HOST",
    help: "address of the gateway (default 127.0.0.1: this machine alone)",
    only: SERVING,
  },
  listen: {
    type: "string",
    multiple: true,
    value: "MULTIADDR",
    env: "NETHOOD_LISTEN",
    help: "where peers can reach this node (default: every interface, any free port)",
  },
  peer: {
    type: "string",
    multiple: true,
    value: "MULTIADDR",
    env: "NETHOOD_PEERS",
    help: "a peer to stay connected to (default: none)",
  },
  dns: {
    type: "string",
    multiple: true,
    value: "SERVER",
    env: "NETHOOD_DNS",
    help: "DNS server: 1.1.1.1, 127.0.0.1:5353 or https://…/dns-query (default: the system's)",
  },
  "name-map": {
    type: "string",
    value: "MAP",
    env: "IPFS_NS_MAP",
    help: "names that need no DNS: docs.example.org:/ipfs/<cid>,… (default: none)",
  },
  "gateway-host": {
    type: "string",
    multiple: true,
    value: "HOST",
    env: "NETHOOD_GATEWAY_HOSTS",
    help:
      "a host name of this gateway, whose subdomains are sites, beside localhost (default: none)",
    only: SERVING,
  },
  "trust-proxy": {
    type: "string",
    multiple: true,
    value: "ADDRESS",
    env: "NETHOOD_TRUST_PROXY",
    help: "address of a reverse proxy whose X-Forwarded-* headers are believed (default: none)",
    only: SERVING,
  },
  patience: {
    type: "string",
    value: "SECONDS",
    env: "NETHOOD_PATIENCE",
    help: "how long a reader waits for the first byte before a 504 (default 60)",
    only: SERVING,
  },
  upload: {
    type: "string",
    value: "RATE",
    env: "NETHOOD_UPLOAD",
    help: "most bytes a second that are sent to peers, such as 500k or 2M (default: no limit)",
  },
  download: {
    type: "string",
    value: "RATE",
    env: "NETHOOD_DOWNLOAD",
    help: "most bytes a second that are taken from peers, such as 500k or 2M (default: no limit)",
  },
  "no-mdns": {
    type: "boolean",
    help: "do not look for neighbours on the local network (default: do)",
  },
  name: {
    type: "string",
    value: "DNSNAME",
    help: "the site's name, such as docs.example.org",
    only: ["seed"],
  },
  hidden: {
    type: "boolean",
    help: "publish files whose name begins with a dot, too",
    only: ["seed"],
  },
  chunk: {
    type: "string",
    value: "SIZE",
    help:
      "bytes of a file in one block, 4k to 1M; 64k spreads faster in a crowd, but gives other CIDs than other tools (default: 1M)",
    only: ["seed"],
  },
  output: {
    type: "string",
    short: "o",
    value: "FILE",
    help: "write to a file instead of the standard output; of a folder, all of it to a new folder",
    only: ["get"],
  },
  json: { type: "boolean", help: "say everything as JSON lines, for programs" },
  debug: {
    type: "boolean",
    env: "NETHOOD_DEBUG",
    help: "add to an error where in the program it arose, for a report",
  },
  help: { type: "boolean", short: "h", help: "this text" },
  version: { type: "boolean", help: "the version" },
} as const satisfies Record<string, Option>;
/** The table, for the help. */
export const OPTIONS: Record<string, Option> = TABLE;

type Name = keyof typeof TABLE;

export interface Settings {
  command: Command;
  /** What follows the command: a folder for `seed`, an address for `keep` and `get`. */
  argument: string | undefined;
  dir: string | undefined;
  port: number | undefined;
  host: string | undefined;
  listen: string[] | undefined;
  peers: string[] | undefined;
  dns: string[] | undefined;
  nameMap: string | undefined;
  gatewayHosts: string[] | undefined;
  trustProxy: string[] | undefined;
  /** Milliseconds. */
  patience: number | undefined;
  /** Bytes a second. */
  upload: number | undefined;
  download: number | undefined;
  mdns: boolean;
  name: string | undefined;
  hidden: boolean;
  /** Bytes. */
  chunk: number | undefined;
  output: string | undefined;
  json: boolean;
  debug: boolean;
  help: boolean;
  version: boolean;
}

const HINT = "Run it with --help to see what there is.";

/**
 * Reads arguments and environment into plain data.
 *
 * @throws {NethoodError} BAD_OPTION
 */
export function parseSettings(argv: string[], env: Record<string, string | undefined>): Settings {
  const { values, positionals } = parse(argv);
  const command = positionals.length > 0 ? positionals[0]! : "node";
  if (!isCommand(command)) {
    throw new NethoodError("BAD_OPTION", `There is no command "${command}".`, { hint: HINT });
  }
  if (positionals.length > 2) {
    throw new NethoodError("BAD_OPTION", `"${positionals[2]}" is one word too many.`, {
      hint: HINT,
    });
  }
  for (const [name, option] of Object.entries(OPTIONS)) {
    // An empty value is an unset variable of a shell: as a folder it would mean wherever the person happens to be.
    if ([values[name]].flat().includes("")) throw empty(name);
    if (values[name] === undefined && option.env && env[option.env]) {
      values[name] = fromEnv(env[option.env]!, option);
    } else if (
      values[name] !== undefined && option.only && !option.only.includes(command) && !values.help
    ) {
      throw new NethoodError("BAD_OPTION", `--${name} does not belong to "${command}".`, {
        hint: HINT,
      });
    }
  }
  const one = (name: Name) => values[name] as string | undefined;
  const many = (name: Name) => values[name] as string[] | undefined;
  const read = (name: Name, parse: (text: string) => number) => {
    const text = one(name);
    return text === undefined ? undefined : parse(text);
  };
  const yes = (name: Name) => values[name] === true;
  return {
    command,
    argument: positionals[1],
    dir: one("dir"),
    port: read("port", parsePort),
    host: one("host"),
    listen: many("listen"),
    peers: many("peer"),
    dns: many("dns"),
    nameMap: one("name-map"),
    gatewayHosts: many("gateway-host"),
    trustProxy: many("trust-proxy"),
    patience: read("patience", parseSeconds),
    upload: read("upload", parseRate),
    download: read("download", parseRate),
    mdns: !yes("no-mdns"),
    name: one("name"),
    hidden: yes("hidden"),
    chunk: read("chunk", parseChunk),
    output: one("output"),
    json: yes("json"),
    debug: yes("debug"),
    help: yes("help"),
    version: yes("version"),
  };
}

function isCommand(word: string): word is Command {
  return COMMANDS.some((command) => command === word);
}

function fromEnv(text: string, { type, multiple }: Option): string | string[] | boolean {
  if (type === "boolean") return text !== "0";
  return multiple ? text.split(/[\s,]+/).filter(Boolean) : text;
}

function parse(argv: string[]): { values: Record<string, unknown>; positionals: string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      options: TABLE,
      allowPositionals: true,
      strict: true,
    });
    return { values: { ...values }, positionals };
  } catch (cause) {
    const told = cause instanceof Error ? cause.message : String(cause);
    // Node explains at length and in terms of its own; the name of the option is what matters.
    const valueless = /^Option '(?:-\w, )?--([\w-]+).*argument (?:missing|is ambiguous)/.exec(told);
    if (valueless) throw empty(valueless[1]!, cause);
    throw new NethoodError("BAD_OPTION", `${told.split(/\. |\.?\n|\.$/, 1)[0]}.`, {
      cause,
      hint: HINT,
    });
  }
}

function empty(name: string, cause?: unknown): NethoodError {
  return new NethoodError("BAD_OPTION", `--${name} needs a value.`, { cause, hint: HINT });
}
