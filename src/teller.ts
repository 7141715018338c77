/** What the program says: sentences for a person, or the same events as JSON lines for a program. */
import type { Writable } from "node:stream";
import type { AddProgress } from "./content/write.ts";
import { NethoodError, systemCode } from "./errors.ts";
import type { Node } from "./node.ts";
import type { Published } from "./seeder.ts";

/** How often progress is told, in milliseconds: on a terminal it is one line that changes, elsewhere a new line each time. */
const TERMINAL_MS = 100, LINES_MS = 2_000;

export interface Teller {
  ready(node: Node, gateway: string): void;
  progress(progress: AddProgress): void;
  published(published: Published): void;
  note(line: string): void;
  failure(error: unknown): void;
}

export function createTeller(
  { stdout, stderr }: { stdout: Writable; stderr: Writable },
  json: boolean,
): Teller {
  const event = (event: string, data: object) =>
    stdout.write(`${JSON.stringify({ event, ...data })}\n`);
  const terminal = (stderr as { isTTY?: boolean }).isTTY === true;
  let toldAt = 0;
  let lineOpen = false;

  /** Ends a line of progress that is still being rewritten. */
  function line(text: string, to = stdout): void {
    if (lineOpen) stderr.write("\n");
    lineOpen = false;
    to.write(`${text}\n`);
  }

  return {
    ready(node, gateway) {
      const { id, addresses, dir, peers } = node;
      for (const type of ["peer:connect", "peer:disconnect"] as const) {
        node.helia.libp2p.addEventListener(type, ({ detail }) => {
          if (json) event(type, { id: String(detail) });
          else line(`${type === "peer:connect" ? "Neighbour" : "Gone"}: ${detail}`);
        });
      }
      if (json) return void event("ready", { id, addresses, gateway, dir, peers });
      const indent = (lines: string[]) => lines.join("\n               ");
      line(`
Nethood is running.

  Gateway      ${gateway}
  Open a site  ${gateway}/ipns/docs.example.org/
               or set ${
        gateway.replace("http://", "")
      } as your browser's HTTP proxy and use ordinary addresses
  Folder       ${dir}
  Peer ID      ${id}
  Addresses    ${indent(addresses.length > 0 ? addresses : ["none: nobody can reach this node"])}
  Neighbours   ${
        peers.length > 0
          ? indent(peers)
          : "none yet; it works with what it has, and goes on looking"
      }

Ctrl-C stops it. Everything it opened stays.`);
    },

    progress(progress) {
      const { files, totalFiles, bytes, totalBytes } = progress;
      const now = Date.now();
      if (now - toldAt < (terminal ? TERMINAL_MS : LINES_MS) && files < totalFiles) return;
      toldAt = now;
      if (json) return void event("seed:progress", progress);
      const percent = totalBytes === 0 ? 100 : Math.floor(100 * bytes / totalBytes);
      const text = `Hashing: ${percent} %, ${files} of ${totalFiles} files, ${mib(bytes)} of ${
        mib(totalBytes)
      } MiB`;
      if (!terminal) return line(text, stderr);
      stderr.write(`\r${text}\x1b[K`);
      lineOpen = true;
    },

    published({ cid, key, site, dnslink, files, bytes, skipped, outside }) {
      if (json) {
        return void event("seed:done", {
          cid: String(cid),
          name: key,
          site,
          dnslink,
          files,
          bytes,
          skipped,
          outside,
        });
      }
      for (const { path, why } of skipped) line(`Left out: ${path}: ${why}.`);
      for (const path of outside) {
        line(`Note: ${path} is a link to something outside the folder; its content is published.`);
      }
      line(`
${site} is published: ${files} files, ${mib(bytes)} MiB.

  CID          ${cid}
  IPNS name    ${key}

Put this record into the DNS of ${site}, once; later versions need no change there:

  ${dnslink}`);
    },

    note(text) {
      if (json) event("note", { text });
      else line(text, stderr);
    },

    failure(error) {
      const { message, hint, code } = explain(error);
      if (json) event("error", { code, message, hint });
      line(`nethood: ${message}${hint ? `\n         ${hint}` : ""}`, stderr);
    },
  };
}

function explain(error: unknown): { message: string; hint?: string | undefined; code: string } {
  if (error instanceof NethoodError) return error;
  const code = systemCode(error) ?? "UNEXPECTED";
  const message = error instanceof Error ? error.message.split("\n")[0]! : String(error);
  return { message, hint: "This was not foreseen; please report it, with what you did.", code };
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
