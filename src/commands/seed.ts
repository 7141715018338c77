/** `nethood seed`: a folder becomes a site. */
import { NethoodError } from "../errors.ts";
import { openGateway, type Run, serveUntilEnd, start } from "./run.ts";

export const seed: Run = async (settings, around, teller) => {
  const { argument: dir, name, hidden, chunk, note, lifetime, ttl } = settings;
  if (dir === undefined || name === undefined) {
    throw new NethoodError("BAD_OPTION", "seed needs a folder and the site's name.", {
      hint: `For example: ${around.run} seed ./site --name docs.example.org`,
    });
  }
  const { createSeeder } = await import("../seeder.ts");
  await using node = await start(settings, around, teller);
  // Opened first: a port in use is better known before an hour of hashing than after it.
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
  await serveUntilEnd(node, server, around, teller);
};
