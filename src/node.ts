/**
 * A personal node: opens addresses, keeps what it opened, and shares it with its neighbours.
 */
import { join, resolve as absolute } from "node:path";
import { peerIdFromString } from "@libp2p/peer-id";
import { type Address, parseAddress } from "./content/address.ts";
import { localOnly, type Supply } from "./content/blocks.ts";
import { importCar, type Imported, type ImportOptions } from "./content/car.ts";
import { type Known, knownFiles } from "./content/known.ts";
import { pinPresent } from "./content/pin.ts";
import { locate, open } from "./content/read.ts";
import { matches } from "./content/verify.ts";
import type { Whole, WholeOptions } from "./content/whole.ts";
import { defaultDir } from "./dir.ts";
import { NethoodError } from "./errors.ts";
import { createFinding, dhtOf, placesOf } from "./finding.ts";
import { createKeeper } from "./keeper.ts";
import { createTxtResolver } from "./name/dns.ts";
import { createDnsLink } from "./name/dnslink.ts";
import { createFollower, type Follower } from "./follower.ts";
import type { Names } from "./name/ipns.ts";
import { keysOf } from "./name/keys.ts";
import { withStatic } from "./name/static.ts";
import type { Resolved } from "./name/resolve.ts";
import { createNaming } from "./naming.ts";
import type { NodeOptions } from "./node-options.ts";
import {
  indexOf,
  type Located,
  type Opened,
  type OpenOptions,
  type ResolveOptions,
} from "./opened.ts";
import { withDiscovery } from "./routing/discovery.ts";
import { DiskBlocks } from "./store/blocks.ts";
import { openDatastore } from "./store/sealed.ts";
import { createFileRecords } from "./store/files.ts";
import { Records, type Visit } from "./store/records.ts";
import { createShares, type Shares } from "./store/shares.ts";
import { connectSwarm } from "./swarm/connect.ts";
import { createExchange } from "./swarm/exchange.ts";
import { type NetworkedHelia, startHelia } from "./swarm/helia.ts";
import { checkAddress } from "./swarm/listen.ts";
import { createSources } from "./swarm/sources.ts";
import { checkCaps } from "./swarm/throttle.ts";

export type { NodeOptions } from "./node-options.ts";
export type { Located, Opened, OpenOptions, ResolveOptions } from "./opened.ts";

export interface Node extends AsyncDisposable {
  /** The peer ID, the same at every start from one folder. */
  readonly id: string;
  /** The folder. */
  readonly dir: string;
  /** Addresses at which peers can reach this node, as multiaddrs. */
  readonly addresses: string[];
  /** Peer IDs connected now. */
  readonly peers: string[];
  /** Follows an address's names to a CID and a path. @throws {NethoodError} as {@link Node.open}, without reading content */
  resolve(address: Address | string, options?: ResolveOptions): Promise<Resolved>;
  /**
   * Opens an address. A file that is read to its end is pinned under this address and offered to others.
   *
   * @throws {NethoodError} BAD_ADDRESS, NO_DNSLINK, DNS_UNREACHABLE, IPNS_NOT_FOUND, NOT_FOUND, NO_PROVIDERS, STOPPED, …
   */
  open(address: Address | string, options?: OpenOptions): Promise<Opened>;
  /** Follows an address to the block at its end, whatever that is; nothing is kept. @throws {NethoodError} as open */
  locate(address: Address | string, options?: ResolveOptions): Promise<Located>;
  /**
   * Fetches everything below an address, and pins it under that. It ends when all is here; what came stays if it fails.
   *
   * @throws {NethoodError} as {@link Node.open}
   */
  keep(address: Address | string, options?: WholeOptions): Promise<Whole>;
  /**
   * Takes in the blocks of a CAR file, every one checked, and pins what is below its roots.
   *
   * @returns what came, and how many blocks below the roots are not here
   * @throws {NethoodError} BAD_CAR, BAD_BLOCK, DISK_FULL
   */
  import(
    source: AsyncIterable<Uint8Array>,
    options?: ImportOptions,
  ): Promise<Imported & { missing: number }>;
  /** Every address that was opened, the latest first. */
  visits(): Visit[];
  /** What is known of the files of a folder that was published as this site; `how` they were stored. */
  known(site: string, how: string): Known;
  /** Where content is read from: memory, disk, neighbours. */
  readonly blocks: Supply;
  /** IPNS names, found and published. */
  readonly names: Names;
  /** The sites that are followed. */
  readonly follower: Follower;
  /** What trackers are told of. */
  readonly shares: Shares;
  /** The Helia node below, for what Nethood has no words for. */
  readonly helia: NetworkedHelia;
  /** Ends what is being read, finishes what is being kept, and frees the folder. It can be called more than once. */
  stop(): Promise<void>;
}

/**
 * Starts a node. It works without the internet: with what it has, and with the neighbours it finds.
 *
 * @throws {NethoodError} DIR_LOCKED, DIR_TOO_NEW, DIR_UNWRITABLE, DISK_FULL, BAD_OPTION, PORT_IN_USE; BAD_KEY for the passphrase
 */
