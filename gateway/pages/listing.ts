/** A folder without an index.html, as a list of links. */
import { html, raw } from "hono/html";
import type { CID } from "multiformats/cid";
import { type Address, formatAddress } from "../../src/content/address.ts";
import type { Link } from "../../src/content/unixfs.ts";
import { size } from "../../src/size.ts";
import type { Language } from "../language.ts";
import { type Html, page, table } from "./page.ts";

/** Where the page is seen, which decides how its links are written. */
export type Place =
  /** On a path gateway: all addresses are paths of one origin. */
  | { kind: "path" }
  /** In a site's own origin below a gateway, such as `localhost:7080`, which opens any other address. */
  | { kind: "subdomain"; gateway: string }
  /** Under the site's own name, where nothing else is. */
  | { kind: "site"; host: string };

export interface Listing {
  address: Address;
  place: Place;
  cid: CID;
  links: Link[];
  /** Whether there are more. */
  cut: boolean;
}

const TEXTS: Record<Language, Record<"title" | "above" | "empty" | "name" | "size", string>> = {
  en: {
    title: "Index of",
    above: "Folders above",
    empty: "This folder is empty.",
    name: "Name",
    size: "Size",
  },
  de: {
    title: "Inhalt von",
    above: "Übergeordnete Ordner",
    empty: "Dieser Ordner ist leer.",
    name: "Name",
    size: "Größe",
  },
};

const MORE: Record<Language, (shown: number) => string> = {
  en: (shown) => `This folder has more entries than the ${shown} shown here.`,
  de: (shown) => `Dieser Ordner hat mehr als die ${shown} Einträge, die hier stehen.`,
};

export function listingPage(
  { address, place, cid, links, cut }: Listing,
  language: Language,
): Html {
  const { root, path } = address;
  const text = TEXTS[language];
  const here = folderUrl(address, place);
  const rows = links.map((link) => row(link, here, place, language));
  // The address of the folder above is left to the browser: it is the same for every way to come here.
  if (path.length > 0) rows.unshift([html`<a href="${here}/..">..</a>`, "", ""]);
  return page(
    `${text.title} ${[root, ...path].join("/")}`,
    html`
      <h1>${text.title} ${path.at(-1) ?? root}</h1>
      <nav aria-label="${text.above}">${crumbs(address, place)}</nav>
      ${rows.length > 0 ? table([text.name, "CID", text.size], rows) : ""}
      ${links.length === 0 ? html`<p>${text.empty}</p>` : ""}
      ${cut ? html`<p>${MORE[language](links.length)}</p>` : ""}
      <p class="quiet">CID <code translate="no">${String(cid)}</code></p>
    `,
    language,
  );
}

/** The path of the folder in its origin, without a slash at its end. */
function folderUrl({ namespace, root, path }: Address, { kind }: Place): string {
  return kind === "path" ? formatAddress({ namespace, root, path }) : inOrigin(path);
}

function inOrigin(path: string[]): string {
  return path.map((name) => `/${encodeURIComponent(name)}`).join("");
}

/** The site and each folder on the way. */
function crumbs({ namespace, root, path }: Address, place: Place): Html {
  const links = [root, ...path].map((name, depth) => {
    const above = path.slice(0, depth);
    const href = place.kind === "site"
      ? `//${place.host}${inOrigin(above) || "/"}`
      : gatewayOf(place) + formatAddress({ namespace, root, path: above });
    return html`/<a href="${href}">${name}</a>`;
  });
  return html`/${namespace}${links}`;
}

function gatewayOf(place: Exclude<Place, { kind: "site" }>): string {
  return place.kind === "path" ? "" : `//${place.gateway}`;
}

const POINT: Record<Language, string> = { en: ".", de: "," };

function row(
  { name, cid, size: bytes }: Link,
  here: string,
  place: Place,
  language: Language,
): (Html | string)[] {
  // A name that no URL can have leads nowhere: `..` would lead out of the folder.
  const link = /^\.{0,2}$|\//.test(name)
    ? name
    : html`<a href="${here}/${encodeURIComponent(name)}">${name}</a>`;
  return [link, hash(name, String(cid), place), size(bytes, POINT[language])];
}

/** A page of others, which is not to know from where one came. */
const ELSEWHERE = raw('target="_blank" rel="noreferrer noopener"');

/** The way to an entry by what it is, wherever it lies: on this gateway, or told apart by those who explain CIDs. */
function hash(name: string, cid: string, place: Place): Html {
  const short = `${cid.slice(0, 4)}…${cid.slice(-4)}`;
  if (place.kind === "site") {
    const href = `https://cid.ipfs.tech/#${cid}`;
    return html`<a class="ipfs-hash" translate="no" href="${href}" ${ELSEWHERE}>${short}</a>`;
  }
  // Encoded twice, as Kubo has it and the conformance tests of gateways want it.
  const filename = encodeURIComponent(encodeURIComponent(name));
  const href = `${gatewayOf(place)}/ipfs/${cid}?filename=${filename}`;
  return html`<a class="ipfs-hash" translate="no" href="${href}">${short}</a>`;
}
