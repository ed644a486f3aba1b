import { beforeEach, describe, expect, test } from '@jest/globals';
import { EventNotifier } from '../../../lib/backup-runner/event-notifier.ts';
import type { JobLog } from '../../../lib/backup-runner/job-log.ts';
import { ManualClock } from './manual-clock.ts';

const quiet: JobLog = {
  info: () => undefined,
  warning: () => undefined,
  error: () => undefined,
  close: () => undefined,
};

describe('a notifier', () => {
  let clock: ManualClock;
  /** Times at which events were fired, and what ends each of them. */
  let fired: { at: number; end: (error?: Error) => void }[];
  let notifier: EventNotifier;

  beforeEach(() => {
    clock = new ManualClock();
    fired = [];
    notifier = new EventNotifier({
      fire: async () =>
        await new Promise<void>((resolve, reject) => {
          const end = (error?: Error): void => (error === undefined ? resolve() : reject(error));
          fired.push({ at: clock.now().getTime(), end });
        }),
      clock,
      log: quiet,
      intervalMs: 3000,
      retryDelaysMs: [1000, 2000],
    });
  });

  async function endEvent(index: number, error?: Error): Promise<void> {
    fired[index]?.end(error);
    await clock.settle();
  }

  const times = (): number[] => fired.map(({ at }) => at);

  test('fires for progress at once, then at most once an interval', async () => {
    notifier.progressed();
    await clock.settle();
    await endEvent(0);
    notifier.progressed();
    notifier.progressed();
    await clock.advance(2999);
    expect(times()).toEqual([0]);
    await clock.advance(1);
    expect(times()).toEqual([0, 3000]);
  });

  test('fires for a new phase without waiting for the interval', async () => {
    notifier.progressed();
    await clock.settle();
    await endEvent(0);
    notifier.progressed();
    await clock.advance(500);
    notifier.phaseChanged();
    await clock.settle();
    expect(times()).toEqual([0, 500]);
  });

  test('has one event under way, whatever happens meanwhile, and one more after it', async () => {
    notifier.phaseChanged();
    await clock.settle();
    notifier.phaseChanged();
    notifier.phaseChanged();
    await clock.advance(60_000);
    expect(times()).toEqual([0]);
    await endEvent(0);
    expect(times()).toEqual([0, 60_000]);
    await endEvent(1);
    expect(times()).toHaveLength(2);
  });

  test('fires a last time after what is under way, and again until that succeeds', async () => {
    notifier.progressed();
    await clock.settle();
    const finished = notifier.finish();
    await clock.settle();
    expect(times()).toEqual([0]);
    await endEvent(0);
    await endEvent(1, new Error('machine lock'));
    await clock.advance(1000);
    await endEvent(2);
    await finished;
    expect(times()).toEqual([0, 0, 1000]);
  });

  test('gives up in the end: the next hook finds the result by itself', async () => {
    const finished = notifier.finish();
    await clock.settle();
    await endEvent(0, new Error('no'));
    await clock.advance(1000);
    await endEvent(1, new Error('no'));
    await clock.advance(2000);
    await endEvent(2, new Error('no'));
    await finished;
    expect(times()).toEqual([0, 1000, 3000]);
  });
});
