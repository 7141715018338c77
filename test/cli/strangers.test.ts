/** What strangers wrote, in what a person reads: it may lie, but it neither commands the terminal nor speaks for the program. */
import { Writable } from "node:stream";
import * as assert from "uvu/assert";
import { NethoodError } from "../../src/errors.ts";
import { printable } from "../../src/printable.ts";
import type { Published } from "../../src/seeder.ts";
import { createTeller, type Teller } from "../../src/teller.ts";
import { suite } from "../helpers/suite.ts";

/** Clears the screen, names the window, deletes a letter, and goes on in a line of its own; C1 has the same in one byte. */
const HOSTILE = "a\x1b[2J\x1b]0;owned\x07b\x7f\x9b31mc\r\nnethood: All is well.";
const HARMLESS = "a\uFFFD[2J\uFFFD]0;owned\uFFFDb\uFFFD\uFFFD31mc\uFFFD\uFFFDnethood: All is well.";

suite("strangers' words", (test) => {
  test("controls are shown as what they are, and every script as it is", () => {
    assert.is(printable(HOSTILE), HARMLESS);
    assert.is(printable("\u202Egpj.exe\u2066\u2028"), "\uFFFDgpj.exe\uFFFD\uFFFD");
    const names = "привет café cafe\u0301 你好 مرحبا नमस्ते 👩‍👩‍👧 می\u200Cخواهم שלום a\\b %00";
    assert.is(printable(names), names);
  });

  test("an error's message and hint stay one line each", () => {
    const error = new NethoodError("NOT_A_FILE", HOSTILE, { hint: HOSTILE });
    assert.is(
      told((teller) => teller.failure(error)),
      `nethood: ${HARMLESS}\n         ${HARMLESS}\n`,
    );
    const unforeseen = new Error("out of the \x1b[2Jblue");
    assert.match(told((teller) => teller.failure(unforeseen)), /^nethood: out of the \uFFFD\[2J/);
    const debugged = told((teller) => teller.failure(new Error(HOSTILE)), { debug: true });
    assert.is(debugged.match(/^nethood: /gm)?.length, 1, debugged);
    assert.not.match(debugged, "\x1b");
  });

  test("a note, and files that were left out or lie elsewhere", () => {
    const note = told((teller) => teller.note(`unexpected: ${HOSTILE}`));
    assert.is(
      note,
      "unexpected: a\uFFFD[2J\uFFFD]0;owned\uFFFDb\uFFFD\uFFFD31mc\uFFFD\n  nethood: All is well.\n",
    );
    const published = {
      skipped: [{ path: HOSTILE, why: "it is a socket" }],
      outside: [HOSTILE],
      secrets: [HOSTILE],
      site: "docs.example.org",
      bytes: 1536,
      files: 1,
      version: { number: 1 },
    } as unknown as Published;
    const news = told((teller) => teller.published(published, "http://127.0.0.1:8080"));
    assert.ok(
      news.startsWith(`Left out: ${HARMLESS}: it is a socket.\nNote: ${HARMLESS} is a link`),
    );
    assert.match(news, `\nNote: ${HARMLESS} holds a private key`);
    assert.match(news, "\ndocs.example.org is published: 1 file, 1.5 KiB.\n");
  });

  test("a program gets them to the letter, in JSON that no terminal obeys", () => {
    const error = new NethoodError("NOT_A_FILE", HOSTILE);
    const [line] = told((teller) => teller.failure(error), { json: true }).split("\n");
    assert.is(JSON.parse(line!).message, HOSTILE);
    assert.not.match(line!, /\p{Cc}/u);
  });
});

/** All that a teller writes, on a terminal. */
function told(tell: (teller: Teller) => void, options = {}): string {
  let seen = "";
  const write = (chunk: unknown, _: string, done: () => void) => (seen += chunk, done());
  const [stdout, stderr] = [new Writable({ write }), new Writable({ write })];
  tell(createTeller({ stdout, stderr: Object.assign(stderr, { isTTY: true }) }, options));
  return seen;
}
