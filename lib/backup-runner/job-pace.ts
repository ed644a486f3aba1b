/** Holds a job to the rates its machine is to be used at; they may change while it runs. */
import { join } from 'node:path';
import {
  createRateLimiter,
  followRates,
  type ObjectStore,
  type Rates,
  withRateLimit,
} from '#object-store';
import type { Clock } from '#system';

export interface JobPace {
  /** The store, no faster than told. */
  limit(store: ObjectStore): ObjectStore;
  /** Waits until so many bytes may be read from the database or written to the disk. */
  disk(bytes: number, signal: AbortSignal): Promise<void>;
}

/** Where the rates of a unit's jobs are told. */
export function ratesPath(stateDirectory: string): string {
  return join(stateDirectory, 'rates.json');
}

/** At the rates that are told for this unit. */
export function createJobPace(stateDirectory: string, clock: Clock): JobPace {
  return paceOf(followRates(ratesPath(stateDirectory), clock), clock);
}

function paceOf(rates: () => Rates, clock: Clock): JobPace {
  const disk = createRateLimiter({ bytesPerSecond: () => rates().disk, clock });
  return {
    limit: (store) => withRateLimit(store, { bytesPerSecond: () => rates().network, clock }),
    disk: async (bytes, signal) => await disk.take(bytes, signal),
  };
}
