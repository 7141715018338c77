/** The files that a site has for its gateway, checked when it is published: its readers have nobody to tell of a mistake. */
import type { CID } from "multiformats/cid";
import { localOnly } from "../src/content/blocks.ts";
import { open } from "../src/content/read.ts";
import { NethoodError } from "../src/errors.ts";
import type { Node } from "../src/node.ts";
import { headersProblems, MAX_HEADERS_FILE, parseHeaders } from "./headers-file.ts";
import { MAX_FILE, parseRedirects } from "./redirects-file.ts";
import { readSmall } from "./small-file.ts";

type Options = { signal: AbortSignal };

const FILES: [name: string, max: number, check: (bytes: Uint8Array) => string[]][] = [
  [
    "_headers",
    MAX_HEADERS_FILE,
    (bytes) => headersProblems("The file _headers", parseHeaders(bytes)),
  ],
  ["_redirects", MAX_FILE, (bytes) => {
    parseRedirects(bytes);
    return [];
  }],
];

/** What gateways will make nothing of in a site's `_headers` and `_redirects`, as sentences that name the line. */
export async function siteFileProblems(
  { blocks }: Pick<Node, "blocks">,
  root: CID,
  options: Options,
): Promise<string[]> {
  const problems: string[] = [];
  for (const [name, max, check] of FILES) {
    try {
      const entry = await open(localOnly(blocks), root, [name], options);
      if (entry.kind === "file") problems.push(...check(await readSmall(entry, max, options)));
      else problems.push(`${name} counts for nothing: it is not a file.`);
    } catch (error) {
      if (!(error instanceof NethoodError)) throw error;
      if (error.code === "BAD_REDIRECTS") problems.push(error.message);
      else if (error.code !== "NOT_FOUND") throw error;
    }
  }
  return problems;
}
