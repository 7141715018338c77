/** Everything a person can set: the parser, the help and the environment read the same table. */
import { type Command, NO_NODE, PUBLISHING, SERVING } from "./words.ts";

export interface Option {
  type: "string" | "boolean";
  short?: string;
  multiple?: boolean;
  /** What stands for the value in the help. */
  value?: string;
  help: string;
  /** Environment variable that is read where the option is not given. */
  env?: string;
  /** Commands it belongs to; none: all that run a node. */
  only?: Command[];
  /** Commands that run no node, where it means nothing. */
  never?: Command[];
}

export const OPTIONS: Record<string, Option> = {
  dir: {
    type: "string",
    value: "FOLDER",
    env: "NETHOOD_DIR",
    help: "where blocks, keys and records are kept (default ~/.local/share/nethood)",
  },
  port: {
    type: "string",
    value: "N",
    env: "NETHOOD_PORT",
    help: "port of the gateway (default 7080; 0: any free one)",
    only: SERVING,
  },
  host: {
    type: "string",
    value: "ADDRESS",
    env: "NETHOOD_HOST",
    help: "address of the gateway (default 127.0.0.1: this machine alone)",
    only: SERVING,
  },
  listen: {
    type: "string",
    multiple: true,
    value: "MULTIADDR",
    env: "NETHOOD_LISTEN",
    help:
      "where peers can reach this node (default: every interface, any free port); of a tracker HOST:PORT (default 127.0.0.1:7070)",
  },
  peer: {
    type: "string",
    multiple: true,
    value: "MULTIADDR",
    env: "NETHOOD_PEERS",
    help: "a peer to stay connected to (default: none)",
    never: NO_NODE,
  },
  tracker: {
    type: "string",
    multiple: true,
    value: "URL",
    env: "NETHOOD_TRACKERS",
    help:
      "a tracker that is asked who has what is read, and told what is read and kept here (default: those that a site's DNS names)",
    never: NO_NODE,
  },
  bootstrap: {
    type: "string",
    multiple: true,
    value: "MULTIADDR",
    env: "NETHOOD_BOOTSTRAP",
    help:
      "a peer of a DHT, in which sites and their readers are found where there is neither tracker nor neighbour; on a local network that network's own, else IPFS's public one (default: no DHT)",
    never: NO_NODE,
  },
  dht: {
    type: "string",
    value: "ROLE",
    env: "NETHOOD_DHT",
    help:
      "server answers others' questions in the DHT, too, and can be the first of one; client only asks (default: server on a local network, client in the public DHT)",
    never: NO_NODE,
  },
  "no-announce": {
    type: "boolean",
    help:
      "tell no tracker and no DHT what is read and kept here (default: tell a site's own trackers of that site)",
    never: NO_NODE,
  },
  dns: {
    type: "string",
    multiple: true,
    value: "SERVER",
    env: "NETHOOD_DNS",
    help:
      "DNS server: 1.1.1.1, 127.0.0.1:5353 or https://…/dns-query (default: the system's); with " +
      "seed also rfc2136://ns1.example.org?tsig-file=FILE, where it writes the site's records",
    never: NO_NODE,
  },
  "dns-listen": {
    type: "string",
    value: "ADDRESS",
    env: "NETHOOD_DNS_LISTEN",
    help: "be the name server of the site's own names, such as on 0.0.0.0:53 (default: be none)",
    only: ["seed"],
  },
  "name-map": {
    type: "string",
    value: "MAP",
    env: "IPFS_NS_MAP",
    help: "names that need no DNS: docs.example.org:/ipfs/<cid>,… (default: none)",
    never: NO_NODE,
  },
  "gateway-host": {
    type: "string",
    multiple: true,
    value: "HOST",
    env: "NETHOOD_GATEWAY_HOSTS",
    help:
      "a host name of this gateway, whose subdomains are sites, beside localhost (default: none)",
    only: SERVING,
  },
  "trust-proxy": {
    type: "string",
    multiple: true,
    value: "ADDRESS",
    env: "NETHOOD_TRUST_PROXY",
    help: "address of a reverse proxy whose X-Forwarded-* headers are believed (default: none)",
    only: [...SERVING, "tracker"],
  },
  patience: {
    type: "string",
    value: "SECONDS",
    env: "NETHOOD_PATIENCE",
    help: "how long a reader waits for the first byte before a 504 (default 60)",
    only: SERVING,
  },
  upload: {
    type: "string",
    value: "RATE",
    env: "NETHOOD_UPLOAD",
    help: "most bytes a second that are sent to peers, such as 500k or 2M (default: no limit)",
    never: NO_NODE,
  },
  download: {
    type: "string",
    value: "RATE",
    env: "NETHOOD_DOWNLOAD",
    help: "most bytes a second that are taken from peers, such as 500k or 2M (default: no limit)",
    never: NO_NODE,
  },
  "no-mdns": {
    type: "boolean",
    help: "do not look for neighbours on the local network (default: do)",
    never: NO_NODE,
  },
  "no-push": {
    type: "boolean",
    help:
      "ask for new versions when what is known grows old, instead of being told (default: both)",
    never: NO_NODE,
  },
  keep: {
    type: "string",
    value: "N",
    help: "how many versions of the site stay here (default 1: the newest alone)",
    only: ["follow"],
  },
  stop: {
    type: "boolean",
    help: "follow the site no longer; what is here of it stays",
    only: ["follow"],
  },
  name: {
    type: "string",
    value: "DNSNAME",
    help: "the site's name, such as docs.example.org",
    only: ["seed"],
  },
  hidden: {
    type: "boolean",
    help: "publish files whose name begins with a dot, too",
    only: ["seed"],
  },
  chunk: {
    type: "string",
    value: "SIZE",
    help:
      "bytes of a file in one block, 4k to 1M; 64k spreads faster in a crowd, but gives other CIDs than other tools (default: 1M)",
    only: ["seed"],
  },
  note: {
    type: "string",
    value: "TEXT",
    help: "what there is to say about this version, for whoever reads the site's log",
    only: PUBLISHING,
  },
  lifetime: {
    type: "string",
    value: "TIME",
    help:
      "how long readers find the site while its publisher is away, such as 12h or 90d (default 30d)",
    only: PUBLISHING,
  },
  ttl: {
    type: "string",
    value: "TIME",
    help: "how long readers may use what they know before they ask again (default 60s)",
    only: PUBLISHING,
  },
  rehash: {
    type: "boolean",
    help: "read every file anew, also those that are as they were when they were last read",
    only: ["seed"],
  },
  watch: {
    type: "boolean",
    help: "publish the folder again whenever it has changed, until this is stopped",
    only: ["seed"],
  },
  quiet: {
    type: "string",
    value: "SECONDS",
    help: "with --watch: how long nothing must have changed in the folder (default 1)",
    only: ["seed"],
  },
  url: {
    type: "string",
    value: "URL",
    env: "NETHOOD_URL",
    help:
      "where others reach the tracker, such as https://tracker.example.org (default: by address)",
    only: ["tracker"],
  },
  rules: {
    type: "string",
    value: "FILE",
    env: "NETHOOD_RULES",
    help: "who may announce which site, and who may ask for it, as JSON (default: everybody)",
    only: ["tracker"],
  },
  store: {
    type: "string",
    value: "URL",
    env: "NETHOOD_STORE",
    help:
      "a Redis or Valkey that several trackers share, such as redis://:PASSWORD@10.0.0.5:6379, or rediss://… with TLS (default: a file in the folder)",
    only: ["tracker"],
  },
  output: {
    type: "string",
    short: "o",
    value: "FILE",
    help:
      "write to this file (get: instead of the standard output; of a folder, all of it to a new folder)",
    only: ["get", "key"],
  },
  words: {
    type: "boolean",
    help: "show a key as 24 words, to be written on paper",
    only: ["key"],
  },
  stdout: {
    type: "boolean",
    help: "write a key to the standard output instead of a file",
    only: ["key"],
  },
  "passphrase-file": {
    type: "string",
    value: "FILE",
    help: "a file whose one line protects the file of a key, or opens it (default: none)",
    only: ["key"],
  },
  "keys-passphrase-file": {
    type: "string",
    value: "FILE",
    env: "NETHOOD_KEYS_PASSPHRASE_FILE",
    help:
      "a file whose one line protects the keys in the folder from now on, and opens them (default: none)",
    never: NO_NODE,
  },
  json: { type: "boolean", help: "say everything as JSON lines, for programs" },
  debug: {
    type: "boolean",
    env: "NETHOOD_DEBUG",
    help: "add to an error where in the program it arose, for a report",
  },
  help: { type: "boolean", short: "h", help: "this text" },
  version: { type: "boolean", help: "the version" },
};
