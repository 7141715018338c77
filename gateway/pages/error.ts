/** A failure, for a person: what happened, and what to do next. */
import { html } from "hono/html";
import { type Html, page } from "./page.ts";

export function errorPage(
  status: number,
  asked: string,
  message: string,
  hint: string | undefined,
): Html {
  return page(
    `${status}: not opened`,
    html`<h1>This page could not be opened</h1>
<p>You asked for <code>${asked}</code></p>
<p>${message}</p>
${hint ? html`<p><strong>What you can do:</strong> ${hint}</p>` : ""}
<p class="quiet">Status ${status}</p>`,
  );
}
