/** `nethood get`: a file, or a folder with all that is in it. */
import type { DirectoryEntry, DocumentEntry, Entry, FileEntry } from "../content/read.ts";
import { NethoodError } from "../errors.ts";
import type { Node } from "../node.ts";
import { type Run, start } from "./run.ts";

/** Names shown of a folder that has no page of its own. */
const SHOWN = 8;

export const get: Run = async (settings, around, teller) => {
  const { argument: text, output } = settings;
  const { signal } = around;
  if (text === undefined) {
    throw new NethoodError("BAD_OPTION", "get needs an address.", {
      hint: `For example: ${around.run} get http://docs.example.org/manual.pdf -o manual.pdf`,
    });
  }
  if (settings.json && output === undefined) {
    throw new NethoodError("BAD_OPTION", "get --json needs a file for the content.", {
      hint: "Name it with -o: the standard output has only JSON lines then.",
    });
  }
  const { parseAddress } = await import("../content/address.ts");
  const { checkFree, pour, save, saveFolder } = await import("../output.ts");
  const address = parseAddress(text);
  await using node = await start(settings, around, teller);
  const { entry } = await node.open(address, { signal, index: output === undefined });
  if (entry.kind === "directory" && output !== undefined) {
    await checkFree(output); // before an hour of fetching rather than after it
    const whole = await node.keep(address, { signal, onProgress: teller.keeping("get") });
    const files = await saveFolder(await localMembers(node, entry, signal), output, { signal });
    return teller.saved(whole, files, output);
  }
  const file = await aFile(entry, text, signal);
  const bytes = file.bytes(undefined, { signal });
  if (output === undefined) return await pour(bytes, around.stdout, { signal });
  await save(teller.receiving(bytes, file.size), output, { signal });
  teller.received(file, output);
};

/** A folder's parts, all of which are here. */
async function localMembers(node: Node, folder: DirectoryEntry, signal: AbortSignal) {
  const { localOnly } = await import("../content/blocks.ts");
  const { open } = await import("../content/read.ts");
  const { members } = await import("../content/tar.ts");
  const blocks = localOnly(node.blocks);
  return members(blocks, await open(blocks, folder.cid, [], { signal }), { signal });
}

async function aFile(entry: Entry, address: string, signal: AbortSignal): Promise<FileEntry> {
  if (entry.kind === "file") return entry;
  if (entry.kind === "document") return asFile(entry);
  const symlink = entry.kind === "symlink";
  throw new NethoodError(
    "NOT_A_FILE",
    symlink
      ? `${address} is a symbolic link to ${entry.target}.`
      : `${address} is a folder without an index.html.`,
    { hint: symlink ? "Open what it links to." : await namesIn(entry, signal) },
  );
}

/** A document as its bytes. */
function asFile({ block, cid, above, roots }: DocumentEntry): FileEntry {
  const size = block.byteLength;
  const bytes: FileEntry["bytes"] = async function* (range = { start: 0, end: size }) {
    yield block.subarray(range.start, range.end);
  };
  return { kind: "file", cid, above, roots, size, bytes };
}

async function namesIn(folder: DirectoryEntry, signal: AbortSignal): Promise<string> {
  const names: string[] = [];
  for await (const { name } of folder.entries({ signal })) {
    if (names.push(name) > SHOWN) break;
  }
  if (names.length === 0) return "It is empty.";
  const more = names.length > SHOWN ? ", …" : "";
  return `Add the name of a file in it: ${names.slice(0, SHOWN).join(", ")}${more}`;
}
