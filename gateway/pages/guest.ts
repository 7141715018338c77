/** What a node shows of itself where others could look: how to use it, and nothing about its reader. */
import { html } from "hono/html";
import { type Html, page } from "./page.ts";

/** @param origin such as `http://192.0.2.1:7080` */
export function guestPage(origin: string): Html {
  return page(
    "Nethood gateway",
    html`
      <h1>A Nethood gateway</h1>
      <p>It opens sites by their names and by their content:</p>
      <ul>
        <li><code>${origin}/ipns/docs.example.org/</code></li>
        <li><code>${origin}/ipfs/&lt;cid&gt;/</code></li>
      </ul>
      <p>Set as HTTP proxy of a browser, it opens sites at their ordinary addresses, such as
        <code>http://docs.example.org/</code>.</p>
    `,
  );
}
