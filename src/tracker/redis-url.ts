/** Where a tracker's store is, as a person writes it: `redis://USER:PASSWORD@HOST:PORT/DATABASE?prefix=NAME`. */
import { NethoodError } from "../errors.ts";

const REDIS_PORT = 6379;

/** What stands before every key of ours unless told otherwise, so that others can use the same Redis. */
const PREFIX = "nethood";

export interface StoreAddress {
  /** What may be shown of it: no name, no password. */
  text: string;
  host: string;
  port: number;
  tls: boolean;
  username: string | undefined;
  password: string | undefined;
  /** The number of a database. */
  database: number;
  prefix: string;
}

/** @throws {NethoodError} BAD_OPTION, without the password in it */
export function parseStoreUrl(text: string): StoreAddress {
  const url = URL.parse(text);
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === "" || url.hash !== "") {
    throw wrong("The store is no URL of a Redis.");
  }
  const port = Number(url.port || REDIS_PORT);
  const [, database] = /^\/?(\d{0,4})$/.exec(url.pathname) ?? [];
  if (database === undefined) throw wrong("Behind the store's host is the number of a database.");
  const { prefix = PREFIX, ...others } = Object.fromEntries(url.searchParams);
  if (Object.keys(others).length > 0 || !/^[\w.-]{1,40}$/.test(prefix)) {
    throw wrong("Behind the store's ? is prefix= and a name of letters and digits, or nothing.");
  }
  return {
    text: `${url.hostname}:${port}`,
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port,
    tls: url.protocol === "rediss:",
    username: decoded(url.username),
    password: decoded(url.password),
    database: Number(database),
    prefix: `${prefix}:`,
  };
}

function decoded(text: string): string | undefined {
  try {
    return text === "" ? undefined : decodeURIComponent(text);
  } catch {
    // Its cause would quote the password.
    throw wrong("The store's user or password has wrong percent-encoding.");
  }
}

function wrong(message: string): NethoodError {
  return new NethoodError("BAD_OPTION", message, {
    hint: "Write --store redis://127.0.0.1:6379, or rediss://:PASSWORD@redis.example.org/0 " +
      "with TLS; %40 stands for @ in a password.",
  });
}
