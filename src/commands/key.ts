/** `nethood key`: the keys of one's sites are saved, brought back, and replaced. */
import { Buffer } from "node:buffer";
import { open, rm, stat } from "node:fs/promises";
import { NethoodError, systemCode } from "../errors.ts";
import type { ListedKey, SiteKey } from "../keys.ts";
import type { Settings } from "../options.ts";
import type { Teller } from "../teller.ts";
import { ask } from "./ask.ts";
import { readAll, readInput, readPassphrase } from "./input.ts";
import type { Run, Surroundings } from "./run.ts";

/** Asks the node that runs on the folder, or one that is started for it. */
type AskKeys = <Result>(method: string, params?: Record<string, unknown>) => Promise<Result>;

/** One errand, with what was typed behind its name. */
type Errand = (
  keys: AskKeys,
  words: string[],
  settings: Settings,
  around: Surroundings,
  teller: Teller,
) => Promise<void>;

type Imported = SiteKey & { dnslink: string; known: boolean };

type Rotated = SiteKey & { dnslink: string; before: string };

/** How many words each takes, and an example. */
const ERRANDS: Record<string, { words: number; example: string; run: Errand }> = {
  list: { words: 0, example: "key list", run: list },
  export: { words: 1, example: "key export docs.example.org", run: exportKey },
  import: { words: 2, example: "key import docs.example.org docs.example.org.pem", run: importKey },
  rotate: { words: 1, example: "key rotate docs.example.org", run: rotate },
};

export const key: Run = async (settings, around, teller) => {
  const [name = "list", ...words] = settings.words;
  const errand = Object.hasOwn(ERRANDS, name) ? ERRANDS[name] : undefined;
  if (errand === undefined) {
    throw wrong(
      `"key ${name}" is no command.`,
      `There are key ${Object.keys(ERRANDS).join(", key ")}.`,
    );
  }
  if (words.length !== errand.words) {
    throw wrong(
      `key ${name} needs ${needs(errand.words)}.`,
      `For example: ${around.run} ${errand.example}`,
    );
  }
  if (name !== "export" && (settings.asWords || settings.toStdout || settings.output)) {
    throw wrong("--words, --stdout and -o belong to key export.", "Leave them out.");
  }
  const keys: AskKeys = async <Result>(method: string, params = {}) =>
    await ask({ method: `key.${method}`, params }, settings, around, teller) as Result;
  await errand.run(keys, words, settings, around, teller);
};

async function list(
  ask: AskKeys,
  _: string[],
  __: Settings,
  ___: Surroundings,
  teller: Teller,
): Promise<void> {
  const keys = await ask<ListedKey[]>("list");
  const told = { current: "", next: "  (to come: run key rotate again)", retired: "  (retired)" };
  const lines = keys.map(({ site, key, state }) => `${site}  ${key}${told[state]}`);
  const none = "There are no keys yet: a site gets one when it is first published.";
  teller.tell("key:list", { keys }, lines.length > 0 ? lines.join("\n") : none);
}

async function exportKey(
  ask: AskKeys,
  [name]: string[],
  settings: Settings,
  { stdout, signal }: Surroundings,
  teller: Teller,
): Promise<void> {
  const { asWords, toStdout, json, output } = settings;
  if (json && (asWords || toStdout) || asWords && (toStdout || settings.passphraseFile)) {
    throw wrong(
      json
        ? "A key is never part of the JSON lines."
        : "The words are the key itself, on the screen.",
      "Leave out one of the options; without any of them a file is written.",
    );
  }
  if (asWords) {
    const { words } = await ask<{ words: string }>("words", { name });
    stdout.write(`${inRows(words)}\n`);
    return;
  }
  const passphrase = await passphraseOf(settings, signal);
  const { site, key, pem } = await ask<SiteKey & { pem: string }>("pem", { name, passphrase });
  if (toStdout) {
    stdout.write(pem);
    return;
  }
  const file = output ?? `${site}.pem`;
  await writeSecret(file, pem);
  const how = passphrase === undefined ? "" : ", protected by the passphrase";
  teller.tell(
    "key:exported",
    { site, name: key, file },
    `The key of ${site} is in ${file}${how}.\n` +
      "Keep it where nobody else reads it, and not in the folder of the site: whoever has it can publish in your name.",
  );
}

