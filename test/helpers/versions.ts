/** A site that the tests publish version by version. */
import { parseKey } from "../../src/content/address.ts";
import type { IpnsRecord } from "../../src/name/record.ts";
import type { Node } from "../../src/node.ts";
import { createSeeder, type PublishOptions, type Release } from "../../src/seeder.ts";
import { createSites, type LoggedVersion } from "../../src/site/sites.ts";
import { createFolder, type Files } from "./folder.ts";

export const NAME = "docs.example.org";
/** That of its key. */
export const LABEL: string = `_dnslink.${NAME}`;

/** Publishes a site of these files, in a folder of its own. */
export async function publish(
  node: Node,
  files: Files,
  options: Partial<PublishOptions> = {},
): Promise<Release> {
  await using folder = await createFolder(files);
  return await createSeeder(node).publish(folder.path, { name: NAME, ...options });
}

export async function log(node: Node, name: string = NAME): Promise<LoggedVersion[]> {
  const versions: LoggedVersion[] = [];
  for await (const version of createSites(node).log(name)) versions.push(version);
  return versions;
}

export const numbers = (versions: LoggedVersion[]): number[] =>
  versions.map(({ number }) => number);

export const recordOf = (node: Node, { key }: Release): Promise<IpnsRecord> =>
  node.names.record(parseKey(key)!);
