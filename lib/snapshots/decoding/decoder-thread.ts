/** One thread that decodes, proves and writes chunks. Bundled programs carry this file as text. */
import { parentPort, workerData } from 'node:worker_threads';
import { PLAIN_CODING } from '../coding.ts';
import { repositoryKeyFrom } from '../crypto/repository-key.ts';
import { freeMemory } from '../free-memory.ts';
import { toThreadFailure } from '../pipeline/thread-messages.ts';
import type { Reply } from '../threads/thread-pool.ts';
import { decodeBatch, type Stretches } from './decode-work.ts';
import type { DecodeBatch, DecoderSetup } from './decoder.ts';

const { secret, chunkIds } = workerData as DecoderSetup;
const key = secret === undefined ? PLAIN_CODING : repositoryKeyFrom(secret);
const coding = key.withChunkIds(chunkIds);

parentPort?.on('message', ({ stretches, orders }: DecodeBatch) => {
  parentPort?.postMessage(answer(stretches, orders));
  stretches.forEach(freeMemory);
});

function answer(stretches: Stretches, orders: DecodeBatch['orders']): Reply<number> {
  try {
    return { ok: true, result: decodeBatch(stretches, orders, coding) };
  } catch (error) {
    return { ok: false, failure: toThreadFailure(error) };
  }
}
