/** Which label the key of a site has in the keychain, and how one key takes the place of another. */
import type { Datastore } from "interface-datastore";
import { Key } from "interface-datastore";

/** The label of a site's key. By itself, a name such as con.example.org is not one that keys can have. */
export function labelOf(site: string): string {
  return `_dnslink.${site}`;
}

/** The label of a key that is to become the site's. */
export function nextLabel(site: string): string {
  return `_next.${site}`;
}

/** The label of a key that was the site's; it stays, so that its last record is kept alive. @param key base36 */
export function retiredLabel(site: string, key: string): string {
  return `_retired.${key}.${site}`;
}

/** What a label says; undefined for one that is not a site's key's. */
export function readLabel(
  label: string,
): { site: string; state: "current" | "next" | "retired" } | undefined {
  const [, kind, site] = /^_(dnslink|next|retired\.k[0-9a-z]+)\.(.+)$/.exec(label) ?? [];
  if (kind === undefined) return undefined;
  const state = kind === "dnslink" ? "current" : kind === "next" ? "next" : "retired";
  return { site: site!, state };
}

/**
 * Makes the next key the site's, and the one before it a retired one, in one write: whenever the program is killed, the site has
 * one key. (`renameKey` of the keychain moves one label; between two of them a site would have none, and get a third.)
 *
 * @param retired the base36 name of the key that was the site's
 */
export async function succeed(datastore: Datastore, site: string, retired: string): Promise<void> {
  const labels = { next: nextLabel(site), own: labelOf(site), old: retiredLabel(site, retired) };
  const batch = datastore.batch();
  for (const [from, to] of [[labels.own, labels.old], [labels.next, labels.own]] as const) {
    batch.put(keyOf(to), await datastore.get(keyOf(from)));
    const info = JSON.parse(new TextDecoder().decode(await datastore.get(infoOf(from))));
    batch.put(infoOf(to), new TextEncoder().encode(JSON.stringify({ ...info, name: to })));
  }
  batch.delete(keyOf(labels.next));
  batch.delete(infoOf(labels.next));
  await batch.commit();
}

/** Where the keychain keeps a key, encrypted or not, and what it says of it. */
function keyOf(label: string): Key {
  return new Key(`/pkcs8/${label}`);
}

function infoOf(label: string): Key {
  return new Key(`/info/${label}`);
}
