/** `nethood seed --watch`: each change of the folder becomes the site's next version, told in a line. */
import type { CID } from "multiformats/cid";
import type { Node } from "../node.ts";
import type { Settings } from "../options.ts";
import type { Published, PublishOptions } from "../seeder.ts";
import type { Change } from "../site/diff.ts";
import type { Teller } from "../teller.ts";
import type { Surroundings } from "./run.ts";

/** Names shown of each kind of change; a program gets ten times as many. */
const SHOWN = 3;

export interface Watched {
  dir: string;
  node: Pick<Node, "blocks">;
  publish(options: Partial<PublishOptions>): Promise<Published>;
  /** Tells of the first version. */
  told(published: Published): Promise<void>;
  /** How many follow the site; undefined where nobody counts. */
  followers?(site: string): Promise<number | undefined>;
}

export async function watch(
  { dir, node, publish, told, followers }: Watched,
  { hidden, quiet }: Settings,
  { signal }: Surroundings,
  teller: Teller,
): Promise<AsyncDisposable> {
  const { watchSite } = await import("../site/watch.ts");
  let last: Published | undefined;
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
      if (before === undefined) return await told(published);
      // A file was touched, or changed and changed back.
      if (published.unchanged) return;
      const changes = await changesBetween(node, before.cid, published.cid, signal);
      tellVersion(published, changes, await followers?.(published.site), teller);
    },
  });
}

/** Files by kind: how many, and the names of the first ones. */
type Changes = Record<Change["kind"], { count: number; files: string[] }>;

async function changesBetween(
  { blocks }: Pick<Node, "blocks">,
  before: CID,
  after: CID,
  signal: AbortSignal,
): Promise<Changes> {
  const { diff } = await import("../site/diff.ts");
  const none = () => ({ count: 0, files: [] as string[] });
  const changes: Changes = { changed: none(), added: none(), removed: none() };
  for await (const { kind, path } of diff(blocks, before, after, { signal })) {
    if (changes[kind].count++ < 10 * SHOWN) changes[kind].files.push(path);
  }
  return changes;
}

function tellVersion(
  { version: { number }, cid, site, files, bytes }: Published,
  changes: Changes,
  followers: number | undefined,
  teller: Teller,
): void {
  const follow = followers === undefined ? "" : `; ${followers} follow`;
  teller.tell(
    "seed:version",
    { number, cid: String(cid), site, ...changes, files, bytes, followers },
    `Version ${number}: ${cid} (${changesText(changes)}${follow})`,
  );
}

const WORDS = { changed: "changed", added: "new", removed: "gone" };

/** `2 changed: a.html, b.html; 1 new: c.html` */
function changesText(changes: Changes): string {
  const told = (["changed", "added", "removed"] as const).filter((kind) => changes[kind].count > 0)
    .map((kind) => {
      const { count, files } = changes[kind];
      const more = count > SHOWN ? ", …" : "";
      return `${count} ${WORDS[kind]}: ${files.slice(0, SHOWN).join(", ")}${more}`;
    });
  return told.join("; ") || "folders alone";
}
