/** Behind a reverse proxy: what it says of a request is believed only where it comes from an address that a person named. */
import * as assert from "uvu/assert";
import { createGateway } from "../../gateway/app.ts";
import { serve } from "../../gateway/serve.ts";
import { createSite, SITE, type Site } from "../helpers/site.ts";
import { askRaw } from "../helpers/socket.ts";
import { suite } from "../helpers/suite.ts";

const HOSTS = ["example.com"];

suite("gateway: reverse proxy", (test) => {
  test("who connects is what the socket says, on IPv4 and IPv6", async () => {
    await using site = await createSite({ "a.txt": "a" });
    const path = `/ipfs/${site.cid}/a.txt`;
    const headers = ["Host: fake.example.net", "X-Forwarded-Host: example.com"];
    for (
      const [hostname, trust, believed] of [
        ["127.0.0.1", ["127.0.0.1"], true],
        ["::1", ["::1"], true],
        ["127.0.0.1", ["10.0.0.0/8", "::1"], false],
        ["::1", ["127.0.0.1"], false],
        ["127.0.0.1", undefined, false],
      ] as const
    ) {
      const options = { hosts: HOSTS, ...(trust && { trustProxy: [...trust] }) };
      await using server = await serve(createGateway(site.node, options), { port: 0, hostname });
      const answer = await askRaw(server.url, path, ...headers, "X-Forwarded-Proto: https");
      assert.is(answer.status, believed ? 301 : 200, `${hostname} ${trust}`);
      const to = `https://${site.cid}.ipfs.example.com/a.txt`;
      assert.is(answer.headers.location, believed ? to : undefined);
      // A client's own word about where it comes from is no address.
      const forged = await askRaw(server.url, path, ...headers, "X-Forwarded-For: 10.0.0.1");
      assert.is(forged.status, believed ? 301 : 200);
    }
  });

  test("scheme and host become those that the client sees", async () => {
    await using site = await createSite({ "a.txt": "a" });
    const ask = asker(site, ["192.0.2.1", "10.0.0.0/8", "fd00::/16"]);
    const cid = `/ipfs/${site.cid}/`;
    const origin = `${site.cid}.ipfs.example.com`;
    const moves: [Record<string, string>, string][] = [
      [{ "X-Forwarded-Proto": "https" }, `https://${origin}:7211/`],
      [{ "X-Forwarded-Proto": "http" }, `http://${origin}:7211/`],
      [{ "X-Forwarded-Proto": "HTTPS" }, `https://${origin}:7211/`],
      [{ "X-Forwarded-Proto": "javascript" }, `http://${origin}:7211/`],
      [{ "X-Forwarded-Host": "example.com" }, `http://${origin}/`],
      [{ "X-Forwarded-Host": "EXAMPLE.com:8443" }, `http://${origin}:8443/`],
      // Where proxies append, what the client itself wrote comes first.
      [
        { "X-Forwarded-Host": "localhost, example.com", "X-Forwarded-Proto": "http, https" },
        `https://${origin}/`,
      ],
    ];
    for (const client of ["192.0.2.1", "10.9.8.7", "::ffff:10.9.8.7", "fd00::5%eth0"]) {
      for (const [headers, location] of moves) {
        const response = await ask(`http://example.com:7211${cid}`, { headers }, client);
        assert.is(response.status, 301, client);
        assert.is(response.headers.get("Location"), location, JSON.stringify(headers));
      }
    }
    const headers = { "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example" };
    for (const client of ["192.0.2.2", "11.0.0.1", "::ffff:192.0.2.2", "fd01::5", "", undefined]) {
      const response = await ask(`http://example.com:7211${cid}`, { headers }, client);
      assert.is(response.headers.get("Location"), `http://${origin}:7211/`, `${client}`);
    }
    const named = { headers: { "X-Forwarded-Host": SITE } };
    assert.is(await text(ask("http://x.test/a.txt", named, "192.0.2.1")), "a");
    const guest = await text(ask("http://example.com/", { headers }, "10.0.0.1"));
    assert.match(guest, "evil.example", "whom the proxy is trusted with");
    const secure = { headers: { "X-Forwarded-Proto": "https" } };
    assert.match(
      await text(ask("http://example.com/", secure, "10.0.0.1")),
      "https://example.com/",
    );
  });

  test("the reader's own page is for who sits at this machine, not for who writes its name", async () => {
    await using site = await createSite({ "a.txt": "a" });
    const ask = asker(site, ["127.0.0.1", "10.0.0.1"]);
    const isHome = async (init: RequestInit, client: string | undefined) => {
      const home = await text(ask("http://localhost:7080/", init, client));
      const form = await ask(`http://localhost:7080/open?address=${SITE}`, init, client);
      assert.is(form.status, home.includes("<form") ? 302 : 404);
      assert.is(home.includes(site.node.id), home.includes("<form"));
      return home.includes("<form");
    };
    for (const client of ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", undefined]) {
      assert.is(await isHome({}, client), true, client);
    }
    for (const client of ["192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.1", "", "x"]) {
      assert.is(await isHome({}, client), false, client);
    }
    for (
      const headers of [
        { "X-Forwarded-Proto": "https" },
        { "X-Forwarded-For": "192.0.2.1" },
        { Forwarded: "for=192.0.2.1" },
        { Via: "1.1 gateway" },
        { "X-Forwarded-Host": "localhost" },
      ]
    ) assert.is(await isHome({ headers }, "127.0.0.1"), false, JSON.stringify(headers));
    const away = await ask("http://127.0.0.1:7080/", {}, "192.0.2.1");
    assert.is(away.status, 200, "a guest is not sent to a localhost of his own");

    await using server = await serve(site.app, { port: 0 });
    assert.match((await askRaw(server.url, "/", "Host: localhost:7080")).body, "<form");
    const via = await askRaw(server.url, "/", "Host: localhost", "X-Forwarded-For: 192.0.2.1");
    assert.not.match(via.body, "<form");
  });
});

/** Asks as from some address. */
function asker(site: Site, trustProxy: string[]) {
  const app = createGateway(site.node, { hosts: HOSTS, trustProxy });
  return async (url: string, init: RequestInit, client: string | undefined) =>
    await app.fetch(new Request(url, init), client === undefined ? undefined : { client });
}

async function text(response: Promise<Response>): Promise<string> {
  return await (await response).text();
}
