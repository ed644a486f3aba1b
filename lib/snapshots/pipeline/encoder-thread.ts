/** One thread that hashes and encodes batches in shared memory. Bundled programs carry this file as text. */
import { parentPort, workerData } from 'node:worker_threads';
import { PLAIN_CODING } from '../coding.ts';
import { repositoryKeyFrom } from '../crypto/repository-key.ts';
import type { Reply } from '../threads/thread-pool.ts';
import { type EncodedBatch, encodeExtents, type Hashed, hashExtents } from './batch-work.ts';
import type { ThreadOrder, ThreadSetup } from './thread-messages.ts';
import { toThreadFailure } from './thread-messages.ts';

const { slots, secret, level } = workerData as ThreadSetup;
const coding = secret === undefined ? PLAIN_CODING : repositoryKeyFrom(secret);
const views = slots.map((slot) => new Uint8Array(slot));

parentPort?.on('message', (order: ThreadOrder) => {
  const [reply, transfer] = answer(order);
  parentPort?.postMessage(reply, transfer);
});

function answer(order: ThreadOrder): [Reply<Hashed | EncodedBatch>, ArrayBuffer[]] {
  const slot = views[order.slot] ?? new Uint8Array();
  try {
    if (order.work === 'hash') {
      const hashed = hashExtents(slot, order.extents, coding);
      return [{ ok: true, result: hashed }, [hashed.ids.buffer, hashed.digests.buffer]];
    }
    const encoded = encodeExtents(slot, order.orders, { coding, level });
    return [{ ok: true, result: encoded }, [encoded.output.buffer]];
  } catch (error) {
    return [{ ok: false, failure: toThreadFailure(error) }, []];
  }
}
