/** `nethood seed`: a folder becomes a site, and with --watch its changes become the next versions. */
import type { Changes } from "../content/changes.ts";
import { NethoodError } from "../errors.ts";
import type { Node } from "../node.ts";
import type { Published, PublishOptions } from "../seeder.ts";
import type { Settings } from "../options.ts";
import type { Teller } from "../teller.ts";
import { openGateway, type Run, serveUntilEnd, start, type Surroundings } from "./run.ts";

/** Names shown of each kind of change; a program gets ten times as many. */
const SHOWN = 3;

export const seed: Run = async (settings, around, teller) => {
  const { argument: dir, name, hidden, chunk, rehash } = settings;
  if (dir === undefined || name === undefined) {
    throw new NethoodError("BAD_OPTION", "seed needs a folder and the site's name.", {
      hint: `For example: ${around.run} seed ./site --name docs.example.org`,
    });
  }
  if (settings.quiet !== undefined && !settings.watch) {
    throw new NethoodError("BAD_OPTION", "--quiet belongs to --watch.", {
      hint: "Add --watch, or leave it out: a folder that is published once is published at once.",
    });
  }
  const { createSeeder } = await import("../seeder.ts");
  await using node = await start(settings, around, teller);
  // Opened first: a port in use is better known before an hour of hashing than after it.
  await using server = await openGateway(node, settings, teller);
  const seeder = createSeeder(node);
  const publish = (own: Partial<PublishOptions>) =>
    seeder.publish(dir, {
      name,
      hidden,
      chunk,
      rehash,
      signal: around.signal,
      onProgress: teller.hashing,
      ...own,
    });
  const told = (published: Published) => teller.published(published, server.url);
  await using _ = settings.watch
    ? await watch({ dir, node, publish, told }, settings, around, teller)
    : undefined;
  if (!settings.watch) told(await publish({}));
  await serveUntilEnd(node, server, around, teller);
};

interface Watched {
  dir: string;
  node: Node;
  publish(options: Partial<PublishOptions>): Promise<Published>;
  /** Tells of the first version. */
  told(published: Published): void;
}

async function watch(
  { dir, node, publish, told }: Watched,
  { hidden, quiet }: Settings,
  { signal }: Surroundings,
  teller: Teller,
): Promise<AsyncDisposable> {
  const { watchSite } = await import("../site/watch.ts");
  const { changesBetween } = await import("../content/changes.ts");
  let last: Published | undefined;
  let number = 0;
  return await watchSite(dir, {
    hidden,
    quiet,
    signal,
    onTrouble: teller.note,
    // Anew the first time alone, if at all: from then on it is known what each file was.
    publish: (own) => publish({ ...own, steady: true, ...(last && { rehash: false }) }),
    async onVersion(published) {
      const before = last;
      last = published;
      if (before === undefined) {
        number++;
        return told(published);
      }
      // A file was touched, or changed and changed back.
      if (before.cid.equals(published.cid)) return;
      const changes = await changesBetween(node.blocks, before.cid, published.cid, { signal });
      tellVersion({ ...published, number: ++number, changes }, teller);
    },
  });
}

interface Version extends Published {
  number: number;
  changes: Changes;
  /** How many follow the site; undefined where nobody counts. */
  followers?: number;
}

function tellVersion(version: Version, teller: Teller): void {
  const { number, cid, site, changes, files, bytes, followers } = version;
  const some = (all: string[]) => ({ count: all.length, files: all.slice(0, 10 * SHOWN) });
  const data = {
    number,
    cid: String(cid),
    site,
    added: some(changes.added),
    changed: some(changes.changed),
    removed: some(changes.removed),
    files,
    bytes,
    followers,
  };
  const follow = followers === undefined ? "" : `; ${followers} follow`;
  teller.tell("seed:version", data, `Version ${number}: ${cid} (${changesText(changes)}${follow})`);
}

/** `2 changed: a.html, b.html; 1 new: c.html` */
function changesText(changes: Changes): string {
  const { added, changed, removed } = changes;
  const kinds = [["changed", changed], ["new", added], ["gone", removed]] as const;
  const told = kinds.filter(([, all]) => all.length > 0).map(([kind, all]) => {
    const more = all.length > SHOWN ? ", …" : "";
    return `${all.length} ${kind}: ${all.slice(0, SHOWN).join(", ")}${more}`;
  });
  return told.join("; ") || "folders alone";
}
