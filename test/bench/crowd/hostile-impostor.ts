/** A hostile agent: says from the first moment that it has everything, as who publishes does, and never sends anything. */
import { createClaims, runEnemy } from "./enemy.ts";

await runEnemy({ onFrame: createClaims({ asSeeder: true }) });
