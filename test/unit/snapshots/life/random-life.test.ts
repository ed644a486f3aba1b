/**
 * Any number of backups, deletions and sweeps in any order, also while other backups run: what is listed as complete
 * can be restored, always.
 */
import { expect, test } from '@jest/globals';
import { createMemoryObjectStore, type ObjectStore } from '#object-store';
import {
  artefactPathFor,
  deleteSnapshot,
  listSnapshots,
  openSnapshot,
  type SnapshotEntry,
  sweep,
  undeleteSnapshot,
  writeSnapshot,
} from '#snapshots';
import * as fc from '../../../helpers/fast-check.ts';
import { allKeys, CHUNK_PREFIX, someBytes } from '../../../helpers/snapshots.ts';

const LOCATION = { path: 'some/path', model: 'prod', app: 'db' } as const;
const APP = 'some/path/prod/db/';
const HOUR = 3_600_000;
const GRACE_MS = 72 * HOUR;
const FILES = 6;

type Step =
  | { readonly kind: 'begin'; readonly seeds: readonly number[] }
  | { readonly kind: 'finish' | 'break-off' | 'delete' | 'undelete'; readonly which: number }
  | { readonly kind: 'sweep'; readonly failed: number }
  | { readonly kind: 'wait'; readonly hours: number };

const which = fc.nat({ max: 20 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('begin' as const),
      seeds: fc.array(fc.nat({ max: 3 }), { minLength: FILES, maxLength: FILES }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('finish' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('break-off' as const), which }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('undelete' as const), which }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('sweep' as const), failed: fc.nat({ max: 2 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      hours: fc.integer({ min: 1, max: 50 }),
    }),
  },
);

interface Running {
  readonly startedAt: number;
  readonly go: () => void;
  readonly controller: AbortController;
  readonly done: Promise<unknown>;
}

class World {
  now = Date.parse('2026-01-01T00:00:00Z');
  readonly clock = { now: () => new Date(this.now), sleep: async () => undefined };
  readonly store: ObjectStore = createMemoryObjectStore({ now: () => new Date(this.now) });
  readonly running: Running[] = [];
  completed = 0;
  readonly failures: unknown[] = [];
  #jobs = 0;

  async take(one: Step): Promise<void> {
    switch (one.kind) {
      case 'begin':
        return await this.begin(one.seeds);
      case 'finish':
      case 'break-off':
        return await this.end(one.which, one.kind);
      case 'delete':
      case 'undelete':
        return await this.change(one.which, one.kind);
      case 'sweep':
        await sweep(this.store, APP, {
          clock: this.clock,
          graceMs: GRACE_MS,
          failed: { failed: one.failed },
        });
        return;
      case 'wait':
        return await this.wait(one.hours);
    }
  }

  /** A backup that has read half of its source, and so relies on packs of its parent. */
  async begin(seeds: readonly number[]): Promise<void> {
    this.#jobs += 1;
    this.now += 1000;
    const gate = Promise.withResolvers<void>();
    const halfway = Promise.withResolvers<void>();
    const controller = new AbortController();
    const writing = writeSnapshot({
      store: this.store,
      artefactPath: artefactPathFor({
        ...LOCATION,
        jobId: `job-${this.#jobs}`,
        time: new Date(this.now),
      }),
      chunkPrefix: CHUNK_PREFIX,
      entries: filesOf(seeds, halfway.resolve, gate.promise),
      compression: false,
      attributes: {},
      clock: this.clock,
      signal: controller.signal,
    });
    const follow = async (): Promise<void> => {
      try {
        await writing;
        this.completed += 1;
      } catch (error) {
        halfway.resolve();
        // Nobody takes from a running backup what it relies on.
        this.failures.push(...(controller.signal.aborted ? [] : [error]));
      }
    };
    const done = follow();
    await halfway.promise;
    this.running.push({ startedAt: this.now, go: gate.resolve, controller, done });
  }

  async end(index: number, how: 'finish' | 'break-off'): Promise<void> {
    const [one] = this.running.splice(index % Math.max(1, this.running.length), 1);
    if (one === undefined) {
      return;
    }
    if (how === 'break-off') {
      one.controller.abort(new Error('interrupted'));
    }
    one.go();
    await one.done;
  }

  async change(index: number, how: 'delete' | 'undelete'): Promise<void> {
    const { snapshots, deleted } = await listSnapshots(this.store, '', { clock: this.clock });
    const list = how === 'delete' ? snapshots : deleted;
    const path = list[index % Math.max(1, list.length)]?.artefactPath;
    if (path !== undefined) {
      await (how === 'delete'
        ? deleteSnapshot(this.store, path, { clock: this.clock })
        : undeleteSnapshot(this.store, path));
    }
  }

  /** No backup takes longer than the grace: that is the condition. */
  async wait(hours: number): Promise<void> {
    this.now += hours * HOUR;
    while ((this.running[0]?.startedAt ?? this.now) < this.now - GRACE_MS / 2) {
      await this.end(0, 'finish');
    }
  }

  async check(): Promise<void> {
    for (const { artefactPath } of (await listSnapshots(this.store, '', { clock: this.clock }))
      .snapshots) {
      await (await openSnapshot(this.store, artefactPath)).verify();
    }
  }
}

async function* filesOf(
  seeds: readonly number[],
  halfway: () => void,
  gate: Promise<void>,
): AsyncIterable<SnapshotEntry> {
  for (const [index, seed] of seeds.entries()) {
    if (index === FILES / 2) {
      halfway();
      await gate;
    }
    const content = someBytes(2000, index * 10 + seed + 1);
    yield {
      kind: 'file',
      path: `f${index}`,
      async *open() {
        yield content;
      },
    };
  }
}

test('nothing that is listed loses its data', async () => {
  let completed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
      const world = new World();
      for (const one of steps) {
        await world.take(one);
        if (one.kind === 'sweep' || one.kind === 'undelete') {
          await world.check();
        }
      }
      while (world.running.length > 0) {
        await world.end(0, 'finish');
      }
      await world.check();
      completed += world.completed;
      expect(world.failures).toEqual([]);
      // And in the end nothing is left of what is not listed.
      world.now += 10 * GRACE_MS;
      await sweep(world.store, APP, { clock: world.clock, graceMs: GRACE_MS });
      await world.check();
      const { snapshots } = await listSnapshots(world.store, '', { clock: world.clock });
      const paths = snapshots.map(({ artefactPath }) => artefactPath);
      const rest = (await allKeys(world.store, `${APP}backups/`)).filter(
        (key) => !paths.some((path) => key.startsWith(path)),
      );
      expect(rest).toEqual([]);
    }),
    // Shrinking a failure takes minutes; the seed is printed.
    { numRuns: 40, endOnFailure: true },
  );
  expect(completed).toBeGreaterThan(60);
}, 120_000);
