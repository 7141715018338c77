/**
 * The header fields that a site may add to its pages. Whoever reads them is a guest of their own node, not of the site's server:
 * a field is on the list where it takes rights away from the page, or says something about it. What changes how the node answers
 * (Cache-Control, Vary, X-Accel-Redirect), what outlives the page or leads out of the site (Set-Cookie, Clear-Site-Data,
 * Strict-Transport-Security, Refresh, Alt-Svc) and what tells others of the reader (Report-To, NEL, Accept-CH) is not.
 */

/** Longest value of one line, in characters. */
const MAX_VALUE = 4 * 1024;

interface Allowed {
  /** Whether its values add up; else the last one counts. */
  list: boolean;
  /** What is sent of a value, "" for nothing; undefined where it cannot be meant or would weaken the reader. */
  read: (value: string) => string | undefined;
}

/** Relations that a `Link` may name (RFC 8288): what the page needs, and what it is. */
const RELATIONS =
  "alternate|author|canonical|describedby|dns-prefetch|help|icon|index|license|manifest|me|modulepreload|next|preconnect|prefetch|preload|prev|search|webmention"
    .split("|");

/** The policies that tell no more than what browsers tell without one. */
const REFERRERS = [
  "no-referrer",
  "same-origin",
  "strict-origin",
  "strict-origin-when-cross-origin",
];

/**
 * Directives of a Content-Security-Policy that are left out of it: `upgrade-insecure-requests` would take a reader who came by
 * way of this node to the site's server, whose bytes nobody checks; reports would tell that server who reads what here.
 */
const LEFT_OUT = [
  "upgrade-insecure-requests",
  "block-all-mixed-content",
  "report-uri",
  "report-to",
];

const ALLOWED: Record<string, Allowed> = {
  // Ours says the same, and nothing else would be true: by its CID anybody may read it.
  "access-control-allow-origin": { list: false, read: (value) => value === "*" ? "" : undefined },
  "content-language": { list: true, read: ifLike(/^[a-z\d-]+(\s*,\s*[a-z\d-]+)*$/i) },
  "content-security-policy": { list: true, read: readPolicy },
  "cross-origin-embedder-policy": oneOf("require-corp", "credentialless", "unsafe-none"),
  "cross-origin-opener-policy": oneOf(
    "same-origin",
    "same-origin-allow-popups",
    "noopener-allow-popups",
    "unsafe-none",
  ),
  "cross-origin-resource-policy": oneOf("same-origin", "same-site", "cross-origin"),
  "link": { list: true, read: readLink },
  "origin-agent-cluster": oneOf("?1"),
  "permissions-policy": { list: true, read: ifLike(/^[\x20-\x7e]+$/) },
  "referrer-policy": { list: true, read: readReferrer },
  "x-content-type-options": oneOf("nosniff"),
  "x-frame-options": oneOf("deny", "sameorigin"),
  "x-robots-tag": { list: true, read: ifLike(/^[\x20-\x7e]+$/) },
};

/**
 * What is sent of a field that a site asks for, or why nothing is.
 *
 * @param name in lower case
 */
export function fieldOf(name: string, value: string): { value: string } | string {
  const allowed = Object.hasOwn(ALLOWED, name) ? ALLOWED[name] : undefined;
  if (allowed === undefined) return "which is not one that a site may set here";
  if (value.length > MAX_VALUE) return `whose value is longer than ${MAX_VALUE} characters`;
  const read = allowed.read(value);
  return read === undefined ? "whose value is none that it may have here" : { value: read };
}

/** The value of a field for which there was one already. */
export function merge(name: string, before: string | undefined, value: string): string {
  return before === undefined || !ALLOWED[name]!.list ? value : `${before}, ${value}`;
}

function ifLike(form: RegExp): Allowed["read"] {
  return (value) => form.test(value) ? value : undefined;
}

function oneOf(...values: string[]): Allowed {
  return { list: false, read: (value) => values.find((known) => known === value.toLowerCase()) };
}

function readReferrer(value: string): string | undefined {
  const policies = value.toLowerCase().split(/\s*,\s*/);
  return policies.every((policy) => REFERRERS.includes(policy)) ? policies.join(", ") : undefined;
}

function readPolicy(value: string): string | undefined {
  if (!/^[\x20-\x7e]*[\x21-\x7e]$/.test(value)) return undefined;
  const policies = value.split(",").map((policy) =>
    policy.split(";").map((directive) => directive.trim()).filter((directive) =>
      directive !== "" && !LEFT_OUT.includes(directive.split(/\s/, 1)[0]!.toLowerCase())
    ).join("; ")
  );
  return policies.filter((policy) => policy !== "").join(", ");
}

/** One link or several; a comma in a URL is no end of one. */
function readLink(value: string): string | undefined {
  const links = value.split(/,\s*(?=<)/);
  const known = links.every((link) => {
    const [, parameters] =
      /^<[\x21-\x3b\x3d\x3f-\x7e]*>((?:\s*;\s*[\w-]+(?:=(?:[\w!#$%&'*+./^`|~:-]+|"[\x20\x21\x23-\x5b\x5d-\x7e]*"))?)*)\s*$/
        .exec(link) ?? [];
    const relations = /;\s*rel=(?:"([^"]*)"|([^;\s]+))/i.exec(parameters ?? "");
    return (relations?.[1] ?? relations?.[2] ?? "none").toLowerCase().split(/\s+/)
      .every((relation) => RELATIONS.includes(relation));
  });
  return known ? value : undefined;
}
