/** What can be chosen for a node. */

export interface NodeOptions {
  /** Folder for blocks, keys and records. Default: `$XDG_DATA_HOME/nethood`, or `~/.local/share/nethood`. */
  dir?: string;
  /**
   * Protects the private keys of sites in that folder from then on, and opens them again; a node that is started there without
   * it is refused. Default: none, and the keys are protected by the mode of their file alone.
   */
  passphrase?: string;
  /** Addresses to listen on for peers, as multiaddrs. Default: TCP and WebSockets on every interface, ports chosen freely. */
  listen?: string[];
  /** Addresses of peers to stay connected to, as multiaddrs. Default: none. */
  peers?: string[];
  /** DNS servers: `1.1.1.1`, `127.0.0.1:5353`, `https://dns.example/dns-query`. Default: the system's. */
  dns?: string[];
  /** Meanings of DNS names that are not looked up: `{ "docs.example.org": "/ipfs/<cid>" }`. Default: none. */
  names?: Record<string, string>;
  /** URLs of trackers that are asked who has what is read, and told what is held. Default: only those that a site's DNS names. */
  trackers?: string[];
  /**
   * Addresses of peers through which a DHT is entered, as multiaddrs: who has what, and records, are found in it where neither
   * neighbours nor trackers help. Peers on a local network are entered as Kubo's LAN DHT, others as IPFS's public one; the two
   * never mix. Default: no DHT.
   */
  bootstrap?: string[];
  /**
   * Whether others' questions are answered in the DHT: a `server` does, also without `bootstrap`, as the first peer of one.
   * Default: `server` on a local network, `client` in the public DHT, where few who are at home can be reached.
   */
  dht?: "client" | "server";
  /** Tell trackers what is held, and the DHT what is published, followed or kept here, so that others find it. Default: true. */
  announce?: boolean;
  /** Find neighbours on the local network by mDNS. Default: true. */
  mdns?: boolean;
  /** Hear of new versions of followed sites by pubsub, and tell of those published here; else others are asked. Default: true. */
  push?: boolean;
  /** Bytes of memory for recently read blocks; 0 keeps none. Default: 128 MiB, but at most 1/32 of the machine's. */
  memory?: number;
  /** Most bytes a second that are sent over TCP and WebSockets, whatever is spoken there. Default: no cap. */
  upload?: number;
  /** Most bytes a second that are taken over TCP and WebSockets: the senders are held back. Default: no cap. */
  download?: number;
  /** How long a reader waits for a block that nobody offers, in milliseconds. Default: 20,000. */
  timeout?: number;
  /** Told what a person may want to know: a peer that lies, a neighbour that cannot be reached. Default: silence. */
  log?: (line: string) => void;
  /** Gives up a start that is under way; a node that runs is ended with `stop()`. */
  signal?: AbortSignal;
}
