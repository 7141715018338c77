/** `nethood seed`: a folder becomes a site, and with --watch its changes become the next versions. */
import { NethoodError } from "../errors.ts";
import { siteTexts } from "../name/site-texts.ts";
import type { Published, PublishOptions } from "../seeder.ts";
import { openGateway, type Run, serveUntilEnd, start } from "./run.ts";
import { openSiteDns } from "./site-dns.ts";

export const seed: Run = async (settings, around, teller) => {
  const { argument: dir, name, hidden, chunk, note, lifetime, ttl, rehash } = settings;
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
  // First of all: a mistyped key, like a port in use, is better known before an hour of hashing than after it.
  await using dns = await openSiteDns(name, settings, around, teller);
  const { createSeeder } = await import("../seeder.ts");
  const { siteFileProblems } = await import("../../gateway/site-files.ts");
  await using node = await start(settings, around, teller);
  await using server = await openGateway(node, settings, teller);
  const seeder = createSeeder(node);
  let mistakes: string[] = [];
  const publish = async (own: Partial<PublishOptions>) => {
    const published = await seeder.publish(dir, {
      name,
      hidden,
      chunk,
      rehash,
      note,
      lifetime,
      ttl,
      signal: around.signal,
      onProgress: teller.hashing,
      ...own,
    });
    const found = await siteFileProblems(node, published.cid, around);
    // What stays as it was from version to version is told once.
    for (const text of found) if (!mistakes.includes(text)) teller.note(text);
    mistakes = found;
    return published;
  };
  const told = async (published: Published) => {
    teller.published(published, server.url);
    // The trackers that readers are to find are those that this node announces to.
    const trackers = settings.trackers && { trackers: settings.trackers };
    await dns.say(siteTexts(published.site, { key: published.key, ...trackers }));
  };
  const followers = async (site: string) => {
    const { labelOf } = await import("../name/keyring.ts");
    const key = await node.names.own(labelOf(site));
    return key && node.follower.followers(key);
  };
  const { watch } = await import("./seed-watch.ts");
  await using _ = settings.watch
    ? await watch({ dir, node, publish, told, followers }, settings, around, teller)
    : undefined;
  if (!settings.watch) await told(await publish({}));
  await serveUntilEnd(node, server, around, teller);
};
