/** What the process of an upkeep does about backups that were never completed. */
import { expect, test } from '@jest/globals';
import { createMemoryObjectStore } from '#object-store';
import { performUpkeep } from '../../../charms/backup-manager/src/upkeep/perform-upkeep.ts';
import type { UpkeepTask } from '../../../charms/backup-manager/src/upkeep/upkeep.ts';
import { allKeys, aSnapshot } from '../../helpers/snapshots.ts';

const PREFIX = 'some/path/prod/db/';
const START = Date.parse('2026-11-21T02:00:00Z');

/** Two interrupted backups and a complete one, a hundred hours ago. */
async function aBucket() {
  let now = START;
  const clock = { now: () => new Date(now), sleep: async () => undefined };
  const store = createMemoryObjectStore({ now: clock.now });
  const paths: string[] = [];
  for (const jobId of ['job-1', 'job-2', 'job-3']) {
    now += 1000;
    // One backup after the other.
    // oxlint-disable-next-line no-await-in-loop
    const made = await aSnapshot({ store, jobId, time: new Date(now), clock });
    paths.push(made.artefactPath);
  }
  await store.delete(paths.slice(0, 2).map((path) => `${path}manifest.json`));
  now += 100 * 3_600_000;
  const lines: string[] = [];
  const perform = async (task: UpkeepTask) =>
    await performUpkeep(task, {
      store,
      passphrases: undefined,
      clock,
      signal: new AbortController().signal,
      onProgress: () => undefined,
      log: (line) => void lines.push(line),
    });
  return { store, paths, lines, perform };
}

test('a sweep goes by the rules about what failed, and logs each decision', async () => {
  const { store, paths, lines, perform } = await aBucket();
  const sweep = { kind: 'sweep', subject: 'db', prefixes: [PREFIX], rules: 'failed=1' } as const;
  const before = await allKeys(store);
  const told = await perform({ ...sweep, isDryRun: true });
  expect(told.message).toMatch(/^would remove .* 1 remains of backups\); 1 not completed stays$/);
  expect(lines).toEqual([
    `left ${paths[1]}: failed 1 of 1`,
    `would remove ${paths[0]}: failed, and no rule keeps it`,
  ]);
  expect(await allKeys(store)).toEqual(before);

  expect((await perform({ ...sweep, isDryRun: false })).message).toMatch(/^removed /);
  expect(await allKeys(store, paths[0])).toEqual([]);
  expect(await allKeys(store, paths[1])).not.toEqual([]);
  // Without a rule it goes, too.
  await perform({ ...sweep, rules: '', isDryRun: false });
  expect(await allKeys(store, paths[1])).toEqual([]);
});

test('retention with its sweep does so, and keeps what is complete', async () => {
  const { store, paths, perform } = await aBucket();
  const anchor = (paths[2] ?? '').slice(0, -1);
  const { message } = await perform({
    kind: 'retention',
    subject: 'db',
    rules: 'failed-days=5',
    targets: [{ database: 'db', prefix: PREFIX, anchor }],
    sweeps: true,
  });
  expect(message).toMatch(/^db: 1 kept, 0 deleted; removed .*; 2 not completed stay$/);
  for (const path of paths) {
    // oxlint-disable-next-line no-await-in-loop
    expect(await allKeys(store, path)).not.toEqual([]);
  }
});
