/** Which block to send to whom, rule by rule. */
import * as assert from "uvu/assert";
import type { Level } from "../../src/swarm/frame.ts";
import { Holdings } from "../../src/swarm/holdings.ts";
import { HOLD_MS, LOST_MS, PIPELINE, Uploads } from "../../src/swarm/uploads.ts";
import { createRandom } from "../helpers/random.ts";
import { range } from "../helpers/scheduling.ts";
import { suite } from "../helpers/suite.ts";

const A = 1, B = 2, C = 3, IDLE = 9;
const SIZE = 64 * 1024;
const WIDE = 1_000 * SIZE;

/** A server of blocks that are all of one size. */
class Server {
  readonly holdings = new Holdings();
  readonly uploads: Uploads;
  now = 0;

  constructor(peers: number[] = [A, B, C], seed = 1) {
    const random = createRandom(seed);
    this.uploads = new Uploads(this.holdings, () => random.int(2 ** 32) / 2 ** 32);
    for (const peer of peers) this.meet(peer);
  }

  /** @param stranger whether it has given us nothing, as nobody has given a seeder anything */
  meet(peer: number, stranger = false): void {
    this.holdings.join(peer);
    this.holdings.believe(peer, !stranger);
    this.uploads.join(peer);
  }

  request(peer: number, blocks: number[], level: Level = 0): void {
    for (const block of blocks) this.uploads.request(peer, block, level, this.now);
  }

  /** Sends what is to be sent next, if anything. @returns `PEER BLOCK` */
  send(window = WIDE): string | undefined {
    const upload = this.uploads.next(this.now, window);
    if (upload === undefined) return undefined;
    this.uploads.sent(upload.peer, upload.block, SIZE, this.now);
    return `${upload.peer} ${upload.block}`;
  }

  /** Sends all that may be on the way. */
  sendAll(window = WIDE): string[] {
    const sent: string[] = [];
    for (let one = this.send(window); one !== undefined; one = this.send(window)) sent.push(one);
    return sent;
  }

  /** A peer has got a block. */
  acknowledge(peer: number, block: number, whole = true): boolean {
    this.holdings.add(peer, block);
    return this.uploads.acknowledged(peer, block, this.now, whole) !== undefined;
  }
}

suite("uploads, which block", (test) => {
  test("who has nobody else goes before what is new, and even before who was given less", () => {
    const server = new Server();
    server.holdings.add(C, 7);
    server.request(A, [1, 2]);
    server.request(B, [7], 2);
    server.uploads.sent(B, 0, SIZE, 0);
    assert.is(server.send(), `${B} 7`);
  });

  test("those in a hurry get every second block at most while the crowd lacks others", () => {
    const server = new Server();
    for (const block of range(10, 20)) server.holdings.add(C, block);
    server.request(A, range(0, 5));
    server.request(B, range(10, 15), 2);
    const sent = server.sendAll().map((line) => line.slice(0, 1));
    assert.is(
      sent.slice(0, 8).join(""),
      "21212121".replaceAll("2", String(B)).replaceAll("1", String(A)),
    );
  });

  test("a block that the crowd lacks goes before every second copy, on the way counted", () => {
    const server = new Server();
    const blocks = range(0, 6);
    for (const peer of [A, B]) server.request(peer, blocks);
    const first = range(0, 6).map(() => server.send()!.split(" ")[1]);
    assert.is(new Set(first).size, 6, "six different ones");
    assert.is(server.sendAll().length, 6, "then the second copies");
  });

  test("what was lost with a peer that went is new again", () => {
    const server = new Server();
    server.holdings.add(C, 1);
    server.request(A, [1]);
    server.request(B, [2]);
    server.uploads.sent(B, 3, SIZE, 0); // B was given more
    assert.is(server.uploads.next(0, WIDE)?.block, 2);
    server.uploads.leave(C);
    server.holdings.leave(C);
    assert.is(server.uploads.next(0, WIDE)?.block, 1);
  });

  test("nobody waits for a second copy longer than ten seconds", () => {
    const server = new Server();
    server.holdings.add(C, 7);
    server.request(A, range(0, 5));
    server.request(B, [7], 1);
    server.uploads.sent(B, 8, SIZE, 0);
    assert.is(server.uploads.next(0, WIDE)?.peer, A);
    server.now = HOLD_MS + 1;
    server.uploads.sent(A, 9, 2 * SIZE, server.now);
    assert.is(server.uploads.next(server.now, WIDE)?.block, 7);
  });

  test("of second copies the one that is waited for goes first, then the rarest", () => {
    const server = new Server([A, B, C, IDLE]);
    for (const block of [1, 2, 3]) server.holdings.add(C, block);
    for (const block of [1, 2]) server.holdings.add(B, block);
    server.request(A, [1, 2, 3]);
    server.request(A, [2], 1);
    assert.equal(server.sendAll(), [`${A} 2`, `${A} 3`, `${A} 1`]);
  });

  test("chance decides among equals", () => {
    const choice = (seed: number) => {
      const server = new Server([A], seed);
      server.request(A, range(0, 500));
      return server.send();
    };
    assert.is(new Set(range(1, 11).map(choice)).size, 10);
    assert.is(choice(3), choice(3));
  });

  test("what was asked for again without hurry does not hurry any more; what was cancelled is not sent", () => {
    const server = new Server();
    server.holdings.add(C, 7);
    server.request(A, [1]);
    server.request(B, [7], 2);
    server.request(B, [7], 0);
    server.request(B, [8]);
    server.uploads.cancel(B, 8);
    assert.equal(server.sendAll(), [`${A} 1`, `${B} 7`]);
  });
});

