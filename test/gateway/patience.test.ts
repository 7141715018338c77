/** Nobody waits without end for a first byte, and nothing goes on for somebody who waits no more. */
import * as assert from "uvu/assert";
import type { Node } from "../../src/node.ts";
import { createSite, SITE } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";

const PATIENCE_MS = 400;
const gateway = { patience: PATIENCE_MS };

suite("gateway: patience", (test) => {
  test("what does not come in time is a 504 that says what was tried", async () => {
    const stopped: unknown[] = [];
    // It does not even heed its signal.
    const silent = (node: Node): Node => ({
      ...node,
      open: (_, { signal } = {}) =>
        new Promise(() => signal!.addEventListener("abort", () => stopped.push(signal!.reason))),
    });
    await using site = await createSite({ "a.txt": "a" }, { wrap: silent, gateway });
    for (const Accept of ["text/html", "*/*"]) {
      const start = Date.now();
      const response = await site.ask(`http://${SITE}/a.txt`, { headers: { Accept } });
      const took = Date.now() - start;
      assert.ok(took >= PATIENCE_MS - 5 && took < PATIENCE_MS + 1000, `it took ${took} ms`);
      assert.is(response.status, 504);
      assert.is(response.headers.get("Retry-After"), "10");
      assert.is(response.headers.get("Cache-Control"), "no-store");
      const text = await response.text();
      assert.match(text, `/ipns/${SITE}/a.txt was looked for and nothing came within 0.4 seconds`);
      assert.match(text, "No neighbour is connected that could have it.");
      assert.match(text, "Try again in a while");
    }
    assert.is(stopped.length, 2, "the work went on");
    assert.equal(site.log, []);
  });

  test("it counts for a name, for a first byte and for the rules of a lost path", async () => {
    await using site = await createSite({ "a.txt": "a" }, { gateway });
    site.dns.trouble.drop = true;
    assert.is((await site.ask("http://other.example.org/")).status, 504);

    const stuck = (node: Node): Node => ({
      ...node,
      open: async (address, options) => {
        const rules = typeof address !== "string" && address.path[0] === "_redirects";
        if (rules) return await new Promise(() => {});
        const { entry, resolved } = await node.open(address, options);
        if (entry.kind !== "file") return { entry, resolved };
        // deno-lint-ignore require-yield
        async function* bytes(): AsyncGenerator<Uint8Array> {
          await new Promise(() => {});
        }
        return { entry: { ...entry, bytes }, resolved };
      },
    });
    await using other = await createSite({ "a.txt": "a" }, { wrap: stuck, gateway });
    for (const path of ["a.txt", "lost"]) {
      assert.is((await other.ask(`http://${SITE}/${path}`)).status, 504, path);
    }
  });

  test("a body that has begun may take its time, and a wait that ended is forgotten", async () => {
    const slow = (node: Node): Node => ({
      ...node,
      open: async (address, options) => {
        const { entry, resolved } = await node.open(address, options);
        if (entry.kind !== "file") return { entry, resolved };
        async function* bytes(_: unknown, { signal }: { signal?: AbortSignal | undefined } = {}) {
          yield new TextEncoder().encode("first ");
          await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS * 2));
          signal?.throwIfAborted();
          yield new TextEncoder().encode("last");
        }
        return { entry: { ...entry, bytes }, resolved };
      },
    });
    await using site = await createSite({ "a.txt": "first last" }, { wrap: slow, gateway });
    await site.node.resolve(`http://${SITE}/`); // What takes its time here is the body alone.
    const response = await site.ask(`http://${SITE}/a.txt`);
    assert.is(response.status, 200);
    assert.is(await response.text(), "first last");
  });
});
