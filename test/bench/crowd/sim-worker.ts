/** A thread that computes its share of a crowd. */
import { parentPort, workerData } from "node:worker_threads";
import { simulateShare } from "./sim-thread.ts";
import type { Task } from "./simulation.ts";

const { world, shared, self } = workerData as Task;
parentPort!.postMessage(simulateShare(world, shared, self));
