/** Which form a request asks for, and under which name it is saved. */
import * as assert from "uvu/assert";
import { carOptions } from "../../../gateway/formats/car.ts";
import { disposition } from "../../../gateway/formats/disposition.ts";
import { negotiate, onlyIfCached } from "../../../gateway/formats/negotiate.ts";
import { refusal } from "../../helpers/failure.ts";
import { suite } from "../../helpers/suite.ts";

const CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8";

const query = (text = "") => new URLSearchParams(text);
const format = (text?: string, accept?: string) => negotiate(query(text), accept)?.format;

suite("gateway: negotiation", (test) => {
  test("?format= wins over Accept, and one that does not exist is refused", async () => {
    assert.is(format("format=car", "application/vnd.ipld.raw"), "car");
    assert.is(negotiate(query("format=car"), undefined)!.byAccept, false);
    for (const unknown of ["zip", "", "html", "constructor", "RAW"]) {
      await refusal("BAD_OPTION", () => format(`format=${unknown}`));
    }
  });

  test("of Accept the best counts, whatever its order and capitals", () => {
    const cases: [string, string | undefined][] = [
      ["application/vnd.ipld.raw", "raw"],
      ["Application/VND.ipld.CAR; Version=1", "car"],
      [CHROMIUM, "html"],
      ["*/*", undefined],
      ["", undefined],
      ["image/png", undefined],
      ["application/vnd.ipld.raw;q=0.5, application/vnd.ipld.car", "car"],
      ["application/vnd.ipld.raw;q=0.9, text/html;q=0.8", "raw"],
      ["application/vnd.ipld.raw;q=0, */*", undefined],
      ["*/*, application/vnd.ipld.raw", "raw"],
      ["application/vnd.ipld.raw;q=0.2, */*;q=0.8", undefined],
      ["application/x-tar, application/vnd.ipld.car", "tar"],
      ["application/json, text/plain, */*", "json"],
    ];
    for (const [accept, expected] of cases) assert.is(format("", accept), expected, accept);
    assert.is(negotiate(query(), "application/json, */*")!.optional, true);
    assert.is(negotiate(query(), "application/json")!.optional, false);
  });

  test("a CAR's parameters: the query's, else those of Accept, else the specification's", async () => {
    const options = (text: string, accept = "") =>
      carOptions(query(text), negotiate(query(`format=car&${text}`), accept)!);
    const car = "application/vnd.ipld.car; version=1; order=dfs; dups=";
    assert.equal(options(""), { scope: "all", bytes: undefined, duplicates: false });
    assert.is(options("", `${car}y`).duplicates, true);
    assert.is(options("", `${car}"y"`).duplicates, true);
    assert.is(options("car-dups=y", `${car}n`).duplicates, true);
    assert.equal(options("entity-bytes=-5:*"), {
      scope: "entity",
      bytes: { from: -5, to: undefined },
      duplicates: false,
    });
    assert.is(options("dag-scope=block&entity-bytes=0:9").bytes, undefined);
    const wrong = ["dag-scope=some", "car-version=2", "car-order=bfs", "car-dups=maybe"];
    for (const bytes of ["1", "a:b", "*:1", "0:", "1.5:2"]) wrong.push(`entity-bytes=${bytes}`);
    for (const text of wrong) await refusal("BAD_OPTION", () => options(text));
    await refusal("BAD_OPTION", () => options("", "application/vnd.ipld.car; version=2"));
  });

  test("names: in ASCII for all, in full for who can, and nothing that ends the header", () => {
    const named = (text: string) => disposition(query(text), { kind: "inline" });
    assert.is(named(""), undefined);
    assert.is(named("download=false"), undefined);
    assert.is(named("download=true"), "attachment");
    assert.is(named("filename=a b.txt"), 'inline; filename="a b.txt"');
    assert.is(
      named("download=true&filename=testтест.tar"),
      `attachment; filename="test____.tar"; filename*=UTF-8''test%D1%82%D0%B5%D1%81%D1%82.tar`,
    );
    assert.is(
      named("filename=" + encodeURIComponent('"\r\nX: 1\\(\u{1F600})')),
      `inline; filename="___X: 1_(_)"; filename*=UTF-8''%22%0D%0AX%3A%201%5C%28%F0%9F%98%80%29`,
    );
    assert.is(
      disposition(query("filename="), { kind: "attachment", filename: "x.bin" }),
      'attachment; filename="x.bin"',
    );
  });

  test("only-if-cached is a directive of its own", () => {
    for (const yes of ["only-if-cached", "max-age=0, Only-If-Cached", "only-if-cached,no-store"]) {
      assert.ok(onlyIfCached(yes), yes);
    }
    for (const no of [undefined, "", "x-only-if-cached", "only-if-cached-not"]) {
      assert.not.ok(onlyIfCached(no), no);
    }
  });
});
