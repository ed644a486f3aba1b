/** Rates told to processes that run already, through a file: no secret, and nothing needs to be started anew. */
import { readFileSync } from 'node:fs';
import { type Clock, hasErrorCode, readFileIfExists, writeFileAtomic } from '#system';

/** Bytes per second; missing where nothing is limited. */
export interface Rates {
  /** To and from the store. */
  readonly network?: number;
  /** From and to the disk. */
  readonly disk?: number;
}

/** Nobody goes by an old rate for longer. */
const REREAD_MS = 1000;

/** Writes only what is new. The directory must exist. */
export async function tellRates(path: string, rates: Rates): Promise<void> {
  const text = JSON.stringify(rates);
  if ((await readFileIfExists(path)) !== text) {
    await writeFileAtomic(path, text);
  }
}

/** The rates as told now, at most a second old; those told last where the file cannot be read. Never throws. */
export function followRates(path: string, clock: Clock): () => Rates {
  let rates: Rates = {};
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = clock.now().getTime();
    // A clock that was set back must not make it deaf.
    if (now - readAt >= REREAD_MS || now < readAt) {
      readAt = now;
      rates = readRates(path, rates);
    }
    return rates;
  };
}

function readRates(path: string, known: Rates): Rates {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof value === 'object' && value !== null ? value : known;
  } catch (error) {
    return hasErrorCode(error, 'ENOENT') ? {} : known;
  }
}
