/** Why a name server did not write what it was to write, in words. None of them has the secret. */
import { NethoodError } from "../errors.ts";
import { printable } from "../printable.ts";
import { RCODE } from "./dns-message.ts";
import type { UpdateServer } from "./dns-update-server.ts";
import type { Verdict } from "./tsig.ts";

type Server = Pick<UpdateServer, "text" | "key">;

export function unreachable({ text }: Server, tries: string[], cause: unknown): NethoodError {
  return new NethoodError(
    "DNS_UNREACHABLE",
    `The name server ${text} gave no answer (${[...new Set(tries)].join(", ")}).`,
    {
      cause,
      hint: "Check the name server's address and port, and that it can be reached from here.",
    },
  );
}

export function aliased({ text }: Server, name: string, target: string): NethoodError {
  return failed(
    `At the name server ${text}, ${name} is an alias (CNAME) of ${
      printable(target)
    }, and can hold no texts of its own.`,
    "Remove the CNAME record, or write the texts where it leads to.",
  );
}

export function elsewhere({ text }: Server, name: string, zone: string): NethoodError {
  return failed(
    `The name server ${text} has handed ${
      printable(zone)
    }, and ${name} with it, to other name servers.`,
    `Name the primary server of ${printable(zone)} instead.`,
  );
}

export function noZone({ text }: Server, name: string, rcode: number): NethoodError {
  return failed(
    `The name server ${text} has no zone that holds ${name} (it says ${word(rcode)}).`,
    "Name the primary server of the zone; if it hides what it has, add &zone=example.org.",
  );
}

export function notAuthoritative({ text }: Server, zone: string): NethoodError {
  return failed(
    `The name server ${text} only tells about ${zone} what others told it: it is a resolver, not the zone's server.`,
    "Name the primary server of the zone.",
  );
}

export function changing({ text }: Server, name: string): NethoodError {
  return failed(
    `Somebody else was changing ${name} at ${text} at the same time, again and again.`,
    "Try again when they are done.",
  );
}

/** Something answers in the server's place, or does not have the key. */
export function forged({ text, key }: Server, why: string): NethoodError {
  return failed(
    `An answer that ${text} is said to have given does not prove it: ${why}.`,
    `Nothing is known to be written. Check the key "${key.name}", and who is between.`,
  );
}

interface Refusal {
  zone: string;
  name: string;
  rcode: number;
  verdict: Verdict;
  /** This machine's time, in milliseconds since 1970. */
  now: number;
}

export function refused({ text, key }: Server, refusal: Refusal): NethoodError {
  const { zone, name, rcode, verdict, now } = refusal;
  const wanted = `"${key.name}" (${key.algorithm})`;
  if (verdict.kind === "refused") {
    switch (verdict.code) {
      case RCODE.BADKEY:
        return failed(
          `The name server ${text} knows no key ${wanted} that may change ${zone}.`,
          "Check the key's name and its algorithm, which have to be the same there, and that it may update the zone.",
        );
      case RCODE.BADSIG:
        return failed(
          `The name server ${text} knows the key ${wanted}, but has another secret for it.`,
          "Copy the secret anew from the server's configuration.",
        );
      case RCODE.BADTIME:
        return failed(
          verdict.time === undefined
            ? `The name server ${text} finds that this machine's clock is wrong.`
            : `This machine's clock is ${
              apart(now - verdict.time)
            } that of the name server ${text}.`,
          "Set the clock of whichever is wrong: more than five minutes apart, signatures are worth nothing.",
        );
      case RCODE.BADTRUNC:
        return failed(
          `The name server ${text} wants longer signatures.`,
          "Use a key for another algorithm.",
        );
    }
  }
  switch (rcode) {
    case RCODE.NOTAUTH:
      return failed(
        `The name server ${text} is not in charge of the zone ${zone}.`,
        "Name the zone's primary server, or another zone with &zone=.",
      );
    case RCODE.NOTZONE:
      return failed(
        `The name ${name} is not in the zone ${zone}.`,
        "Name the right one with &zone=.",
      );
    case RCODE.REFUSED:
      return failed(
        `The name server ${text} does not let the key ${wanted} change ${name}.`,
        `Allow it there: an update-policy of BIND or an acl with action update of Knot, for TXT records at ${name}.`,
      );
    case RCODE.NOTIMP:
      return failed(`The name server ${text} takes no updates.`, "Name the zone's primary server.");
  }
  return failed(
    `The name server ${text} did not change ${name}: it says ${word(rcode)}.`,
    "Its own log may say more.",
  );
}

function failed(message: string, hint: string): NethoodError {
  return new NethoodError("DNS_UPDATE_FAILED", message, { hint });
}

function word(rcode: number): string {
  return Object.entries(RCODE).find(([, code]) => code === rcode)?.[0] ?? `code ${rcode}`;
}

/** @param ms how much later it is here */
function apart(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  const [long, unit] = seconds < 2 * 60
    ? [seconds, "s"]
    : seconds < 2 * 3600
    ? [Math.round(seconds / 60), "min"]
    : seconds < 2 * 86_400
    ? [Math.round(seconds / 3600), "h"]
    : [Math.round(seconds / 86_400), "days"];
  return `${long} ${unit} ${ms > 0 ? "ahead of" : "behind"}`;
}
