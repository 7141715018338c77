/**
 * Prints the README's table: start, memory, seeding, a page from the neighbour. Everything a figure is compared with is
 * measured beside it, in the same run. Run: deno task bench
 */
import process from "node:process";
import { measurePage } from "./page.ts";
import { measureSeed } from "./seed.ts";
import { measureStart } from "./start.ts";
import { print } from "./table.ts";

print([...await measureStart(), ...await measureSeed(), ...await measurePage()]);
process.exit();
