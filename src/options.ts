/** What a person has set, from their arguments and environment. */
import { parseArgs } from "node:util";
import { NethoodError } from "./errors.ts";
import { type Option, OPTIONS } from "./options/table.ts";
import { type Command, WORDS } from "./options/words.ts";
import {
  parseChunk,
  parseCount,
  parseLifetime,
  parsePort,
  parseRate,
  parseRole,
  parseSeconds,
  parseTtl,
} from "./values.ts";
import { isUpdateAddress } from "./name/dns-update-server.ts";

export type { Command } from "./options/words.ts";

export interface Settings {
  command: Command;
  /** What follows the command: a folder for `seed`, an address for `keep` and `get`. */
  argument: string | undefined;
  /** All that follows the command. */
  words: string[];
  dir: string | undefined;
  port: number | undefined;
  host: string | undefined;
  listen: string[] | undefined;
  peers: string[] | undefined;
  /** Resolvers. */
  dns: string[] | undefined;
  trackers: string[] | undefined;
  bootstrap: string[] | undefined;
  dht: "client" | "server" | undefined;
  announce: boolean;
  /** Name servers that a site's records are written to. */
  dnsUpdates: string[];
  dnsListen: string | undefined;
  nameMap: string | undefined;
  gatewayHosts: string[] | undefined;
  trustProxy: string[] | undefined;
  /** Milliseconds. */
  patience: number | undefined;
  /** Bytes a second. */
  upload: number | undefined;
  download: number | undefined;
  mdns: boolean;
  push: boolean;
  /** How many versions of a followed site stay. */
  keep: number | undefined;
  stop: boolean;
  name: string | undefined;
  hidden: boolean;
  /** Bytes. */
  chunk: number | undefined;
  /** What a version's publisher says about it. */
  note: string | undefined;
  /** Milliseconds, both. */
  lifetime: number | undefined;
  ttl: number | undefined;
  rehash: boolean;
  watch: boolean;
  /** Milliseconds. */
  quiet: number | undefined;
  /** Where others reach a tracker. */
  url: string | undefined;
  /** A file of a tracker's rules. */
  rules: string | undefined;
  /** The database that trackers share; it may hold a password. */
  store: string | undefined;
  output: string | undefined;
  asWords: boolean;
  toStdout: boolean;
  passphraseFile: string | undefined;
  keysPassphraseFile: string | undefined;
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
  const surplus = positionals[1 + WORDS[command]];
  if (surplus !== undefined) {
    throw new NethoodError("BAD_OPTION", `"${surplus}" is one word too many.`, { hint: HINT });
  }
  for (const [name, option] of Object.entries(OPTIONS)) {
    // An empty value is an unset variable of a shell: as a folder it would mean wherever the person happens to be.
    if ([values[name]].flat().includes("")) throw empty(name);
    if (values[name] === undefined && option.env && env[option.env]) {
      values[name] = fromEnv(env[option.env]!, option);
    } else if (
      values[name] !== undefined && !belongs(option, command) && !values.help
    ) {
      throw new NethoodError("BAD_OPTION", `--${name} does not belong to "${command}".`, {
        hint: HINT,
      });
    }
  }
  const one = (name: string) => values[name] as string | undefined;
  const many = (name: string) => values[name] as string[] | undefined;
  const read = <T>(name: string, parse: (text: string) => T) => {
    const text = one(name);
    return text === undefined ? undefined : parse(text);
  };
  const yes = (name: string) => values[name] === true;
  const [dnsUpdates, resolvers] = partition(many("dns") ?? [], isUpdateAddress);
  if (dnsUpdates.length > 0 && command !== "seed" && !yes("help")) {
    throw new NethoodError("BAD_OPTION", `--dns rfc2136://… does not belong to "${command}".`, {
      hint: "Only seed has records to write; questions go to servers such as 1.1.1.1.",
    });
  }
  return {
    command,
    argument: positionals[1],
    words: positionals.slice(1),
    dir: one("dir"),
    port: read("port", parsePort),
    host: one("host"),
    listen: many("listen"),
    peers: many("peer"),
    trackers: many("tracker"),
    bootstrap: many("bootstrap"),
    dht: read("dht", parseRole),
    announce: !yes("no-announce"),
    dns: resolvers.length > 0 ? resolvers : undefined,
    dnsUpdates,
    dnsListen: one("dns-listen"),
    nameMap: one("name-map"),
    gatewayHosts: many("gateway-host"),
    trustProxy: many("trust-proxy"),
    patience: read("patience", parseSeconds),
    upload: read("upload", parseRate),
    download: read("download", parseRate),
    mdns: !yes("no-mdns"),
    push: !yes("no-push"),
    keep: read("keep", parseCount),
    stop: yes("stop"),
    name: one("name"),
    hidden: yes("hidden"),
    chunk: read("chunk", parseChunk),
    note: one("note"),
    lifetime: read("lifetime", parseLifetime),
    ttl: read("ttl", parseTtl),
    rehash: yes("rehash"),
    watch: yes("watch"),
    quiet: read("quiet", parseSeconds),
    url: one("url"),
    rules: one("rules"),
    store: one("store"),
    output: one("output"),
    asWords: yes("words"),
    toStdout: yes("stdout"),
    passphraseFile: one("passphrase-file"),
    keysPassphraseFile: one("keys-passphrase-file"),
    json: yes("json"),
    debug: yes("debug"),
    help: yes("help"),
    version: yes("version"),
  };
}

function partition<T>(all: T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}

function belongs({ only, never }: Option, command: Command): boolean {
  return only?.includes(command) !== false && !never?.includes(command);
}

function isCommand(word: string): word is Command {
  return Object.hasOwn(WORDS, word);
}

function fromEnv(text: string, { type, multiple }: Option): string | string[] | boolean {
  if (type === "boolean") return text !== "0";
  return multiple ? text.split(/[\s,]+/).filter(Boolean) : text;
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