export async function createNode(options: NodeOptions = {}): Promise<Node> {
  const dir = absolute(options.dir ?? defaultDir({}));
  const { log = () => undefined, signal } = options;
  // What a person got wrong is told before anything is written.
  options.listen?.forEach(checkAddress);
  checkCaps(options);
  const places = placesOf(options);
  const txt = createTxtResolver(options.dns);
  const dnsLink = withStatic(
    options.names ?? {},
    withDiscovery(createDnsLink(txt), txt, (site, found) => trackers.named(site, found)),
  );
  signal?.throwIfAborted();
  await using starting = new AsyncDisposableStack();
  let follower: Follower | undefined = undefined;

  const records = starting.adopt(new Records(dir), (records) => records.close());
  const store = new DiskBlocks(
    join(dir, "blocks"),
    options.memory === undefined ? {} : { memory: options.memory },
  );
  await store.open();
  signal?.throwIfAborted();

  const datastore = await openDatastore(records, options.passphrase);
  const settings = { ...options, makeDht: await dhtOf(places, records, () => helia.keychain) };
  const { helia, guard } = await startHelia({ blockstore: store, datastore }, settings, log);
  starting.adopt(
    helia,
    // libp2p writes until its last moment; on a full disk that must not keep the node from ending.
    async (helia) => {
      await helia.stop().catch((error) =>
        log(`The node stopped, but could not write all it knows: ${error.message}`)
      );
    },
  );
  signal?.throwIfAborted();

  const shares = createShares(records);
  const { announce = true } = options;
  // What was held at the last run is told before anything can have been given.
  let given = () => 0;
  const finding = starting.use(
    await createFinding(helia, places, { announce, shares, given: () => given(), log }),
  );
  const { trackers } = finding;
  const naming = starting.use(
    createNaming({
      ...finding,
      helia,
      guard,
      records,
      announce,
      dnsLink,
      follower: () => follower,
      log,
    }),
  );
  const { names } = naming;
  const connected = starting.adopt(
    await connectSwarm(helia.libp2p, {
      store,
      matches: (cid, bytes) => matches(cid, bytes, (code) => helia.getHasher(code)),
      ban: (peer, why) => guard.ban(peerIdFromString(peer), why),
      met: guard.spare,
      gave: (cid, bytes) => follower?.gave(cid, bytes),
      up: options.upload,
      log,
    }),
    (swarm) => swarm.stop(),
  );
  given = () => connected.swarm.pump.given;
  store.watch(connected.swarm);
  const sources = createSources(connected, helia.blockstore, helia.libp2p);
  const exchange = starting.adopt(
    createExchange(
      store,
      {
        ...sources,
        fetch(cid, signal) {
          return sources.fetch(cid, signal).finally(trackers.needed());
        },
      },
      options.timeout === undefined ? {} : { timeout: options.timeout },
    ),
    (exchange) => exchange.stop(),
  );
  const keeper = starting.adopt(
    createKeeper({ helia, blocks: exchange, store, peers: sources.offering, records, shares, log }),
    (keeper) => keeper.stop(),
  );

  // Reads end first, so that nothing new comes to the keeper; what it is keeping may still be finished.
  const over = new AbortController();
  starting.defer(() => over.abort(new NethoodError("STOPPED", "This node has been stopped.")));
  const until = (own?: AbortSignal) => own ? AbortSignal.any([own, over.signal]) : over.signal;
  const blocks: Supply = {
    get: (cid, own = {}) => exchange.get(cid, { ...own, signal: until(own.signal) }),
    bring: (cid, own = {}) => exchange.bring(cid, { ...own, signal: until(own.signal) }),
  };
  const resolve: Node["resolve"] = async (address, own = {}) => {
    over.signal.throwIfAborted();
    const resolved = await naming.resolver.resolve(
      typeof address === "string" ? parseAddress(address) : address,
      { signal: until(own.signal), local: own.local },
    );
    const { site, cids } = keysOf(resolved);
    if (!own.local) trackers.opened({ name: site, keys: cids });
    return resolved;
  };
  const find: Node["locate"] = async (address, { signal, local = false } = {}) => {
    const resolved = await resolve(address, { signal, local });
    const from = local ? localOnly(blocks) : blocks;
    const found = await locate(from, resolved.cid, resolved.path, { signal });
    return { found, resolved, blocks: from };
  };

  follower = starting.use(
    createFollower({
      helia,
      blocks,
      near: { holds: (cid) => store.seems(cid), peers: sources.offering },
      records,
      shares,
      resolve,
      ...naming,
    }),
  );

  const running = starting.move();
  let stopped: Promise<void> | undefined;
  const stop = () => stopped ??= running.disposeAsync();

  return {
    id: helia.libp2p.peerId.toString(),
    dir,
    blocks,
    names,
    follower,
    shares,
    helia,
    get addresses() {
      return helia.libp2p.getMultiaddrs().map(String);
    },
    get peers() {
      return helia.libp2p.getPeers().map(String);
    },
    resolve,
    async open(address, { signal, local = false, index = false } = {}) {
      const resolved = await resolve(address, { signal, local });
      const from = local ? localOnly(blocks) : blocks;
      const entry = await open(from, resolved.cid, resolved.path, { signal });
      const found = { entry, resolved };
      const opened = index ? await indexOf(found, { signal }) ?? found : found;
      return { ...opened, entry: keeper.watch(opened.entry, opened.resolved) };
    },
    locate: find,
    async keep(address, own = {}) {
      const { found, resolved } = await find(address, own);
      const options = { ...own, signal: until(own.signal) };
      return await keeper.keep(found, resolved, options);
    },
    async import(source, own = {}) {
      const signal = until(own.signal);
      const hasher = (code: number) => helia.getHasher(code);
      const imported = await importCar(store, source, hasher, { ...own, signal });
      let missing = 0;
      for (const root of imported.roots) {
        missing += await pinPresent(helia, store, root, "import", { signal });
      }
      return { ...imported, missing };
    },
    known: (site, how) => knownFiles(createFileRecords(records), store, site, how),
    visits() {
      over.signal.throwIfAborted();
      return keeper.visits();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
