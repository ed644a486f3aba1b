/**
 * A thousand small backups over a store that fails one request in a hundred, in every way we know: each ends restorable or
 * reported as failed. `TEST_SEED` repeats a run.
 */
import { describe, expect, test } from '@jest/globals';
import {
  createMemoryObjectStore,
  createS3ObjectStore,
  type ObjectStore,
  type S3Credentials,
  withFaults,
  withPrefix,
} from '#object-store';
import type { Fault } from '#sandbox';
import {
  type Attempt,
  attempt,
  type Ending,
  FAULTS,
  judge,
  patient,
  SMALL,
} from '../../contract/store-faults-contract.ts';
import { chooseSeed, seededRandom } from '../../helpers/random.ts';
import { startS3DevServer } from '../../helpers/s3-dev-server.ts';
import { aClock, someBytes, type TestEntry } from '../../helpers/snapshots.ts';

/** A thousand together; those over S3 take several times as long. */
const OVER_MEMORY = 800;
const OVER_S3 = 200;
/** So many share their chunks; listings of more would only make the test slow. */
const SHARING = 50;
const AT_ONCE = 4;
const RATE = 0.01;

/** What changes from one backup to the next is a tenth of it. */
function entriesOf(n: number): readonly TestEntry[] {
  return [...SMALL, { kind: 'file', path: 'new', content: someBytes(7000, n + 10) }];
}

interface Group {
  readonly faulty: ObjectStore;
  readonly sound: ObjectStore;
}

/** @param each Told before backups are made through the faulty store (true) and before they are judged (false). */
async function endingsOf(
  backups: number,
  aGroup: (n: number) => Group,
  each: (isFaulty: boolean) => void = () => undefined,
): Promise<Record<Ending, number>> {
  const endings = { restorable: 0, failed: 0 };
  for (let first = 0; first < backups; first += SHARING) {
    const { faulty, sound } = aGroup(first / SHARING);
    const attempts: Attempt[] = [];
    each(true);
    for (let n = first; n < first + SHARING; n += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, first + SHARING - n) }, (_, i) => n + i);
      const made = some.map(async (it) => await attempt(faulty, `job-${it}`, entriesOf(it)));
      attempts.push(...(await Promise.all(made)));
    }
    each(false);
    for (const it of attempts) {
      endings[await judge(sound, it)] += 1;
    }
  }
  return endings;
}

/** Strikes at the rate, with each fault in turn, and counts how often each did. */
function faultsOf<T extends { readonly name: string }>(faults: readonly T[], seed: number) {
  const random = seededRandom(seed);
  // Never longer than half as much again, so that every fault has its turn.
  const nextPause = (): number => Math.floor((0.5 + random()) / RATE);
  let total = 0;
  let pause = nextPause();
  const struck = new Map(faults.map(({ name }) => [name, 0]));
  const next = (): T | undefined => {
    pause -= 1;
    const fault = pause < 0 ? faults[total % faults.length] : undefined;
    if (fault !== undefined) {
      total += 1;
      pause = nextPause();
      struck.set(fault.name, (struck.get(fault.name) ?? 0) + 1);
    }
    return fault;
  };
  return { struck, next };
}

/** What a server and the network before it may do to one request. */
const REQUEST_FAULTS: readonly { readonly name: string; readonly fault: Fault | 'expire' }[] = [
  { name: '500', fault: { kind: 'status', status: 500 } },
  { name: '503 SlowDown', fault: { kind: 'status', status: 503, code: 'SlowDown' } },
  { name: '403 and then fine', fault: { kind: 'status', status: 403, code: 'AccessDenied' } },
  { name: 'a timeout', fault: { kind: 'delay', ms: 1500 } },
  { name: 'a reset', fault: { kind: 'reset' } },
  { name: 'a lost answer', fault: { kind: 'lose-answer' } },
  { name: 'a wrong ETag', fault: { kind: 'etag', value: '"00000000000000000000000000000000"' } },
  { name: 'a lost listing', fault: { kind: 'hide', isHidden: () => true } },
  { name: 'a truncated body', fault: { kind: 'truncate', afterBytes: 100 } },
  { name: 'a wrong body', fault: { kind: 'corrupt', offset: 100 } },
  { name: 'an expired token', fault: 'expire' },
];
const IDLE_MS = 500;

function sessionKeys(n: number): S3Credentials & { readonly sessionToken: string } {
  return { accessKey: `SESSION${n}KEY`, secretKey: `session-${n}-key`, sessionToken: `token-${n}` };
}

describe('of a thousand backups at one fault in a hundred calls, none is falsely successful', () => {
  const seed = chooseSeed();

  test(`over withFaults (seed ${seed})`, async () => {
    const { struck, next } = faultsOf(FAULTS, seed);
    const endings = await endingsOf(OVER_MEMORY, () => {
      const sound = createMemoryObjectStore();
      return { sound, faulty: patient(withFaults(sound, (call) => next()?.fault(call))) };
    });
    console.info(`seed ${seed}:`, endings, struck);
    expect(endings.restorable + endings.failed).toBe(OVER_MEMORY);
    expect(endings.restorable).toBeGreaterThan(OVER_MEMORY * 0.9);
    expect([...struck.values()]).not.toContain(0);
  }, 900_000);

  test(`over S3 (seed ${seed})`, async () => {
    const { struck, next } = faultsOf(REQUEST_FAULTS, seed);
    let isFaulty = false;
    let generation = 0;
    const server = await startS3DevServer('backups', {
      ...sessionKeys(0),
      faults: () => {
        const fault = isFaulty ? next()?.fault : undefined;
        if (fault !== 'expire') {
          return fault;
        }
        generation += 1;
        server.replaceCredentials(sessionKeys(generation));
        return undefined;
      },
    });
    const { endpoint, bucket } = server;
    const options = { endpoint, bucket, accessKey: '', secretKey: '' };
    const credentials = async (): Promise<S3Credentials> => sessionKeys(generation);
    const tuning = { credentials, clock: aClock(), timeouts: { idleMs: IDLE_MS } };
    const store = createS3ObjectStore(options, tuning);
    try {
      const endings = await endingsOf(
        OVER_S3,
        (n) => {
          const group = withPrefix(store, `group-${n}/`);
          return { faulty: group, sound: group };
        },
        (it) => {
          isFaulty = it;
        },
      );
      console.info(`seed ${seed}:`, endings, struck);
      expect(endings.restorable + endings.failed).toBe(OVER_S3);
      expect(endings.restorable).toBeGreaterThan(OVER_S3 * 0.9);
      expect([...struck.values()]).not.toContain(0);
    } finally {
      store.close();
      await server.stop();
    }
  }, 900_000);
});
