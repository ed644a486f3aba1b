/** fast-check with the seed of the run: without TEST_SEED a run draws what the last one drew. */
import { configureGlobal } from 'fast-check';
import { chooseSeed } from './random.ts';

configureGlobal({ seed: chooseSeed() });

export * from 'fast-check';