suite("uploads, what strangers say", (test) => {
  /** Sends a block to A, and it arrives. */
  const give = (server: Server, block: number) => {
    server.request(A, [block]);
    assert.is(server.send(), `${A} ${block}`);
    assert.ok(server.acknowledge(A, block));
  };
  const strangers = () => {
    const server = new Server([]);
    for (const peer of [A, B, C]) server.meet(peer, true);
    return server;
  };

  test("who says to have what we gave nobody makes nothing less new, be they one or several", () => {
    const server = strangers();
    for (const peer of [C, IDLE]) {
      server.meet(peer, true);
      for (const block of range(0, 6)) server.acknowledge(peer, block);
    }
    for (const peer of [A, B]) {
      server.request(peer, range(0, 6));
      server.request(peer, [0], 1);
    }
    const first = range(0, 6).map(() => server.send()!.split(" ")[1]);
    assert.is(new Set(first).size, 6, "six different ones");
  });

  test("what came to whom we gave it is with the crowd, for as long as anybody has it", () => {
    const server = strangers();
    give(server, 7);
    server.request(B, [7, 8], 1);
    assert.is(server.uploads.next(0, WIDE)?.block, 8);
    server.acknowledge(C, 7); // from A, as far as we know
    server.holdings.leave(A);
    assert.is(server.uploads.next(0, WIDE)?.block, 8);
    server.holdings.leave(C);
    assert.is(
      server.uploads.next(0, WIDE)?.block,
      7,
      "it is waited for as long, and was asked for first",
    );
  });

  test("who says that it has a block of which it was sent a part has it not from us; nor who was to be sent it", () => {
    for (
      const end of [
        (server: Server) => server.acknowledge(A, 7, false),
        (server: Server) => {
          server.uploads.cancel(A, 7);
          server.acknowledge(A, 7);
        },
      ]
    ) {
      const server = strangers();
      server.request(A, [7]);
      server.send();
      end(server);
      server.request(B, [7, 8], 1);
      assert.is(server.uploads.next(0, WIDE)?.block, 7);
    }
  });

  test("what arrives so late that it was taken for lost has come nevertheless", () => {
    const server = strangers();
    server.request(A, [7]);
    server.send();
    server.uploads.tick(LOST_MS + 1);
    assert.not(server.acknowledge(A, 7));
    server.request(B, [7, 8], 1);
    assert.is(server.uploads.next(0, WIDE)?.block, 8);
  });
});

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
