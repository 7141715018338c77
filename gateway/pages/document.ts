/** A document for people: its values, with links that lead on. */
import { html } from "hono/html";
import { CID } from "multiformats/cid";
import { type Address, formatAddress } from "../../src/content/address.ts";
import { decodeDocument } from "../../src/content/document.ts";
import type { DocumentEntry } from "../../src/content/read.ts";
import { size } from "../../src/size.ts";
import { type Html, page } from "./page.ts";

/** Most values shown, and levels of them: a page that nobody can read helps nobody. */
const MAX_VALUES = 5_000, MAX_DEPTH = 64;

/** Longest text shown, in characters. */
const MAX_TEXT = 10_000;

export interface DocumentView {
  address: Address;
  /** Whether the site has an origin of its own, so that its links begin at `/`. */
  isolated: boolean;
  entry: DocumentEntry;
}

export function documentPage({ address, isolated, entry }: DocumentView): Html {
  const { cid, format, block } = entry;
  const here = isolated ? formatAddress(address).split("/").slice(3) : [];
  const base = isolated ? here.map((part) => `/${part}`).join("") : formatAddress(address);
  return page(
    [address.root, ...address.path].join("/"),
    html`
      <h1>${address.path.at(-1) ?? address.root}</h1>
      <p>A document in ${format}, ${size(block.byteLength)}. Its links lead to other content.</p>
      ${createShower(base)(decodeDocument(cid, block), [])}
      <p class="quiet">CID <code>${cid.toString()}</code></p>
    `,
  );
}

/** @param base where the document is */
function createShower(base: string): (value: unknown, path: string[]) => Html {
  let left = MAX_VALUES;
  return function show(value, path) {
    if (left-- <= 0 || path.length > MAX_DEPTH) return html`…`;
    const cid = CID.asCID(value);
    if (cid) return link(cid, path);
    if (value instanceof Uint8Array) return html`<em>${size(value.byteLength)} of bytes</em>`;
    if (typeof value !== "object" || value === null) return html`<code>${text(value)}</code>`;
    const members: Html[] = [];
    for (const [key, member] of Object.entries(value)) {
      members.push(html`<li>${key.slice(0, MAX_TEXT)}: ${show(member, [...path, key])}</li>`);
      if (left <= 0) break;
    }
    return members.length > 0
      ? html`<ul>${members}</ul>`
      : html`<code>${Array.isArray(value) ? "[]" : "{}"}</code>`;
  };

  function link(cid: CID, path: string[]): Html {
    // What no address can spell leads nowhere.
    if (path.some((key) => ["", ".", ".."].includes(key) || !key.isWellFormed())) {
      return html`<code>${cid.toString()}</code>`;
    }
    const href = [base, ...path.map(encodeURIComponent)].join("/");
    return html`<a href="${href}">${cid.toString()}</a>`;
  }
}

function text(value: unknown): string {
  const full = typeof value === "string" ? JSON.stringify(value) : String(value);
  return full.length > MAX_TEXT ? `${full.slice(0, MAX_TEXT)}…` : full;
}
