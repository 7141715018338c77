/** A file written as fast as its copy in memory is made. */
import { closeSync, openSync, writeSync } from "node:fs";

/**
 * Most bytes of one write to a file. Linux takes memory for what is written in pieces as large as the write, and the largest
 * are those that a hypervisor has to give back first: on such a machine a block of 1 MiB, written whole, takes three times as
 * long. Each write is a copy in memory, which ends sooner than another thread could be asked for it, and answer.
 */
const WRITE_BYTES = 64 * 1024;

/** @throws what the system says, with the file half-written */
export function writeInPieces(path: string, bytes: Uint8Array): void {
  const file = openSync(path, "w");
  try {
    for (let at = 0; at < bytes.byteLength;) {
      at += writeSync(file, bytes, at, Math.min(WRITE_BYTES, bytes.byteLength - at));
    }
  } finally {
    closeSync(file);
  }
}
