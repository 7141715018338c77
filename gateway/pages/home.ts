/** The reader's own page: where to type an address, and what is kept here. */
import { html } from "hono/html";
import { size } from "../../src/size.ts";
import { type Html, page, table } from "./page.ts";

const NOTHING =
  "Nothing yet. What you open will be listed here, and stays readable without its server.";

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
      <form action="/open">
        <label for="address">Open a site</label>
        <div class="row">
          <input id="address" name="address" placeholder="docs.example.org" required autofocus
            autocomplete="off" autocapitalize="none" spellcheck="false"><button>Open</button>
        </div>
      </form>
      <h2>Kept here, and given to neighbours</h2>
      ${visits.length === 0
        ? html`<p>${NOTHING}</p>`
        : table(["Address", "Size"], visits.map(visitRow))}
      <h2>This node</h2>
      <p>${peers.length} ${peers.length === 1 ? "neighbour is" : "neighbours are"} connected.</p>
      <details>
        <summary>Its peer ID and addresses</summary>
        <p><code>${id}</code></p>
        ${addresses.map((address) => html`<p><code>${address}</code></p>`)}
      </details>
    `,
  );
}

function visitRow({ address, size: bytes }: Home["visits"][number]): [Html, string] {
  const shown = decodeURI(address.replace(/^\/ipns\//, ""));
  return [html`<a href="${address}">${shown}</a>`, size(bytes)];
}
