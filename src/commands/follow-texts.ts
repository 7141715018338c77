/** What a person and a program are told of the sites that are followed. */
import type { FollowEvent } from "../follower.ts";
import type { Node } from "../node.ts";
import { size } from "../size.ts";
import { count } from "../texts.ts";
import type { Teller } from "../teller.ts";

/** Tells what happens to them, for as long as the node runs. */
export function tellFollowing(
  { follower }: Pick<Node, "follower">,
  teller: Teller,
  signal: AbortSignal,
): void {
  follower.watch((event) => tell(event, teller), { signal });
}

function tell(event: FollowEvent, teller: Teller): void {
  if (event.type === "trouble") return teller.note(event.text);
  if (event.type === "version") {
    const { taken: { site, number, cid, bytes, fetched, versions } } = event;
    const which = number === undefined ? `${cid}` : `version ${number}: ${cid}`;
    const kept = versions > 1 ? `; ${versions} versions are here` : "";
    return teller.tell(
      "follow:version",
      { site, number, cid: String(cid), bytes, fetched, versions },
      `${site} is here whole, ${which} (${size(bytes)}, ${size(fetched)} of it new${kept})`,
    );
  }
  const { progress } = event;
  const { site, number, fetched, peers } = progress;
  const which = number === undefined ? site : `${site}, version ${number}`;
  const from = count(peers, "peer");
  teller.progress("follow:progress", progress, `${which}: ${size(fetched)} so far, from ${from}`);
}
