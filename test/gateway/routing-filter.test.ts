/** What a client wants of the records (IPIP-484). */
import * as assert from "uvu/assert";
import { filterRecords, type PeerRecord } from "../../gateway/routing/filter.ts";
import { suite } from "../helpers/suite.ts";

suite("gateway: routing filters (IPIP-484)", (test) => {
  const TCP = "/ip4/203.0.113.5/tcp/4001";
  const WSS = "/dns4/docs.example.org/tcp/443/wss";
  const UDP = "/ip4/203.0.113.5/udp/4001/webrtc-direct";
  const record = (Addrs: string[], ...Protocols: string[]): PeerRecord => ({
    Schema: "peer",
    ID: "12D3",
    Addrs,
    Protocols,
  });
  const ALL = [
    record([TCP, WSS, UDP], "transport-bitswap", "transport-ipfs-gateway-http"),
    record([UDP]),
    record([], "transport-bitswap"),
  ];

  test("addresses: any that is named, none that is struck out, and those that nobody knows", () => {
    const cases: [string | undefined, string[][]][] = [
      [undefined, [[TCP, WSS, UDP], [UDP], []]],
      ["", [[TCP, WSS, UDP], [UDP], []]],
      ["tcp", [[TCP, WSS]]],
      ["wss,webrtc-direct", [[WSS, UDP], [UDP]]],
      ["!udp", [[TCP, WSS]]],
      ["tcp,!wss", [[TCP]]],
      ["TCP, !WSS", [[TCP]]],
      ["unknown", [[]]],
      ["unknown,wss", [[WSS], []]],
      ["quic-v1", []],
      // "ip" and "docs" are no protocols of these, only letters in them
      ["ip,docs", []],
    ];
    for (const [addrs, expected] of cases) {
      const left = filterRecords(ALL, { addrs, protocols: undefined });
      assert.equal(left.map(({ Addrs }) => Addrs), expected, addrs);
    }
  });

  test("protocols: any that is named; a match keeps all of its own", () => {
    const count = (protocols: string) =>
      filterRecords(ALL, { addrs: undefined, protocols }).map(({ Protocols }) => Protocols.length);
    assert.equal(count("transport-bitswap"), [2, 1]);
    assert.equal(count("Transport-IPFS-Gateway-HTTP"), [2]);
    assert.equal(count("unknown"), [0]);
    assert.equal(count("unknown,transport-bitswap"), [2, 0, 1]);
    assert.equal(count("transport-graphsync"), []);
  });
});
