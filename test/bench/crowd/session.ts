/** Runs of several contestants under the same conditions, in turns, so that a slow moment of the machine meets them all. */
import { say } from "../table.ts";
import { type Conditions, describe } from "./conditions.ts";
import type { Contestant } from "./contestants.ts";
import { line } from "./report.ts";
import { type Run, runCrowd } from "./run.ts";

/** A contestant, or several ways of one: the first round shows which is its best, and only that one goes on. */
export type Entrant = Contestant | Contestant[];

export interface Session {
  /** The median run of each entrant; undefined for one who is not here, or never came to a run. */
  race(conditions: Conditions, entrants: Entrant[]): Promise<(Run | undefined)[]>;
  /** Every run so far. */
  readonly runs: Run[];
}

/** @param options `who`: only those whose names it matches */
export function createSession({ reps, who }: { reps: number; who: RegExp }): Session {
  const runs: Run[] = [];
  /** Runs by what was run: two rows may look at the same crowd. */
  const known = new Map<string, Run[]>();

  return {
    runs,
    async race(conditions, entrants) {
      const teams = entrants.map((entrant) =>
        [entrant].flat().filter(({ name }) => who.test(name)).filter(present)
      );
      for (let round = 0; round < reps; round++) {
        for (const team of teams) {
          for (const contestant of round === 0 ? team : best(conditions, team).slice(0, 1)) {
            await once(conditions, contestant, round);
          }
        }
      }
      return teams.map((team) => {
        const [first] = best(conditions, team);
        return first && middle(known.get(key(conditions, first))!);
      });
    },
  };

  async function once(conditions: Conditions, contestant: Contestant, round: number) {
    const done = known.get(key(conditions, contestant)) ?? [];
    known.set(key(conditions, contestant), done);
    if (done.length > round) return;
    try {
      const run = await runCrowd(contestant, conditions);
      done.push(run);
      runs.push(run);
      say(`${describe(conditions)}, ${round + 1} of ${reps}: ${line(run)}`);
    } catch (error) {
      say(`${describe(conditions)}, ${round + 1} of ${reps}: ${contestant.name}: no run: ${error}`);
    }
  }

  function best(conditions: Conditions, team: Contestant[]): Contestant[] {
    const ratio = (contestant: Contestant) => {
      const [first] = known.get(key(conditions, contestant)) ?? [];
      return first?.ratio ?? Infinity;
    };
    return team.filter((contestant) => (known.get(key(conditions, contestant)) ?? []).length > 0)
      .sort((a, b) => compare(ratio(a), ratio(b)));
  }
}

function key(conditions: Conditions, { name }: Contestant): string {
  return `${name}: ${describe(conditions)}`;
}

/** The run with the median ratio; one that did not come to its end is the slowest of all. */
function middle(runs: Run[]): Run {
  const sorted = runs.toSorted((a, b) => compare(a.ratio ?? Infinity, b.ratio ?? Infinity));
  return sorted[runs.length >> 1]!;
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

const told = new Set<string>();

function present({ name, missing }: Contestant): boolean {
  const why = missing();
  if (why !== undefined && !told.has(name)) say(`left out: ${name} (${why})`);
  told.add(name);
  return why === undefined;
}
