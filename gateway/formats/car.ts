/** A CAR file: the blocks of a path and of what is at its end, to be checked by whoever asked (trustless-gateway specification). */
import { sha256 } from "multiformats/hashes/sha2";
import { base32 } from "multiformats/bases/base32";
import { type EntityBytes, exportCar, type Selection } from "../../src/content/export.ts";
import { NethoodError } from "../../src/errors.ts";
import { unchanged } from "../etag.ts";
import { absent, type Ask, formatHeaders, locate } from "./format.ts";
import { MEDIA_TYPES, type Wanted } from "./negotiate.ts";
import { streamResponse } from "./stream.ts";

export interface CarOptions extends Selection {
  duplicates: boolean;
}

export async function carResponse(ask: Ask): Promise<Response> {
  const options = carOptions(ask.query, ask.wanted);
  const located = await locate(ask);
  const { found, blocks } = located;
  const { signal } = ask.client;
  // The root is read before anything is said of it; HEAD goes no further.
  await blocks.get(found.cid, { signal }).catch(absent);
  const etag = `W/"${found.cid}.car.${await fingerprint([found.above.join(), options])}"`;
  const headers = formatHeaders(ask, "car", located, etag, {
    kind: "attachment",
    filename: `${[ask.address.root, ...ask.address.path].join("_")}.car`,
  });
  const dups = options.duplicates ? "y" : "n";
  headers.set("Content-Type", `${MEDIA_TYPES.car}; version=1; order=dfs; dups=${dups}`);
  if (ask.location !== undefined) {
    headers.set("Content-Location", `${ask.location}&car-version=1&car-order=dfs&car-dups=${dups}`);
  }
  return unchanged(ask.c, headers) ??
    await streamResponse(ask, exportCar(blocks, found, options, { signal, ...options }), headers);
}

/** @throws {NethoodError} BAD_OPTION */
export function carOptions(
  query: URLSearchParams,
  { parameters }: Pick<Wanted, "parameters">,
): CarOptions {
  const choose = (name: string, allowed: string[]) => {
    const value = query.get(`car-${name}`) ?? parameters[name] ?? allowed[0]!;
    if (!allowed.includes(value)) throw bad(`car-${name}`, value, allowed.join(" or "));
    return value;
  };
  choose("version", ["1"]);
  choose("order", ["dfs", "unk"]);
  const duplicates = choose("dups", ["n", "y"]) === "y";
  const bytes = query.get("entity-bytes");
  const range = bytes === null ? undefined : parseEntityBytes(bytes);
  const scope = query.get("dag-scope") ?? (range ? "entity" : "all");
  if (scope !== "all" && scope !== "entity" && scope !== "block") {
    throw bad("dag-scope", scope, "all, entity or block");
  }
  return { scope, bytes: scope === "entity" ? range : undefined, duplicates };
}

function parseEntityBytes(text: string): EntityBytes {
  const [, from, to] = /^(-?\d{1,15}):(\*|-?\d{1,15})$/.exec(text) ?? [];
  if (from === undefined) throw bad("entity-bytes", text, "such as 0:1023, -5:* or 512:-256");
  return { from: Number(from), to: to === "*" ? undefined : Number(to) };
}

function bad(name: string, value: string, allowed: string): NethoodError {
  return new NethoodError(
    "BAD_OPTION",
    `The parameter ${name} cannot be "${value.slice(0, 40)}".`,
    {
      hint: `It is ${allowed}.`,
    },
  );
}

/** Short, and different for whatever makes the file different. */
async function fingerprint(what: unknown): Promise<string> {
  const { digest } = await sha256.digest(new TextEncoder().encode(JSON.stringify(what)));
  return base32.encode(digest).slice(1, 17);
}