async function importKey(
  ask: AskKeys,
  [name, file]: string[],
  settings: Settings,
  { signal }: Surroundings,
  teller: Teller,
): Promise<void> {
  const { MAX_KEY_FILE } = await import("../name/key-file.ts");
  const unreadable = (cause: unknown) =>
    new NethoodError("BAD_KEY", `The file ${file} cannot be read.`, {
      cause,
      hint: "Check its name, and that you may read it.",
    });
  const bytes = await readAll(readInput(file!, signal, unreadable), MAX_KEY_FILE);
  const passphrase = await passphraseOf(settings, signal);
  const params = { name, file: Buffer.from(bytes).toString("base64"), passphrase };
  const { known, site, key, dnslink } = await ask<Imported>("import", params);
  if (file !== "-") await warnOfReaders(file!, teller);
  teller.tell(
    "key:imported",
    { site, name: key, dnslink, known },
    (known ? `This is the key of ${site} already: ` : `The key of ${site} is now `) +
      `/ipns/${key}.\nIts record in the DNS:\n\n  ${dnslink}`,
  );
}

/** What protects the file of a key; undefined for nothing. @throws {NethoodError} BAD_OPTION */
async function passphraseOf(
  { passphraseFile }: Settings,
  signal: AbortSignal,
): Promise<string | undefined> {
  return passphraseFile === undefined ? undefined : await readPassphrase(passphraseFile, signal);
}

async function rotate(
  ask: AskKeys,
  [name]: string[],
  _: Settings,
  { run }: Surroundings,
  teller: Teller,
): Promise<void> {
  const { site, key, before, dnslink } = await ask<Rotated>("rotate", { name });
  teller.tell(
    "key:rotated",
    { site, name: key, before, dnslink },
    `${site} has a new key: /ipns/${key}.\n` +
      `The last record of the old one, /ipns/${before}, leads its readers there.\n\n` +
      `Put this record into the DNS of ${site}, in place of the old one:\n\n  ${dnslink}\n\n` +
      `A seeder that runs gives out the new record already; else start it (${run} seed …): until ` +
      "then nobody can get it. One that writes into the DNS itself has to be started anew.\n" +
      "Save the new key, too: key export.",
  );
}

/** A file that only its owner reads, where none is yet. */
async function writeSecret(file: string, text: string): Promise<void> {
  let made = false;
  try {
    const handle = await open(file, "wx", 0o600);
    made = true;
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (made) await rm(file, { force: true }).catch(() => undefined); // The first error counts.
    const there = systemCode(cause) === "EEXIST";
    throw new NethoodError(
      "FILE_UNWRITABLE",
      there ? `${file} is there already, and is left as it is.` : `${file} cannot be written.`,
      { cause, hint: "Name another file with -o." },
    );
  }
}

async function warnOfReaders(file: string, teller: Teller): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o077) === 0) return;
  teller.note(`${file} can be read by others on this machine: chmod 600 ${file}`);
}

/** Six in a row, numbered, as they are best written down. */
function inRows(words: string): string {
  const all = words.split(" ").map((word) => word.padEnd(8));
  const rows = Array.from({ length: all.length / 6 }, (_, i) => all.slice(6 * i, 6 * i + 6));
  return rows.map((row) => row.join("  ").trimEnd()).join("\n");
}

function needs(words: number): string {
  if (words === 0) return "no more words";
  return words === 1
    ? "the site's name"
    : "the site's name and a file, or - for the standard input";
}

function wrong(message: string, hint: string): NethoodError {
  return new NethoodError("BAD_OPTION", message, { hint });
}
