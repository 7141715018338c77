/** A folder without an index.html, as a list of links. */
import { html } from "hono/html";
import { type Address, formatAddress } from "../../src/content/address.ts";
import type { Link } from "../../src/content/unixfs.ts";
import { size } from "../../src/size.ts";
import { type Html, page, table } from "./page.ts";

export interface Listing {
  address: Address;
  /** Whether the site has an origin of its own, so that its links begin at `/`. */
  isolated: boolean;
  cid: string;
  links: Link[];
  /** Whether there are more. */
  cut: boolean;
}

export function listingPage({ address, isolated, cid, links, cut }: Listing): Html {
  const { root, path } = address;
  return page(
    `Index of ${[root, ...path].join("/")}`,
    html`
      <h1>Index of ${path.at(-1) ?? root}</h1>
      <nav aria-label="Folders above">${crumbs(address, isolated)}</nav>
      ${links.length === 0
        ? html`<p>This folder is empty.</p>`
        : table(["Name", "Size"], links.map(linkRow))}
      ${cut ? html`<p>This folder has more entries than the ${links.length} shown here.</p>` : ""}
      <p class="quiet">CID <code>${cid}</code></p>
    `,
  );
}

/** The site and each folder on the way, the last without a link. */
function crumbs({ namespace, root, path }: Address, isolated: boolean): Html[] {
  return [root, ...path].map((name, depth) => {
    if (depth === path.length) return html`<span aria-current="page">${name}</span> /`;
    const above = path.slice(0, depth);
    const href = isolated
      ? `/${above.map((name) => `${encodeURIComponent(name)}/`).join("")}`
      : `${formatAddress({ namespace, root, path: above })}/`;
    return html`
      <a href="${href}">${name}</a> /
    `;
  });
}

function linkRow({ name, size: bytes }: Link): [Html, string] {
  return [html`<a href="./${encodeURIComponent(name)}">${name}</a>`, size(bytes)];
}
