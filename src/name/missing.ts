/** Why a key has no record that could be used, for a person. */
import { base36 } from "multiformats/bases/base36";
import type { CID } from "multiformats/cid";
import { NethoodError } from "../errors.ts";
import { utc } from "../time.ts";
import type { IpnsRecord } from "./record.ts";

/**
 * @param newest the record that is here, which has expired
 * @param refused why what others sent was not taken
 */
export function explainMissing(
  key: CID,
  newest: IpnsRecord | undefined,
  refused: Error[],
  now: number,
): NethoodError {
  const name = key.toString(base36);
  const since = newest ? `: it was valid until ${utc(newest.expires)}` : "";
  const cause = refused.length > 0 ? { cause: new AggregateError(refused) } : {};
  if (newest !== undefined || refused.some(({ name }) => name === "RecordExpiredError")) {
    return new NethoodError("IPNS_INVALID", `The IPNS record of ${name} has expired${since}.`, {
      ...cause,
      hint: `If the clock of this machine is right (${utc(now)}), its publisher has to come ` +
        "online and sign it again; otherwise set the clock.",
    });
  }
  if (refused.length > 0) {
    return new NethoodError(
      "IPNS_INVALID",
      `No neighbour has a valid IPNS record of ${name}: what they sent is broken, or not signed by its key.`,
      { ...cause, hint: "Connect to somebody else who has the site (--peer), or try again later." },
    );
  }
  return new NethoodError("IPNS_NOT_FOUND", `No neighbour has the IPNS record of ${name}.`, {
    hint: "Check that somebody who has the site is reachable (--peer), or try again later.",
  });
}
