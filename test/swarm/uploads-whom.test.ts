/** To whom a block is sent next, and how much may be on the way. */
import * as assert from "uvu/assert";
import { PIPELINE } from "../../src/swarm/client.ts";
import { LOST_MS, MOST_AHEAD } from "../../src/swarm/uploads.ts";
import { range } from "../helpers/scheduling.ts";
import { Server, SIZE } from "../helpers/serving.ts";
import { suite } from "../helpers/suite.ts";

const A = 1, B = 2, C = 3, IDLE = 9;

suite("uploads, to whom", (test) => {
  test("who was given least is next", () => {
    const server = new Server();
    for (const peer of [A, B, C]) server.request(peer, range(peer * 100, peer * 100 + 10));
    const sent = server.sendAll();
    for (const peer of [A, B, C]) {
      const among = sent.slice(0, 9).filter((line) => line.startsWith(`${peer} `));
      assert.is(among.length, 3, `${peer} of the first nine`);
    }
  });

  test("who says of everything that it has nobody else is ahead of others, but not far", () => {
    const server = new Server([A, B, C, IDLE]);
    const blocks = range(0, 200);
    for (const block of blocks) server.holdings.add(C, block); // nothing is new
    for (const peer of [A, B]) server.request(peer, blocks);
    server.request(IDLE, [200], 2);
    assert.is(server.send(), `${IDLE} 200`, "though it was given more than others before");
    server.request(A, blocks, 2);
    const given = [0, 0];
    for (let i = 0; i < 100; i++) {
      const [peer, block] = server.send()!.split(" ").map(Number);
      server.acknowledge(peer!, block!);
      given[peer === A ? 0 : 1]! += SIZE;
      assert.ok(given[0]! - given[1]! <= MOST_AHEAD + SIZE, given.join());
    }
    assert.ok(given[0]! - given[1]! >= MOST_AHEAD, `${given.join()}: it does go before`);
  });

  test("who takes nothing does not hold back those who have nobody else", () => {
    const server = new Server();
    server.request(B, range(0, 50));
    for (let i = 0; i < PIPELINE; i++) server.send(); // B acknowledges none of them
    for (const peer of [A, C]) {
      server.uploads.sent(peer, 1_000, 2 * MOST_AHEAD, 0);
      server.acknowledge(peer, 1_000);
    }
    server.request(A, range(100, 200), 2);
    server.request(C, range(200, 300));
    const first = range(0, 10).map(() => {
      const [peer, block] = server.send(3 * PIPELINE * SIZE)!.split(" ").map(Number);
      server.acknowledge(peer!, block!);
      return peer;
    });
    assert.equal(first, Array(10).fill(A));
  });

  test("a newcomer is served at once, but does not get all until it has caught up", () => {
    const server = new Server([A, B]);
    for (const peer of [A, B]) server.request(peer, range(peer * 100, peer * 100 + 50));
    for (let i = 0; i < 20; i++) server.send();
    server.meet(C);
    server.request(C, range(300, 350));
    const next = range(0, 6).map(() => server.send()![0]);
    assert.is(next.filter((peer) => peer === String(C)).length, 2, next.join());
  });

  test("the window holds for all together, and is shared by those who ask", () => {
    const server = new Server([A, B, IDLE]);
    server.request(A, range(0, 50));
    assert.is(server.sendAll(8 * SIZE).length, 8, "alone it has all of it");
    server.request(B, range(100, 150));
    assert.equal(server.sendAll(8 * SIZE), [], "full");
    for (const block of range(0, 50)) server.acknowledge(A, block);
    server.request(A, range(200, 250));
    const sent = server.sendAll(8 * SIZE);
    assert.is(sent.filter((line) => line.startsWith(`${A} `)).length, 4);
    assert.is(sent.filter((line) => line.startsWith(`${B} `)).length, 4);
  });

  test("a peer that is slow to acknowledge does not take the share of the others", () => {
    const server = new Server([A, B]);
    server.request(A, range(0, 50));
    server.request(B, range(100, 150));
    server.sendAll(6 * SIZE);
    for (let i = 0; i < 10; i++) { // only B acknowledges
      for (const block of range(100, 150)) if (server.acknowledge(B, block)) break;
      const sent = server.sendAll(6 * SIZE);
      assert.ok(sent.every((line) => line.startsWith(`${B} `)), sent.join());
      assert.is(sent.length, 1);
    }
  });

  test("two blocks may be on the way to one peer, however small its share is", () => {
    const peers = range(1, 11);
    const server = new Server(peers);
    for (const peer of peers) {
      server.request(peer, range(peer * 100, peer * 100 + 10));
      if (peer === A) continue;
      server.uploads.sent(peer, 0, 5 * SIZE, 0);
      server.acknowledge(peer, 0);
    }
    const sent = server.sendAll(4 * SIZE).map((line) => +line.split(" ")[0]!);
    assert.equal(sent.slice(0, PIPELINE), [A, A]);
    assert.is(sent.lastIndexOf(A), PIPELINE - 1, "and no more, though it was given least");
    assert.is(sent.length, 4);
  });
});

suite("uploads, on the way", (test) => {
  test("an acknowledgement makes room, once; it tells when the block was sent", () => {
    const server = new Server();
    server.request(A, [1, 2]);
    server.now = 5;
    server.send();
    server.send();
    assert.is(server.uploads.unacknowledged, 2 * SIZE);
    assert.equal(server.uploads.acknowledged(A, 1, 80), { bytes: SIZE, at: 5 });
    assert.is(server.uploads.acknowledged(A, 1, 90), undefined);
    assert.is(server.uploads.unacknowledged, SIZE);
    server.uploads.leave(A);
    assert.is(server.uploads.unacknowledged, 0);
  });

  test("who got a block elsewhere is not sent it", () => {
    const server = new Server();
    server.request(A, [1]);
    assert.not(server.acknowledge(A, 1));
    assert.is(server.send(), undefined);
  });

  test("a cancel stops what is on its way, and says so", () => {
    const server = new Server();
    server.request(A, [1, 2]);
    const block = +server.send()!.split(" ")[1]!;
    assert.ok(server.uploads.cancel(A, block));
    assert.not(server.uploads.cancel(A, 3 - block));
    assert.is(server.uploads.unacknowledged, 0);
    assert.is(server.send(), undefined);
  });

  test("what is not acknowledged for long does not keep others waiting; what takes long always is no loss", () => {
    const server = new Server();
    server.request(A, [1]);
    server.send();
    server.uploads.tick(LOST_MS);
    assert.is(server.uploads.unacknowledged, SIZE);
    server.uploads.tick(LOST_MS + 1);
    assert.is(server.uploads.unacknowledged, 0);

    server.request(B, [2, 3]);
    server.send();
    server.now = 1_000; // so long it takes here
    server.acknowledge(B, 2) || server.acknowledge(B, 3);
    server.send();
    server.uploads.tick(1_000 + LOST_MS + 1);
    assert.is(server.uploads.unacknowledged, SIZE);
    server.uploads.tick(1_000 + LOST_MS + 4_001);
    assert.is(server.uploads.unacknowledged, 0);
  });

  test("what is on its way is not sent again for being asked for again", () => {
    const server = new Server();
    server.request(A, [1]);
    server.send();
    server.request(A, [1], 2);
    assert.is(server.send(), undefined);
  });
});
