/** Holds a job to the rates its machine is to be used at; they may change while it runs. */
import { join } from 'node:path';
import type { EngineEntry } from '#engines';
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
  /** The entries, read no faster than told. */
  slow(entries: AsyncIterable<EngineEntry>, signal: AbortSignal): AsyncIterable<EngineEntry>;
  /** Waits until so many bytes may be written. */
  write(bytes: number, signal: AbortSignal): Promise<void>;
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
  const slowly = async function* (pieces: AsyncIterable<Uint8Array>, signal: AbortSignal) {
    for await (const piece of pieces) {
      await disk.take(piece.length, signal);
      yield piece;
    }
  };
  return {
    limit: (store) => withRateLimit(store, { bytesPerSecond: () => rates().network, clock }),
    slow: async function* (entries, signal) {
      for await (const entry of entries) {
        const open = entry.open?.bind(entry);
        yield open === undefined ? entry : { ...entry, open: () => slowly(open(), signal) };
      }
    },
    write: async (bytes, signal) => await disk.take(bytes, signal),
  };
}
