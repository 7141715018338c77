/**
 * IPNS over PubSub (specs.ipfs.tech/ipns/ipns-pubsub-router): a record is told to all who follow its key as soon as it is signed,
 * over gossipsub, on a topic of the key's own. Late joiners ask for it over Fetch (records.ts).
 *
 * A record is checked before it is passed on: nobody relays here what is invalid, known or older. Whoever sends such things
 * again and again is hung up on.
 */
import { type GossipSub, type Message, TopicValidatorResult } from "@libp2p/gossipsub";
import { multihashFromIPNSRoutingKey, multihashToIPNSRoutingKey } from "@helia/ipns";
import type { Libp2p, PeerId } from "@libp2p/interface";
import { base64url } from "multiformats/bases/base64";
import { CID } from "multiformats/cid";
import { LIBP2P_KEY } from "../content/address.ts";
import { createPatience } from "./push-patience.ts";

const PREFIX = "/record/";

export interface Push {
  /** Listens to what is told of a key, and tells others that it does. */
  subscribe(key: CID): void;
  unsubscribe(key: CID): void;
  /** Tells a record of ours to all who listen; how many peers it was sent to. */
  publish(key: CID, record: Uint8Array): Promise<number>;
  /** How many connected peers listen. */
  listeners(key: CID): number;
  stop(): void;
}

export interface PushOptions {
  /** Takes in a record that came; whether it is newer than what was known. @throws {Error} for one that is not valid */
  hear(key: CID, record: Uint8Array): Promise<boolean>;
  /** Told of a peer that listens to the same key: it may know of a newer record. */
  met(key: CID, peer: PeerId): void;
  /** Hangs up on a peer. */
  ban(peer: PeerId, why: string): void;
}

/** Without gossipsub it does nothing, and followers ask. */
export function createPush(
  { services: { pubsub } }: Pick<Libp2p<{ pubsub?: GossipSub }>, "services">,
  { hear, met, ban }: PushOptions,
): Push {
  if (pubsub === undefined) return SILENT;
  /** What is listened to: keys by their topics. */
  const keys = new Map<string, CID>();
  const patience = createPatience();
  const over = new AbortController();

  // One for all topics, also for those that nobody here asked for.
  pubsub.topicValidators = new Map();
  pubsub.topicValidators.get = () => validate;
  pubsub.addEventListener("subscription-change", ({ detail: { peerId, subscriptions } }) => {
    for (const { topic, subscribe } of subscriptions) {
      const key = keys.get(topic);
      if (subscribe && key !== undefined) met(key, peerId);
    }
  }, { signal: over.signal });

  return {
    subscribe(key) {
      const topic = topicOf(key);
      keys.set(topic, key);
      pubsub.subscribe(topic);
      for (const peer of pubsub.getSubscribers(topic)) met(key, peer);
    },
    unsubscribe(key) {
      const topic = topicOf(key);
      if (keys.delete(topic)) pubsub.unsubscribe(topic);
    },
    async publish(key, record) {
      const { recipients } = await pubsub.publish(topicOf(key), record);
      return recipients.length;
    },
    listeners: (key) => pubsub.getSubscribers(topicOf(key)).length,
    stop: () => over.abort(),
  };

  async function validate(peer: PeerId, { topic, data }: Message): Promise<TopicValidatorResult> {
    const key = keys.get(topic);
    const id = peer.toString();
    // What nobody asked for is not looked at, like what comes too often.
    if (key === undefined || !patience.has(id)) return ignored(peer, "unasked");
    try {
      if (await hear(key, data)) return TopicValidatorResult.Accept;
    } catch (error) {
      if (isStale(error)) return ignored(peer, "stale");
      ignored(peer, "invalid");
      return TopicValidatorResult.Reject;
    }
    return ignored(peer, "stale");
  }

  function ignored(peer: PeerId, why: "unasked" | "stale" | "invalid"): TopicValidatorResult {
    if (patience.lose(peer.toString(), why)) {
      ban(peer, "it sends IPNS records that are not valid, or old, without end");
    }
    return TopicValidatorResult.Ignore;
  }
}

/** The topic of a key: `/record/` and the routing key, `/ipns/` and the key's multihash, in base64url without padding. */
export function topicOf(key: CID): string {
  return PREFIX + base64url.baseEncode(multihashToIPNSRoutingKey(key.multihash));
}

/** The key of a topic that {@link topicOf} made. */
export function keyOfTopic(topic: string): CID {
  const routingKey = base64url.baseDecode(topic.slice(PREFIX.length));
  return CID.createV1(LIBP2P_KEY, multihashFromIPNSRoutingKey(routingKey));
}

/** A record whose time is over is passed on by nobody, but whoever sends it may only have a clock that is behind. */
function isStale(error: unknown): boolean {
  return error instanceof Error && error.name === "RecordExpiredError";
}

const SILENT: Push = {
  subscribe: () => undefined,
  unsubscribe: () => undefined,
  publish: () => Promise.resolve(0),
  listeners: () => 0,
  stop: () => undefined,
};
