/** The frame of every page a node shows: no script, no request to anywhere, readable on a telephone and by a screen reader. */
import { html, raw } from "hono/html";
import type { Language } from "../language.ts";

/** What Hono's `html` gives: text that is already escaped. */
export type Html = ReturnType<typeof html>;

const STYLE = `
  :root { color-scheme: light dark; --text: #1d2125; --quiet: #5c646c; --line: #d9dee3; --link: #0757b8; --back: #fff; --soft: #f3f5f7;
    font: 1rem/1.55 system-ui, sans-serif; color: var(--text); background: var(--back) }
  @media (prefers-color-scheme: dark) {
    :root { --text: #e4e7ea; --quiet: #9ba3ab; --line: #353b42; --link: #7ab4ff; --back: #15181b; --soft: #20252a }
  }
  body { max-width: 46rem; margin: 0 auto; padding: clamp(1.25rem, 6vw, 3.5rem) 1rem 2rem }
  h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .75rem; overflow-wrap: anywhere }
  h2 { font-size: 1rem; margin: 2rem 0 .25rem } p { margin: .25rem 0 .75rem; overflow-wrap: anywhere } a { color: var(--link) }
  code { font-size: .9em; overflow-wrap: anywhere } ul { padding-left: 1.25rem }
  nav { color: var(--quiet); margin-bottom: 1.25rem; overflow-wrap: anywhere } nav [aria-current] { color: var(--text) }
  table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top; padding: .45rem 0; border-bottom: 1px solid var(--line) }
  th { color: var(--quiet); font-size: .875rem; font-weight: 600 } td { overflow-wrap: anywhere } td a { display: block; text-decoration: none }
  td a:hover, td a:focus { text-decoration: underline } tr > :last-child { text-align: right; white-space: nowrap } tr > :not(:first-child) { padding-left: 1rem; color: var(--quiet) }
  td a.ipfs-hash { color: inherit; font: .8125rem/1.9 ui-monospace, monospace; white-space: nowrap }
  @media (max-width: 34rem) { tr > :nth-child(2):not(:last-child) { display: none } }
  label { font-weight: 600 } .row { display: flex; gap: .5rem; margin-top: .25rem }
  input, button { font: inherit; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .375rem; background: var(--soft); color: inherit }
  input { flex: 1; min-width: 0 } button { background: var(--link); border-color: var(--link); color: var(--back); font-weight: 600; cursor: pointer }
  .asked { background: var(--soft); border-radius: .375rem; padding: .6rem .75rem } summary { cursor: pointer; color: var(--quiet) }
  footer, .quiet { color: var(--quiet); font-size: .875rem } .quiet { margin-top: 1.25rem }
  footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: .75rem }
`;

/** In the page itself, so that no browser asks for /favicon.ico. */
const ICON = "data:image/svg+xml," + encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke="#3b82f6" stroke-width="3">
<path d="M8 9l16 3M8 9l6 15M24 12L14 24"/><g fill="#3b82f6"><circle cx="8" cy="9" r="4"/><circle cx="24" cy="12" r="4"/><circle cx="14" cy="24" r="4"/></g></svg>`,
);

/** What every page says at its end. */
const FOOTER: Record<Language, string> = {
  en: "Nethood: the web, carried by its readers.",
  de: "Nethood: das Web, getragen von denen, die es lesen.",
};

export function page(title: string, body: Html, language: Language = "en"): Html {
  return html`
    <!DOCTYPE html>
    <html lang="${language}">
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width">
      <title>${title}</title>
      <link rel="icon" href="${ICON}">
      <style>${raw(STYLE)}</style>
      <body>
        <main>${body}</main>
        <footer>${FOOTER[language]}</footer>
      </body>
    </html>
  `;
}

/** Rows with a link first, and what is to be said of it after that. */
export function table(heads: string[], rows: (Html | string)[][]): Html {
  return html`
    <table>
      <tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr>
      ${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>\n`)}
    </table>
  `;
}
