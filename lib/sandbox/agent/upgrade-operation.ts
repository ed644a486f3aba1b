/** Puts a new charm into a unit's directory: `juju refresh`. */
import type { StatusInfo } from '../api-status.ts';
import type { UnitDocument } from '../model/documents.ts';
import type { Patch, Transaction } from '../store/store.ts';
import { replaceCharm } from './replace-charm.ts';
import type { AgentServices } from './services.ts';
import { unitDirectory } from './unit-directory.ts';

/**
 * Replaces the files of the charm, then queues upgrade-charm. Where a hook has failed, the hook stays
 * as it is and finds the new files when it is tried again. Also done when only resources changed.
 */
export async function runUpgrade(
  services: AgentServices,
  unitName: string,
  settle: (transaction: Transaction) => void,
): Promise<void> {
  const { store, paths, log, clock } = services;
  const unit = store.require('unit', unitName);
  const { charm, charmVersion = 0 } = store.require('application', unit.application);
  const before = unit.charm ?? charm;
  if (before !== charm || unit.upgrading !== undefined) {
    store.transact((transaction) =>
      transaction.patch('unit', unitName, {
        upgrading: unit.upgrading ?? before,
        ...(unit.pending === undefined ? { agent: upgradingStatus(clock.now()) } : {}),
      }),
    );
    await replaceCharm(unitDirectory(paths, unitName).charm, {
      before: [before, ...(unit.upgrading === undefined ? [] : [unit.upgrading])].map(
        (id) => `${paths.charms}/${id}`,
      ),
      after: `${paths.charms}/${charm}`,
    });
    log.write({
      unit: unitName,
      level: 'INFO',
      module: 'juju.worker.uniter.charm',
      message: `upgraded from ${JSON.stringify(before)} to ${JSON.stringify(charm)}`,
    });
  }
  store.transact((transaction) => {
    transaction.patch('unit', unitName, {
      charm,
      charmSeen: charmVersion,
      upgrading: undefined,
      ...afterwards(transaction.require('unit', unitName)),
    });
    settle(transaction);
  });
}

function upgradingStatus(now: Date): StatusInfo {
  return { current: 'executing', message: 'upgrading charm', since: now.toISOString() };
}

function afterwards({ pending, installed }: UnitDocument): Patch<UnitDocument> {
  return pending !== undefined || !installed
    ? {}
    : {
        pending: {
          hook: { kind: 'lifecycle', name: 'upgrade-charm' },
          state: 'queued',
          failures: 0,
        },
      };
}
