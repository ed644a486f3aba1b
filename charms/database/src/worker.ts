/** Entry of the worker: one backup, restore or recovery, in a process of its own beside the charm. */
import { runWorker } from '#backup-runner';
import { createEngine } from '#engines';

await runWorker({ createEngine: (config) => createEngine(config) });
