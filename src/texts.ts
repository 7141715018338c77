/** What a person is told at length. */
import type { Node } from "./node.ts";
import type { Published } from "./seeder.ts";
import type { Counts } from "./site/diff.ts";
import { size } from "./size.ts";

export function readyText(
  { id, addresses, dir, peers }: Pick<Node, "id" | "addresses" | "dir" | "peers">,
  gateway: string,
): string {
  const below = (lines: string[], none: string) =>
    lines.length > 0 ? lines.join("\n               ") : none;
  const url = clickable(gateway);
  return `
Nethood is running. Ctrl-C stops it; everything it opened stays.

  Gateway      ${url}/
  Open a site  ${url}/ipns/docs.example.org/
               or set ${
    new URL(url).host
  } as your browser's HTTP proxy, and open http://docs.example.org/
  Folder       ${dir}
  Peer ID      ${id}
  Addresses    ${below(addresses, "none: nobody can reach this node")}
  Neighbours   ${below(peers, "none yet: it works with what it has, and goes on looking")}
`;
}

export function publishedText(
  { cid, key, site, dnslink, files, bytes, ...release }: Published,
  gateway: string,
): string {
  const url = clickable(gateway);
  return `
${site} is published: ${count(files, "file")}, ${size(bytes)}.

  Version      ${versionText(release)}
  CID          ${cid}
  IPNS name    ${key}
  Look at it   ${url}/ipns/${key}/

Put this record into the DNS of ${site}, once; later versions need no change there:

  ${dnslink}

Then everybody with a Nethood node opens

  http://${site}/   with the node as the browser's HTTP proxy, or
  ${url}/ipns/${site}/`;
}

/** `3 (2 files added, 1 changed, none removed)` */
export function versionText(
  { version: { number }, unchanged, changes }: {
    version: { number: number };
    unchanged: boolean;
    changes?: Counts | undefined;
  },
): string {
  if (unchanged) return `${number}, as before: nothing has changed since`;
  return changes === undefined ? `${number}` : `${number} (${changesText(changes)})`;
}

export function changesText({ added, changed, removed }: Counts): string {
  const parts = Object.entries({ added, changed, removed }).filter(([, files]) => files > 0)
    .map(([how, files], i) => `${i === 0 ? count(files, "file") : files} ${how}`);
  return parts.join(", ") || "no file differs";
}

/** On `localhost` browsers give every site an origin of its own, which they do not on an IP address. */
export function clickable(gateway: string): string {
  return gateway.replace(/\/\/(127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?=:|$)/, "//localhost");
}

export function percent(part: number, whole: number): string {
  return `${whole === 0 ? 100 : Math.floor(100 * part / whole)} %`;
}

export function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
