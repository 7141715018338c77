/** Names that a person gave a meaning to: they are not looked up. Written as the field does, `name:value,name:value`. */
import { parseName } from "../content/address.ts";
import { NethoodError, notCached } from "../errors.ts";
import { isValue, type Value } from "./value.ts";

/** How long such a meaning is told to hold, in seconds: a person may change it with the next start. */
const TTL_S = 60;

type Options = { signal?: AbortSignal | undefined; local?: boolean | undefined };
type Lookup = (name: string, options?: Options) => Promise<Value>;

/**
 * @param text such as `docs.example.org:/ipfs/<cid>,blog.example.org:/ipns/<key>`
 * @throws {NethoodError} BAD_OPTION
 */
export function parseNameMap(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(",").filter((part) => part.trim() !== "").map((part) => {
      const [, name, value] = /^\s*([^:\s]+):(\/\S+)\s*$/.exec(part) ?? [];
      if (name === undefined || value === undefined) throw bad(part);
      return [name, value];
    }),
  );
}

/** A lookup that knows these names, and asks another for the rest. @throws {NethoodError} BAD_OPTION */
export function withStatic(names: Record<string, string>, lookup: Lookup): Lookup {
  const known = new Map<string, string>();
  for (const [name, value] of Object.entries(names)) {
    if (!isName(name) || !isValue(value)) throw bad(`${name}:${value}`);
    known.set(parseName(name), value);
  }
  return (name, options) => {
    const value = known.get(name);
    if (value !== undefined) return Promise.resolve({ value, ttl: TTL_S });
    return options?.local ? Promise.reject(notCached(`What ${name} means`)) : lookup(name, options);
  };
}

function isName(text: string): boolean {
  try {
    parseName(text);
    return true;
  } catch (error) {
    if (error instanceof NethoodError) return false;
    throw error;
  }
}

function bad(part: string): NethoodError {
  return new NethoodError("BAD_OPTION", `"${part.slice(0, 200)}" does not say what a name means.`, {
    hint: "Write it as docs.example.org:/ipfs/<cid> or docs.example.org:/ipns/<key>.",
  });
}
