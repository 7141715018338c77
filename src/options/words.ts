/** The commands: how many words follow each, and which of them are of a kind. */
export type Command =
  | "node"
  | "seed"
  | "site"
  | "keep"
  | "follow"
  | "get"
  | "import"
  | "key"
  | "tracker";

/** Most words after each command. */
export const WORDS: Record<Command, number> = {
  node: 1,
  seed: 1,
  site: 4,
  keep: 1,
  follow: 1,
  get: 1,
  import: 1,
  key: 3,
  tracker: 0,
};

/** The commands that run until they are ended, with a gateway. */
export const SERVING: Command[] = ["node", "seed", "keep", "follow"];

/** The commands that make versions. */
export const PUBLISHING: Command[] = ["seed", "site"];

/** What is no node: it opens no addresses. */
export const NO_NODE: Command[] = ["tracker"];
