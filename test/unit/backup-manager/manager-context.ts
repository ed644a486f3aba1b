/** The manager for state-transition tests: nothing real behind it, time stands still, jobs are numbered. */
import type { Framework } from '#ops';
import { Context } from '#ops/testing';
import { BackupManagerCharm } from '../../../charms/backup-manager/src/charm.ts';
import type { ManagerPorts } from '../../../charms/backup-manager/src/manager.ts';
import { FakeStorage } from './fake-storage.ts';
import { FakeUpkeep } from './fake-upkeep.ts';
import { now } from './makers.ts';

export function managerContext(
  ports: Partial<Pick<ManagerPorts, 'storage' | 'createUpkeep'>> = {},
): Context<BackupManagerCharm> {
  const { storage = new FakeStorage(), createUpkeep = () => new FakeUpkeep() } = ports;
  let jobs = 0;
  class StagedCharm extends BackupManagerCharm {
    constructor(framework: Framework) {
      super(framework, {
        storage,
        clock: { now: () => now, sleep: async () => await new Promise(() => undefined) },
        createUpkeep,
        newJobId: () => {
          jobs += 1;
          return `job-${jobs}`;
        },
      });
    }
  }
  return new Context(StagedCharm, {
    charmRoot: 'charms/backup-manager',
    appName: 'backup-manager',
  });
}
