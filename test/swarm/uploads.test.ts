/** Which block to send, rule by rule. */
import * as assert from "uvu/assert";
import { HOLD_MS, LOST_MS } from "../../src/swarm/uploads.ts";
import { range } from "../helpers/scheduling.ts";
import { Server, SIZE, WIDE } from "../helpers/serving.ts";
import { suite } from "../helpers/suite.ts";

const A = 1, B = 2, C = 3, IDLE = 9;

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
