/** A publisher without a name server of their own: the zone above hands the site's name over, and the world's resolvers follow. */
import { join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";
import { createFolder } from "../helpers/folder.ts";
import { createKnot, knotAvailable } from "../helpers/knot.ts";
import { createLab, labAvailable } from "../helpers/lab.ts";
import { type Host, localhost } from "../helpers/process.ts";
import { commandLine, outcome, ROOT, text } from "../helpers/program.ts";
import { suite } from "../helpers/suite.ts";
import { createUnbound, unboundAvailable } from "../helpers/unbound.ts";

const NAME = "docs.example.org";

suite("cli/site-dns-delegated", (test, left) => {
  const missing = labAvailable() ?? knotAvailable() ?? unboundAvailable();
  const title =
    "with the two lines in a signed zone, a validating resolver leads readers to the site";
  if (missing) left(title, missing);
  else {
    test(title, async () => {
      // The lab has no internet: what the program imports has to be here before.
      if (process.versions.deno) {
        await localhost.run(process.execPath, ["cache", "node.ts"], { cwd: ROOT });
      }
      await using files = await createFolder({ "site/index.html": "<p>hello</p>" });
      await using lab = await createLab({ hosts: ["publisher", "parent", "resolver", "reader"] });
      const { publisher, parent, resolver, reader } = lab.hosts;
      const start = (host: Host, words: string[]) => {
        const place = ["--no-mdns", "--listen", `/ip4/${host.address}/tcp/0`];
        const [program, ...args] = commandLine(words, { dir: join(files.path, host.name), place });
        return host.spawn(program, args);
      };

      const seed = ["seed", join(files.path, "site"), "--name", NAME, "--port", "0", "--json"];
      await using seeder = start(publisher, [...seed, "--dns-listen", `${publisher.address}:53`]);
      const { delegation } = await seeder.events.until("dns:listening", { ms: 30_000 });
      const { addresses } = await seeder.events.until("ready");
      assert.match(String(delegation), `nethood-ns.${NAME}. 3600 IN A ${publisher.address}`);

      const records = delegation as string[];
      await using _knot = await createKnot({ host: parent, records, signed: true });
      const kdig = (server: Host, ...words: string[]) =>
        reader.run("kdig", [`@${server.address}`, ...words]);
      const keys = await kdig(parent, "+noall", "+answer", "example.org", "DNSKEY");
      const anchors = keys.split("\n").filter((line) => /\sDNSKEY\s/.test(line));
      assert.ok(anchors.length > 0, keys);
      const server = parent.address;
      await using _unbound = await createUnbound({
        host: resolver,
        zone: "example.org",
        server,
        anchors,
      });

      assert.match(await kdig(resolver, "+dnssec", "example.org", "SOA"), /Flags: qr rd ra ad;/);
      const link = await kdig(resolver, `_dnslink.${NAME}`, "TXT");
      assert.match(link, /status: NOERROR.*TXT\s+"dnslink=\/ipns\/k51/s);
      assert.match(
        await kdig(resolver, `_dnslink.${NAME}`, "MX"),
        /status: NOERROR.*AUTHORITY: 1/s,
      );
      assert.match(await kdig(resolver, `x._dnslink.${NAME}`, "TXT"), /status: NXDOMAIN/);

      const file = join(files.path, "index.html");
      const [peer] = addresses as string[];
      const get = ["get", `http://${NAME}/index.html`, "-o", file, "--peer", peer!];
      const read = await outcome(start(reader, [...get, "--dns", resolver.address]));
      assert.is(read.code, 0, read.said);
      assert.is(await text(file), "<p>hello</p>");
      await seeder.stop();
    });
  }
});
