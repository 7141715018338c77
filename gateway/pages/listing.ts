/** A folder without an index.html, as a list of links. */
import { html } from "hono/html";
import type { Link } from "../../src/content/unixfs.ts";
import { type Html, page, size } from "./page.ts";

/** @param path the folder's path as the reader sees it, decoded and with a slash at its end */
export function listingPage(path: string, cid: string, links: Link[], cut: boolean): Html {
  return page(
    `Index of ${path}`,
    html`<h1>Index of ${path}</h1>
<p class="quiet">${cid}</p>
<table>
<tr><td><a href="..">..</a></td><td></td></tr>
${
      links.map(({ name, size: bytes }) =>
        html`
          <tr>
            <td><a href="./${encodeURIComponent(name)}">${name}</a></td>
            <td>${size(bytes)}</td>
          </tr>
        `
      )
    }</table>
${cut ? html`<p>This folder has more entries than are shown here.</p>` : ""}`,
  );
}
