/** Entry of the worker: one verification, retention or sweep, in a process of its own beside the charm. */
import { runUpkeep } from './upkeep/run-upkeep.ts';

await runUpkeep();
