/** The frame of every page a node shows: no script, no request to anywhere, readable on a telephone and by a screen reader. */
import { html, raw } from "hono/html";

/** What Hono's `html` gives: text that is already escaped. */
export type Html = ReturnType<typeof html>;

const STYLE = `
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
  body { max-width: 46rem; margin: 3rem auto; padding: 0 1rem }
  h1 { font-size: 1.5rem; line-height: 1.25 } a { color: #06c } code, td { overflow-wrap: anywhere }
  table { border-collapse: collapse; width: 100% } td { padding: .25rem .5rem .25rem 0; border-top: 1px solid #8884 }
  td:nth-child(2) { text-align: right; white-space: nowrap } footer, .quiet { color: #777; font-size: .875rem }
  input { font: inherit; width: 100%; padding: .5rem; box-sizing: border-box } @media (prefers-color-scheme: dark) { a { color: #6af } }
`;

export function page(title: string, body: Html): Html {
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width">
      <title>${title}</title>
      <style>${raw(STYLE)}</style>
      <body>
    ${body}
    <footer><hr>Nethood: the web, carried by its readers.</footer>
      </body>
    </html>
  `;
}

/** Bytes for people. */
export function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
  return `${unit === 0 ? bytes : bytes.toFixed(1)} ${units[unit]}`;
}
