/** Sites that are hard to publish the same way twice: what the profile unixfs-v1-2025 has an opinion about. */
import { mkdir, open, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addFiles, type Files } from "./folder.ts";

const KIB = 1024, MIB = 1024 * KIB;

/** Bytes that no compressor and no block of equals would make small; the same each time. */
export function noise(length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = 2463534242;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** Names in many scripts, and those that a shell, a URL or a careless program would read as something else. */
export const NAMES: string[] = [
  "привет.txt",
  "你好.txt",
  "مرحبا.txt",
  "שלום.txt",
  "नमस्ते.txt",
  "สวัสดี.txt",
  "ひらがな.txt",
  "caf\u00e9.txt",
  "cafe\u0301.txt",
  "\ufb01ne.txt",
  "😀.txt",
  "👩‍👩‍👧.txt",
  "\uff5e.txt",
  "\ufffd.txt",
  " leading",
  "trailing ",
  "two  spaces",
  "#hash",
  "what?",
  "100%",
  "100%25",
  "a&b=c+d",
  "-dash",
  "--double",
  "semi;colon",
  "quote\"'`",
  "back\\slash",
  "ends with\\",
  "line\nbreak",
  "$HOME",
  "*",
  "~",
  "...",
  "Index.html",
  "index.html",
  "INDEX.HTML",
  "x".repeat(255),
]; // deno-fmt-ignore

/** A site with each of them, every length at which a file's shape changes, folders in folders, and links that are followed. */
export async function writeTrickySite(dir: string): Promise<void> {
  const files: Files = {
    "empty.txt": "",
    "empty folder/": "",
    "folder in/folder in/folder/page.html": "deep",
    "folder \\/inside.txt": "a backslash is a character",
    "chunk": noise(MIB),
    "chunk+1": noise(MIB + 1),
    "chunks": noise(5 * MIB - 7),
    ".well-known/security.txt": "Contact: mailto:security@example.org",
    ".hidden": "published only when asked for",
  };
  for (const name of NAMES) {
    files[name] = name;
    files[`${name}-folder/${name}`.replace("x".repeat(255), "long")] = name;
  }
  await addFiles(dir, files);
  await symlink("chunk+1", join(dir, "a link to a file"));
  await symlink("folder in", join(dir, "a link to a folder"));
}

/** Characters of a name, and the bytes that a file with such a name adds to its directory's block. */
const NAME_CHARS = 207, LINK_BYTES = 253;

/** A folder whose flat block has exactly this many bytes, 4 of them for the kind; the first file's name takes what is left. */
export async function writeFolderOfSize(dir: string, bytes: number): Promise<void> {
  const files = Math.floor((bytes - 4) / LINK_BYTES);
  await mkdir(dir, { recursive: true });
  for (let i = 0; i < files; i++) {
    const rest = i === 0 ? (bytes - 4) % LINK_BYTES : 0;
    await writeFile(join(dir, String(i).padStart(NAME_CHARS + rest, "0")), "x");
  }
}

/** A folder of so many subfolders with long names that only counting them tells that it has to be sharded. */
export async function writeManyFolders(dir: string): Promise<void> {
  for (let i = 0; i < 1100; i++) {
    const post = join(dir, "posts", String(i).padStart(200, "p"));
    await mkdir(post, { recursive: true });
    await writeFile(join(post, "index.html"), String(i));
  }
}

/** A file that takes nearly no room on disk: zeros, and these words at its end. */
export async function writeSparseFile(file: string, zeros: number, end: string): Promise<void> {
  const handle = await open(file, "w");
  try {
    await handle.write(new TextEncoder().encode(end), 0, end.length, zeros);
  } finally {
    await handle.close();
  }
}
