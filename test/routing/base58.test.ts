import { randomBytes } from "node:crypto";
import { base58btc } from "multiformats/bases/base58";
import * as assert from "uvu/assert";
import { decodeBase58 } from "../../src/routing/base58.ts";
import { suite } from "../helpers/suite.ts";

suite("base58", (test) => {
  test("bytes of any length come back, with zeros wherever they stand", () => {
    for (let length = 0; length < 70; length++) {
      for (const zeros of [0, 1, 2, length]) {
        for (const fill of [undefined, 0, 1, 255]) {
          const bytes = fill === undefined
            ? randomBytes(length)
            : new Uint8Array(length).fill(fill);
          bytes.fill(0, 0, Math.min(zeros, length));
          const text = base58btc.encode(bytes).slice(1);
          assert.equal([...decodeBase58(text)], [...bytes], text);
        }
      }
    }
  });

  test("every character that is no digit is refused, wherever it stands", () => {
    for (const wrong of ["0", "O", "I", "l", "-", " ", "\u0000", "ı", "😀"]) {
      for (const text of [wrong, `${wrong}abc`, `12D3${wrong}oo`, `12D3KooW${wrong}`]) {
        assert.throws(() => decodeBase58(text), SyntaxError, text);
      }
    }
  });
});
