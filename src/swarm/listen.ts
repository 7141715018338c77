/** What a person asked to listen on: checked before, checked after, and told by name where it does not work. */
import { createSocket } from "node:dgram";
import { multiaddr } from "@multiformats/multiaddr";
import { NethoodError, systemCode } from "../errors.ts";

/** What the transports of this program can listen on. */
const LISTENABLE = /^\/(ip4|ip6|dns[46]?)\/[^/]+\/(tcp\/\d+(\/ws)?|udp\/\d+\/webrtc-direct)$/;

const HINT =
  "Use addresses of this machine, such as /ip4/0.0.0.0/tcp/4001 or /ip4/127.0.0.1/tcp/0/ws.";

/** @throws {NethoodError} BAD_OPTION for an address that nothing can listen on */
export function checkAddress(text: string): void {
  try {
    multiaddr(text);
  } catch (cause) {
    throw new NethoodError("BAD_OPTION", `"${text}" is not an address to listen on.`, {
      cause,
      hint: HINT,
    });
  }
  if (!LISTENABLE.test(text)) throw unlistenable(text);
}

/**
 * libp2p is content when IPv4 works and IPv6 does not; a person who asked for both is not.
 *
 * @throws {NethoodError} BAD_OPTION
 */
export function checkListening(listen: readonly string[], listening: readonly string[]): void {
  const isIp6 = (text: string) => text.startsWith("/ip6/");
  const silent = listen.find(isIp6);
  if (silent !== undefined && !listening.some(isIp6)) throw unlistenable(silent);
}

/** What kept a host from listening, as a sentence; any other error as it is. */
export async function listenError(error: unknown, listen: readonly string[]): Promise<unknown> {
  if (!(error instanceof Error)) return error;
  // WebRTC's native module prints the reason and throws another.
  if (error.message.includes("ICE UDP mux")) {
    const udp = listen.filter((text) => text.includes("/udp/"));
    for (const text of udp) if (await isTaken(text)) return inUse(text, error);
    return unlistenable(udp[0], error);
  }
  if (error.name !== "UnsupportedListenAddressesError") return error;
  const [, taken] = /^ *(\/\S+): .*(?:EADDRINUSE|address already in use)/im.exec(error.message) ??
    [];
  if (taken !== undefined) return inUse(taken, error);
  return unlistenable(/^ *(\/\S+): /m.exec(error.message)?.[1], error);
}

function inUse(address: string, cause: unknown): NethoodError {
  return new NethoodError("PORT_IN_USE", `${address} is in use by another program.`, {
    cause,
    hint: "Choose another port with --listen, or port 0 for any that is free.",
  });
}

function unlistenable(address: string | undefined, cause?: unknown): NethoodError {
  return new NethoodError(
    "BAD_OPTION",
    `${address ?? "An address given with --listen"} cannot be listened on.`,
    { cause, hint: HINT },
  );
}

/** Whether another program has the UDP port of a multiaddr. */
async function isTaken(address: string): Promise<boolean> {
  const [, family, host, , port] = address.split("/");
  const socket = createSocket(family === "ip6" ? "udp6" : "udp4");
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject).bind(Number(port), host, resolve);
    });
    return false;
  } catch (error) {
    return systemCode(error) === "EADDRINUSE";
  } finally {
    socket.close();
  }
}
