/** What a crowd wants: one random file, or a small site whose files have fixed sizes. Always a folder. */
import { createHash, randomFillSync } from "node:crypto";
import { mkdir, open, readdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { createRandom } from "../../helpers/random.ts";

export type Wanted = "site" | { mib: number };

export interface Content {
  dir: string;
  /** Bytes of all files. */
  bytes: number;
  /** SHA-256 over the files in the order of their paths, in hex. */
  sha: string;
}

const MIB = 1024 * 1024;
const SITE_BYTES = 2_400_000;
/** Files of the site: a page, its styles and scripts, and so many pictures. */
const STYLES = 4, SCRIPTS = 8, PICTURES = 47;
const MIN_PICTURE = 5_000, MAX_PICTURE = 200_000;

/** Writes it, with random bytes, into a folder that it makes. */
export async function createContent(dir: string, wanted: Wanted): Promise<Content> {
  const sizes = wanted === "site"
    ? siteSizes()
    : new Map([["file.bin", Math.round(wanted.mib * MIB)]]);
  const piece = new Uint8Array(MIB);
  for (const [path, size] of sizes) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await using file = await open(join(dir, path), "w");
    for (let left = size; left > 0; left -= piece.byteLength) {
      await file.write(randomFillSync(piece), 0, Math.min(left, piece.byteLength));
    }
  }
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return { dir, bytes, sha: await digestOf(dir) };
}

/** As in {@link Content.sha}. */
export async function digestOf(dir: string): Promise<string> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(dir, join(parentPath, name)));
  const hash = createHash("sha256");
  for (const path of paths.sort()) hash.update(await readFile(join(dir, path)));
  return hash.digest("hex");
}

/** The same sizes at every run, or one run's site would be easier than another's. */
function siteSizes(): Map<string, number> {
  const random = createRandom(7);
  const between = (least: number, most: number) => least + random.int(most - least);
  const sizes = new Map([["index.html", 38_000]]);
  for (let n = 0; n < STYLES; n++) sizes.set(`css/${n}.css`, between(8_000, 40_000));
  for (let n = 0; n < SCRIPTS; n++) sizes.set(`js/${n}.js`, between(10_000, 120_000));
  const rest = SITE_BYTES - [...sizes.values()].reduce((sum, size) => sum + size, 0);
  // Many small ones and a few large ones, as pictures are.
  const weights = Array.from({ length: PICTURES }, () => 40 ** (random.int(1_000) / 1_000));
  const scale = rest / weights.reduce((sum, weight) => sum + weight, 0);
  for (const [n, weight] of weights.entries()) {
    const size = Math.min(MAX_PICTURE, Math.max(MIN_PICTURE, Math.floor(weight * scale)));
    sizes.set(`img/${String(n).padStart(2, "0")}.webp`, size);
  }
  return sizes;
}
