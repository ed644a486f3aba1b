/** Faults on request: agents and hooks that stop, commits that fail, leadership and time that move. */
import { signalNotedProcess } from '../../agent/orphans.ts';
import { unitDirectory } from '../../agent/unit-directory.ts';
import type { Calls } from '../../api.ts';
import type { FaultParams } from '../../api-faults.ts';
import { ModelError } from '../../errors.ts';
import { MODEL, type UnitDocument } from '../../model/documents.ts';
import { type CallContext, requireUnit } from './call-context.ts';
import { fire } from './fire.ts';

type UnitFault = Exclude<FaultParams, { fault: 'advance' | 'fire' }>;

/** Does one fault, and says so in the log. @throws ModelError when it makes no sense now. */
export async function fault(
  context: CallContext,
  params: Calls['fault']['params'],
): Promise<Calls['fault']['result']> {
  if (params.fault === 'advance') {
    advance(context, params.ms);
  } else if (params.fault === 'fire') {
    fire(context, params);
  } else {
    await UNIT_FAULTS[params.fault](context, requireUnit(context.services.store, params.unit));
    logFault(context, `${params.fault} ${params.unit}`);
  }
  return {};
}

// nsenter stops itself when it learns late that its child was stopped, which may be after the first SIGCONT.
const THAW_AGAIN = 5;
const THAW_PAUSE_MS = 20;

const UNIT_FAULTS: Readonly<
  Record<UnitFault['fault'], (context: CallContext, unit: UnitDocument) => Promise<void> | void>
> = {
  'stop-agent': async ({ agents, services }, { name, agentStoppedAt }) => {
    if (agentStoppedAt !== undefined) {
      throw new ModelError(`the agent of unit ${JSON.stringify(name)} is stopped already`);
    }
    services.store.transact((transaction) => {
      transaction.patch('unit', name, { agentStoppedAt: services.clock.now().toISOString() });
    });
    await agents.stopAgent(name);
  },
  'start-agent': ({ services }, { name, agentStoppedAt }) => {
    if (agentStoppedAt === undefined) {
      throw new ModelError(`the agent of unit ${JSON.stringify(name)} is not stopped`);
    }
    services.store.transact((transaction) => {
      transaction.patch('unit', name, { agentStoppedAt: undefined });
    });
  },
  freeze: (context, unit) => {
    signalHook(context, unit, 'SIGSTOP');
  },
  thaw: async (context, unit) => {
    signalHook(context, unit, 'SIGCONT');
    for (let again = 0; again < THAW_AGAIN; again += 1) {
      // oxlint-disable-next-line no-await-in-loop
      await context.services.clock.sleep(THAW_PAUSE_MS);
      signalNotedProcess(unitDirectory(context.services.paths, unit.name), 'SIGCONT');
    }
  },
  'drop-commit': ({ services }, { name }) => {
    services.failingCommits.add(name);
  },
  'force-leader': ({ services }, { name, application, life }) => {
    if (life !== 'alive') {
      throw new ModelError(`unit ${JSON.stringify(name)} is dying and cannot lead`);
    }
    if (services.store.get('application', application)?.leader === name) {
      throw new ModelError(`unit ${JSON.stringify(name)} is the leader already`);
    }
    services.store.transact((transaction) => {
      transaction.patch('application', application, { leader: name });
    });
  },
};

function signalHook(
  { services }: CallContext,
  { name }: UnitDocument,
  signal: 'SIGSTOP' | 'SIGCONT',
): void {
  if (!signalNotedProcess(unitDirectory(services.paths, name), signal)) {
    throw new ModelError(`unit ${JSON.stringify(name)} runs no hook, action or command now`);
  }
}

function advance(context: CallContext, ms: number): void {
  if (!Number.isFinite(ms) || ms < 0) {
    throw new ModelError('the clock goes forward only: give a duration such as 5m or 24h');
  }
  context.services.store.transact((transaction) => {
    const { clockAheadMs = 0 } = transaction.require('model', MODEL);
    transaction.patch('model', MODEL, { clockAheadMs: clockAheadMs + ms });
  });
  logFault(context, `advance ${ms} ms`);
}

function logFault({ services }: CallContext, message: string): void {
  services.log.write({ level: 'WARNING', module: 'juju.sandbox', message });
}
