/** Everything a person can set, in one table: the parser, the help and the environment cannot disagree. */
import { parseArgs } from "node:util";
import { NethoodError } from "./errors.ts";

interface Option {
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

export type Command = "node" | "seed" | "get";

const OPTIONS = {
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
    only: ["node", "seed"],
  },
  host: {
    type: "string",
    value: "ADDRESS",
    help: "address of the gateway (default 127.0.0.1: this machine alone)",
    only: ["node", "seed"],
  },
  listen: {
    type: "string",
    multiple: true,
    value: "MULTIADDR",
    help: "where peers can reach this node (default: every interface, any free port)",
  },
  peer: {
    type: "string",
    multiple: true,
    value: "MULTIADDR",
    env: "NETHOOD_PEERS",
    help: "a peer to stay connected to",
  },
  dns: {
    type: "string",
    multiple: true,
    value: "SERVER",
    env: "NETHOOD_DNS",
    help: "DNS server: 1.1.1.1, 127.0.0.1:5353 or https://…/dns-query (default: the system's)",
  },
  "no-mdns": { type: "boolean", help: "do not look for neighbours on the local network" },
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
  output: {
    type: "string",
    short: "o",
    value: "FILE",
    help: "write to a file instead of the standard output",
    only: ["get"],
  },
  json: { type: "boolean", help: "say everything as JSON lines, for programs" },
  help: { type: "boolean", short: "h", help: "this text" },
  version: { type: "boolean", help: "the version" },
} as const satisfies Record<string, Option>;

type Name = keyof typeof OPTIONS;

export interface Settings {
  command: Command;
  /** What follows the command: a folder for `seed`, an address for `get`. */
  argument: string | undefined;
  dir: string | undefined;
  port: number | undefined;
  host: string | undefined;
  listen: string[] | undefined;
  peers: string[] | undefined;
  dns: string[] | undefined;
  mdns: boolean;
  name: string | undefined;
  hidden: boolean;
  output: string | undefined;
  json: boolean;
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
  if (command !== "node" && command !== "seed" && command !== "get") {
    throw new NethoodError("BAD_OPTION", `There is no command "${command}".`, { hint: HINT });
  }
  if (positionals.length > 2) {
    throw new NethoodError("BAD_OPTION", `"${positionals[2]}" is one word too many.`, {
      hint: HINT,
    });
  }
  for (const [name, option] of Object.entries<Option>(OPTIONS)) {
    if (values[name] === undefined && option.env && env[option.env]) {
      values[name] = option.multiple
        ? env[option.env]!.split(/[\s,]+/).filter(Boolean)
        : env[option.env];
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
  const yes = (name: Name) => values[name] === true;
  return {
    command,
    argument: positionals[1],
    dir: one("dir"),
    port: one("port") === undefined ? undefined : parsePort(one("port")!),
    host: one("host"),
    listen: many("listen"),
    peers: many("peer"),
    dns: many("dns"),
    mdns: !yes("no-mdns"),
    name: one("name"),
    hidden: yes("hidden"),
    output: one("output"),
    json: yes("json"),
    help: yes("help"),
    version: yes("version"),
  };
}

/** The help, from the same table. */
export function helpText(run: string): string {
  const rows = Object.entries<Option>(OPTIONS).map(([name, option]) => {
    const flag = `${option.short ? `-${option.short}, ` : ""}--${name}${
      option.value ? ` ${option.value}` : ""
    }`;
    const notes = [
      option.multiple && "may be repeated",
      option.env && `env ${option.env}`,
      option.only?.length === 1 && option.only[0],
    ];
    const note = notes.filter(Boolean).join("; ");
    return `  ${flag.padEnd(22)} ${option.help}${note ? ` [${note}]` : ""}`;
  });
  return `Nethood: the web, carried by its readers.

Examples
  ${run}                                       your personal node, and its gateway
  ${run} seed ./site --name docs.example.org   publish a folder, and keep serving it
  ${run} get docs.example.org/manual.pdf -o manual.pdf
  ${run} --peer /ip4/192.168.1.5/tcp/4001/p2p/12D3Koo…

Commands
  (none)        run a node: opens addresses for your browser, keeps what it opened, shares it with neighbours
  seed FOLDER   publish a folder as a site, then run as a node that serves it
  get ADDRESS   fetch one file: http://docs.example.org/a.pdf, /ipfs/<cid>/a.pdf, /ipns/<name>/a.pdf

Options
${rows.join("\n")}
`;
}

function parse(argv: string[]): { values: Record<string, unknown>; positionals: string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      options: OPTIONS,
      allowPositionals: true,
      strict: true,
    });
    return { values: { ...values }, positionals };
  } catch (cause) {
    const told = cause instanceof Error ? cause.message.split(". ")[0]! : String(cause);
    throw new NethoodError("BAD_OPTION", `${told.replace(/\.$/, "")}.`, { cause, hint: HINT });
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) {
    throw new NethoodError("BAD_OPTION", `"${text}" is not a port.`, {
      hint: "Ports are numbers from 0 to 65535.",
    });
  }
  return port;
}
