/**
 * Large answers that are in memory leave one after the other, each while the one before is being read. Whatever is given to the
 * system at once waits there in buffers of megabytes, and by the time that the client, often a program of this machine, gets
 * to it, it has fallen out of the processors' caches: with 32 readers at once both ends take twice as long over a byte.
 */

/** Fewer would leave the server idle between two of them. */
const AT_ONCE = 4;

/** A client that is no faster than this does not hold up the others. Four of 1 MiB in this time are 2 GB a second. */
const PATIENCE_MS = 2;

/** Smaller ones fit into the caches, however many there are. */
export const TURN_BYTES: number = 512 * 1024;

/** The other end of a connection. */
interface Client {
  hostname?: string;
  port?: number;
}

export interface Turns {
  /** A client has asked for something, and so it has read what it was sent before. */
  asked(client: Client): void;
  /** The answer, when it is its turn. */
  take(client: Client, answer: Response): Response | Promise<Response>;
}

export function createTurns(now: () => number = () => performance.now()): Turns {
  /** Who was sent one that it may still be reading, and when, in the order of time. */
  const reading = new Map<string, number>();
  const waiting: { key: string; begin: () => void }[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  function begins(key: string): void {
    reading.delete(key); // to be the last again
    reading.set(key, now());
  }

  function hasTurn(): boolean {
    for (const [key, since] of reading) {
      if (now() - since < PATIENCE_MS) break;
      reading.delete(key);
    }
    return reading.size < AT_ONCE;
  }

  function next(): void {
    while (waiting.length > 0 && hasTurn()) {
      const first = waiting.shift()!;
      begins(first.key);
      first.begin();
    }
    if (waiting.length > 0) {
      timer ??= setTimeout(() => {
        timer = undefined;
        next();
      }, PATIENCE_MS);
    }
  }

  return {
    asked(client) {
      if (reading.size > 0 && reading.delete(keyOf(client))) next();
    },
    take(client, answer) {
      const key = keyOf(client);
      if (waiting.length === 0 && hasTurn()) {
        begins(key);
        return answer;
      }
      return new Promise((resolve) => {
        waiting.push({ key, begin: () => resolve(answer) });
        next();
      });
    },
  };
}

const keyOf = ({ hostname, port }: Client) => `${hostname} ${port}`;
