/** Models in memory for tests of the planner: units that do nothing but take notice. */

import { systemClock } from '#system';
import {
  type Bookkeeping,
  isBookkeeping,
  keepBooks,
} from '../../../lib/sandbox/agent/bookkeeping.ts';
import { finishHook } from '../../../lib/sandbox/agent/finish-hook.ts';
import type { Operation } from '../../../lib/sandbox/agent/operation.ts';
import { planOperation } from '../../../lib/sandbox/agent/plan-operation.ts';
import type {
  ApplicationDocument,
  RelationDocument,
  UnitDocument,
} from '../../../lib/sandbox/model/documents.ts';
import { type HookInfo, hookName } from '../../../lib/sandbox/model/hook-info.ts';
import { electLeader } from '../../../lib/sandbox/model/leadership.ts';
import { removeUnit } from '../../../lib/sandbox/model/removal.ts';
import { openStore, type Store } from '../../../lib/sandbox/store/store.ts';

const NOW = '2026-01-01T00:00:00.000Z';

function anApplication(name: string): ApplicationDocument {
  return {
    name,
    charm: 'witness-0',
    base: { name: 'ubuntu', channel: '24.04' },
    life: 'alive',
    exposed: false,
    trust: false,
    settings: {},
    configVersion: 1,
    leaderSettings: {},
    leaderSettingsVersion: 0,
    created: NOW,
  };
}

export function aUnit(name: string, changes: Partial<UnitDocument> = {}): UnitDocument {
  return {
    name,
    application: name.split('/')[0] ?? '',
    machine: '0',
    life: 'alive',
    created: NOW,
    workload: { current: 'waiting' },
    agent: { current: 'allocating' },
    statusSet: false,
    ports: [],
    installed: false,
    started: false,
    stopped: false,
    leaderAccepted: false,
    relations: {},
    state: {},
    ...changes,
  };
}

export class PlannerModel {
  readonly store: Store = openStore(':memory:');

  application(name: string, units: number): void {
    this.store.transact((transaction) => {
      transaction.put('application', name, anApplication(name));
      for (let number = 0; number < units; number += 1) {
        transaction.put('unit', `${name}/${number}`, aUnit(`${name}/${number}`));
      }
      electLeader(transaction, name);
    });
  }

  relate(id: number, requirer: string, provider: string): void {
    const relation: RelationDocument = {
      id,
      life: 'alive',
      endpoints: [
        {
          application: requirer,
          endpoint: 'wants',
          role: 'requirer',
          interface: 'i',
          scope: 'global',
        },
        {
          application: provider,
          endpoint: 'serves',
          role: 'provider',
          interface: 'i',
          scope: 'global',
        },
      ],
    };
    this.store.transact((transaction) => {
      transaction.put('relation', String(id), relation);
    });
  }

  peers(id: number, application: string): void {
    this.store.transact((transaction) => {
      transaction.put('relation', String(id), {
        id,
        life: 'alive',
        endpoints: [
          { application, endpoint: 'mates', role: 'peer', interface: 'm', scope: 'global' },
        ],
      });
    });
  }

  /** Writes as a charm would: the version grows. */
  write(relation: number, entity: string, value: string): void {
    this.store.transact((transaction) => {
      const id = `${relation}/${entity}`;
      const before = transaction.get('bag', id);
      transaction.put('bag', id, {
        relation,
        entity,
        data: { value },
        version: (before?.version ?? 0) + 1,
        inScope: before?.inScope ?? entity.includes('/'),
      });
    });
  }

  plan(unit: string, options: { now?: Date; hasCommands?: boolean } = {}): Operation {
    return planOperation({
      reader: this.store,
      unit,
      now: options.now ?? new Date(NOW),
      hasCommands: options.hasCommands ?? false,
      updateStatusMs: 300_000,
    });
  }

  /** Does one operation of the unit as if its charm had succeeded; answers what it was. */
  step(unit: string): string | undefined {
    const operation = this.plan(unit);
    if (operation.kind === 'hook' || operation.kind === 'skip-hook') {
      return this.#finish(unit, operation.hook);
    }
    if (isBookkeeping(operation)) {
      return this.#keepBooks(unit, operation);
    }
    switch (operation.kind) {
      case 'wait':
        return undefined;
      case 'bury':
        this.store.transact((transaction) => {
          if (transaction.get('unit', unit) !== undefined) {
            removeUnit(transaction, unit);
          }
        });
        return undefined;
      case 'upgrade':
        this.store.transact((transaction) => {
          const { application } = transaction.require('unit', unit);
          const { charm, charmVersion = 0 } = transaction.require('application', application);
          transaction.patch('unit', unit, {
            charm,
            charmSeen: charmVersion,
            pending: {
              hook: { kind: 'lifecycle', name: 'upgrade-charm' },
              state: 'queued',
              failures: 0,
            },
          });
        });
        return '(upgrade)';
      case 'commands':
      case 'task':
        return `(${operation.kind})`;
    }
  }

  #keepBooks(unit: string, operation: Bookkeeping): string {
    this.store.transact((transaction) => {
      keepBooks({ address: '10.0.0.1', clock: systemClock }, transaction, unit, operation);
    });
    return operation.kind === 'accept-leadership' ? '(leads)' : `(${operation.kind})`;
  }

  #finish(unit: string, hook: HookInfo): string {
    this.store.transact((transaction) => {
      if (hook.kind === 'relation' && hook.step === 'created') {
        transaction.put('bag', `${hook.relation}/${unit}`, {
          relation: hook.relation,
          entity: unit,
          data: {},
          version: 1,
          inScope: true,
        });
      }
      finishHook(transaction, unit, hook, NOW);
    });
    if (hook.kind !== 'relation') {
      return hookName(hook);
    }
    const departing = hook.departing === undefined ? '' : ` (${hook.departing})`;
    return `${hookName(hook)} ${hook.remoteUnit ?? hook.remoteApp}${departing}`;
  }

  /** Lets one unit work until it has nothing to do. */
  settle(unit: string): readonly string[] {
    const done: string[] = [];
    for (let step = this.step(unit); step !== undefined; step = this.step(unit)) {
      done.push(step);
      if (done.length > 500) {
        throw new Error(`${unit} never settles: ${done.slice(-6).join(', ')}`);
      }
    }
    return done;
  }

  /** Lets all units work in the order given by `pick` until none has anything to do. */
  settleAll(
    pick: (count: number) => number = () => 0,
  ): Readonly<Record<string, readonly string[]>> {
    const done: Record<string, string[]> = {};
    for (let steps = 0; steps < 5000; steps += 1) {
      const busy = this.store
        .all('unit')
        .map(({ name }) => name)
        .filter((name) => this.plan(name).kind !== 'wait');
      const unit = busy[pick(busy.length) % Math.max(1, busy.length)];
      if (unit === undefined) {
        return done;
      }
      const step = this.step(unit);
      done[unit] = [...(done[unit] ?? []), ...(step === undefined ? [] : [step])];
    }
    throw new Error('the model never settles');
  }
}
