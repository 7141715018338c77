/**
 * Requests that a reverse proxy passes on. What it says of them in `X-Forwarded-*` is believed only where it connects from an
 * address that a person named: anybody can write a header.
 */
import { BlockList, isIP } from "node:net";
import type { Context } from "hono";
import { NethoodError } from "../src/errors.ts";
import { includes } from "../src/routing/network.ts";
import { clientOf } from "./distance.ts";
import { type Asked, readUrl } from "./request.ts";

/** Reads what is asked for, as the client sees it. @throws {NethoodError} BAD_ADDRESS */
export type Reader = (c: Context) => Asked;

/**
 * @param trusted addresses of reverse proxies, or their networks: `127.0.0.1`, `::1`, `10.0.0.0/8`
 * @throws {NethoodError} BAD_OPTION
 */
export function createReader(trusted: string[] = []): Reader {
  const proxies = proxyList(trusted);
  return (c) => {
    const asked = readUrl(c.req.url);
    const host = last(c.req.header("x-forwarded-host"));
    const proto = last(c.req.header("x-forwarded-proto"))?.toLowerCase();
    if (!host && !proto || !includes(proxies, clientOf(c))) return asked;
    const scheme = proto === "https" || proto === "http" ? proto : asked.scheme;
    if (!host) return { ...asked, scheme };
    const { name, port } = readUrl(`http://${host}`);
    return { ...asked, scheme, name, port };
  };
}

/** @throws {NethoodError} BAD_OPTION */
export function proxyList(trusted: string[]): BlockList {
  const proxies = new BlockList();
  for (const text of trusted) add(proxies, text);
  return proxies;
}

/** Proxies in a row each add a value; only the last is by the one that we trust. */
function last(header: string | undefined): string | undefined {
  return header?.slice(header.lastIndexOf(",") + 1).trim();
}

function add(list: BlockList, text: string): void {
  const [, address = "", bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const version = isIP(address);
  const most = version === 6 ? 128 : 32;
  if (version === 0 || Number(bits ?? most) > most) {
    throw new NethoodError("BAD_OPTION", `"${text.slice(0, 80)}" is not an IP address.`, {
      hint: "Write the reverse proxy's address as 127.0.0.1 or ::1, or its network as 10.0.0.0/8.",
    });
  }
  list.addSubnet(address, Number(bits ?? most), `ipv${version as 4 | 6}`);
}
