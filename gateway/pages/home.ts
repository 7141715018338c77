/** The node's own page: where to type an address, and what is kept here. */
import { html } from "hono/html";
import { type Html, page, size } from "./page.ts";

export interface Home {
  id: string;
  addresses: string[];
  peers: string[];
  visits: { address: string; size: number; opened: number }[];
}

export function homePage({ id, addresses, peers, visits }: Home): Html {
  return page(
    "Nethood",
    html`
      <h1>Your Nethood node</h1>
      <form
        action="/open"><label>Open a site: <input name="address" placeholder="docs.example.org" autofocus></label></form>
      <p>${peers.length} ${peers.length === 1 ? "neighbour is" : "neighbours are"} connected.</p>
      <h2>Kept here, and given to neighbours</h2>
      ${visits.length === 0
        ? html`<p>Nothing yet: what you open will be listed here, and stays readable without its server.</p>`
        : html`<table>${
          visits.map((v) =>
            html`
              <tr>
                <td><a href="${v.address}">${decodeURI(v.address)}</a></td>
                <td>${size(v.size)}</td>
              </tr>
            `
          )
        }</table>`}
      <p class="quiet">Peer ID ${id}<br>${addresses.map((a) => html`<code>${a}</code><br>`)}</p>
    `,
  );
}
