/** A site's records in the DNS: written to its name servers, or told by one of its own. */
import { readFile } from "node:fs/promises";
import { NethoodError } from "../errors.ts";
import type { OwnTexts } from "../name/dns-update.ts";
import type { UpdateServer } from "../name/dns-update-server.ts";
import type { Settings } from "../options.ts";
import type { Teller } from "../teller.ts";
import type { Surroundings } from "./run.ts";

/** Addresses that are no address for the world: all of this machine's, or none that others can reach. */
const UNTELLABLE = /^(0\.0\.0\.0|::|127\.|::1$)/;

export interface SiteDns extends AsyncDisposable {
  /**
   * Makes the DNS say this of the site. What a name server refuses is told, and no more: the site is out, and its readers may know
   * its key already.
   */
  say(texts: OwnTexts[]): Promise<void>;
}

/**
 * Reads the keys and opens the socket, before anything is published: what a person has mistyped is better known before an hour of
 * hashing than after it.
 *
 * @param name the site's, as a person writes it
 * @throws {NethoodError} BAD_OPTION, BAD_ADDRESS, PORT_IN_USE
 */
export async function openSiteDns(
  name: string,
  settings: Pick<Settings, "dnsUpdates" | "dnsListen">,
  around: Pick<Surroundings, "env" | "signal">,
  teller: Pick<Teller, "tell" | "note">,
): Promise<SiteDns> {
  const { dnsUpdates, dnsListen } = settings;
  const { parseName } = await import("../content/address.ts");
  const site = parseName(name);
  const servers: UpdateServer[] = [];
  for (const address of dnsUpdates) servers.push(await readServer(address, around.env));
  let told: Record<string, string[]> = {};
  let delegated = "";
  const own = dnsListen === undefined
    ? undefined
    : await listen(site, dnsListen, () => told, teller);

  return {
    async say(texts) {
      told = Object.fromEntries(texts.map(({ name, texts }) => [name, texts]));
      if (own !== undefined && Object.keys(told).join() !== delegated) {
        delegated = Object.keys(told).join();
        await tellDelegation(site, Object.keys(told), own.address, teller);
      }
      for (const server of servers) await write(server, texts, around.signal, teller);
    },
    [Symbol.asyncDispose]: async () => await own?.stop(),
  };
}

/** A key on the command line is seen by everybody on the machine: it may be in a file or in the environment, too. */
async function readServer(text: string, env: Surroundings["env"]): Promise<UpdateServer> {
  const { parseKey, parseUpdateAddress } = await import("../name/dns-update-server.ts");
  const { tsig, tsigFile, ...address } = parseUpdateAddress(text);
  if (tsig !== undefined) return { ...address, key: parseKey(tsig) };
  if (tsigFile !== undefined) {
    const file = await readFile(tsigFile, "utf8").catch((cause) => {
      throw new NethoodError("BAD_OPTION", `The key file ${tsigFile} cannot be read.`, {
        cause,
        hint: "Check its name and whether it is yours to read.",
      });
    });
    return { ...address, key: parseKey(file, `The key in ${tsigFile}`) };
  }
  if (env.NETHOOD_TSIG) {
    return { ...address, key: parseKey(env.NETHOOD_TSIG, "The key in NETHOOD_TSIG") };
  }
  throw new NethoodError("BAD_OPTION", `The name server ${address.text} needs a key.`, {
    hint: "Add ?tsig-file=FILE, with NAME:hmac-sha256:SECRET in it, or set NETHOOD_TSIG to that.",
  });
}

async function listen(
  site: string,
  address: string,
  texts: () => Record<string, string[]>,
  teller: Pick<Teller, "note">,
) {
  const { createDnsServer } = await import("../name/dns-server.ts");
  return await createDnsServer({ listen: address, site, texts, log: teller.note });
}

async function tellDelegation(
  site: string,
  names: string[],
  address: string,
  teller: Pick<Teller, "tell">,
): Promise<void> {
  const { delegation } = await import("../name/dns-server.ts");
  const [, host] = /^\[?(.*?)\]?:\d+$/.exec(address)!;
  const lines = delegation(site, names, UNTELLABLE.test(host!) ? undefined : host);
  teller.tell(
    "dns:listening",
    { address, site, delegation: lines },
    [
      `Name server: ${address}, for ${names.join(", ")}. The zone above hands them over with:`,
      ...lines.map((line) => `  ${line}`),
    ].join("\n"),
  );
}

async function write(
  server: UpdateServer,
  texts: OwnTexts[],
  signal: AbortSignal,
  teller: Pick<Teller, "tell" | "note">,
): Promise<void> {
  const { updateTexts } = await import("../name/dns-update.ts");
  for (const own of texts) {
    try {
      const { name, zone, changed, removed, added } = await updateTexts(server, own, { signal });
      const news = { server: server.text, name, zone, changed, removed, added, texts: own.texts };
      const said = own.texts.map((text) => `"${text}"`).join(" and ") || "nothing of ours";
      const how = changed ? "now says" : "says already, unchanged,";
      teller.tell("dns:written", news, `DNS: ${name} ${how} ${said} (${server.text}).`);
    } catch (error) {
      if (!(error instanceof NethoodError)) throw error;
      const { code, message, hint } = error;
      const lines = own.texts.map((text) => `${own.name}. 60 IN TXT "${text}"`);
      teller.tell(
        "dns:failed",
        { server: server.text, name: own.name, code, message, hint, lines },
        [`The DNS is not changed: ${message}`, hint, ...lines].filter(Boolean).join("\n  "),
      );
    }
  }
}
