/**
 * Past Request and Response, which cost more than all the rest of a ready answer: what node:http was asked goes to the ready
 * answers (hot.ts) as it is, and what is found goes to the socket.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer } from "./answer.ts";
import type { Plain } from "./hot.ts";

/** Hosts that no URL writes in another way, but for a port that it leaves out: then nothing is found under this address. */
const HOST = /^[a-z0-9._-]+(:\d+)?$/;

/**
 * What was asked for; undefined where that takes more than a look. The address stands as it came: what is ready is known by its
 * normal form, and no other form of it finds anything.
 */
export function asked(incoming: IncomingMessage): Plain | undefined {
  const { method, url, headers } = incoming;
  const { host } = headers;
  if (host === undefined || !HOST.test(host)) return undefined;
  return {
    method: method!,
    url: `http://${host}${url}`,
    headers: {
      get: (name) => (headers[name] as string | undefined) ?? null,
      has: (name) => headers[name] !== undefined,
    },
  };
}

/** Node leaves the body out where HEAD was asked. @returns whether it was sent: not one whose body is not at hand */
export function send(answer: Answer, outgoing: ServerResponse): boolean {
  const { parts } = answer;
  if (parts === undefined) return false;
  outgoing.writeHead(answer.status, parts.row);
  outgoing.end(parts.body);
  return true;
}
