/** HTTP by hand over a socket: what a client sends is exactly what a test says, and what comes back is all that came. */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";

/** One answer, taken apart. */
export interface Answer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string;
}

/** How long a server may be silent before it is given up, in milliseconds. */
const SILENT_MS = 20_000;

/** Sends a text with CRLF line ends and gives all that came until the server closed. */
export function send(url: string, text: string): Promise<string> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    const socket = open(url);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
    socket.on("error", reject);
    socket.setTimeout(SILENT_MS, () => {
      socket.destroy(new Error(`${url} was silent for ${SILENT_MS} ms, and did not close`));
    });
    socket.write(text);
  });
}

/** Asks once and lets the server close. */
export async function askRaw(url: string, target: string, ...headers: string[]): Promise<Answer> {
  const lines = [`GET ${target} HTTP/1.1`, ...headers, "Connection: close", "", ""];
  return parse(await send(url, lines.join("\r\n")));
}

export function parse(text: string): Answer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const fields = lines.map((line) => line.split(/: (.*)/s) as [string, string]);
  return {
    status: Number(first.split(" ")[1]),
    headers: Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value])),
    body: rest.join("\r\n\r\n"),
  };
}

/** A connection to a server's URL. */
export function open(url: string): Socket {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname.replace(/^\[|\]$/g, ""));
}
