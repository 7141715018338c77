/** `nethood seed`: a folder becomes a site. */
import { NethoodError } from "../errors.ts";
import { siteTexts } from "../name/site-texts.ts";
import { openGateway, type Run, serveUntilEnd, start } from "./run.ts";
import { openSiteDns } from "./site-dns.ts";

export const seed: Run = async (settings, around, teller) => {
  const { argument: dir, name, hidden, chunk, note, lifetime, ttl } = settings;
  if (dir === undefined || name === undefined) {
    throw new NethoodError("BAD_OPTION", "seed needs a folder and the site's name.", {
      hint: `For example: ${around.run} seed ./site --name docs.example.org`,
    });
  }
  // First of all: a mistyped key, like a port in use, is better known before an hour of hashing than after it.
  await using dns = await openSiteDns(name, settings, around, teller);
  const { createSeeder } = await import("../seeder.ts");
  await using node = await start(settings, around, teller);
  await using server = await openGateway(node, settings, teller);
  const published = await createSeeder(node).publish(dir, {
    name,
    hidden,
    chunk,
    note,
    lifetime,
    ttl,
    signal: around.signal,
    onProgress: teller.hashing,
  });
  teller.published(published, server.url);
  await dns.say(siteTexts(published.site, published));
  await serveUntilEnd(node, server, around, teller);
};
