/** A failure, for a person: what was asked, what went wrong, and what to do next. */
import { html } from "hono/html";
import { type Html, page } from "./page.ts";

export function errorPage(
  status: number,
  asked: string,
  message: string,
  hint: string,
): Html {
  return page(
    `${status}: not opened`,
    html`
      <h1>This page could not be opened</h1>
      <p class="asked"><code>${asked}</code></p>
      <h2>What went wrong</h2>
      <p>${message}</p>
      <h2>What you can do</h2>
      <p>${hint}</p>
      <p class="quiet">Status ${status}</p>
    `,
  );
}
