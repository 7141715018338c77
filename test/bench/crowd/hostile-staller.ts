/** A hostile agent: says that it has everything, and never sends anything. */
import { createClaims, runEnemy } from "./enemy.ts";

await runEnemy({ onFrame: createClaims() });
