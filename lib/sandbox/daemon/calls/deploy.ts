/** deploy, add-unit. */
import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Calls, DeployParams } from '../../api.ts';
import { convertOption } from '../../charm-archive/config-options.ts';
import { loadCharm } from '../../charm-archive/load-charm.ts';
import { unpackCharm } from '../../charm-archive/unpack-charm.ts';
import { ModelError } from '../../errors.ts';
import type { JsonRecord } from '../../json.ts';
import type { CharmMetadata } from '../../model/charm-metadata.ts';
import { MODEL } from '../../model/documents.ts';
import { addMachine } from '../../model/machines.ts';
import { isApplicationName } from '../../model/names.ts';
import { electLeader } from '../../model/removal.ts';
import type { Transaction } from '../../store/store.ts';
import { type CallContext, requireApplication } from './call-context.ts';

export async function deploy(
  { services }: CallContext,
  params: DeployParams,
): Promise<Calls['deploy']['result']> {
  const temporary = join(services.paths.charms, `.new-${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(services.paths.charms, { recursive: true });
    await unpackCharm(params.path, temporary);
    const metadata = await loadCharm(temporary);
    const application = params.application ?? metadata.name;
    const settings = checkRequest(services.store.get('application', application) !== undefined, {
      application,
      metadata,
      params,
    });
    const revision = services.store.require('model', MODEL).charmRevisions[metadata.name] ?? 0;
    const charm = `${metadata.name}-${revision}`;
    const directory = join(services.paths.charms, charm);
    // A directory of this name is left from a deploy that was killed before its commit.
    await rm(directory, { recursive: true, force: true });
    await rename(temporary, directory);
    const base = chooseBase(metadata, params.base);
    const units = services.store.transact((transaction) => {
      const model = transaction.require('model', MODEL);
      transaction.patch('model', MODEL, {
        charmRevisions: { ...model.charmRevisions, [metadata.name]: revision + 1 },
      });
      transaction.put('charm', charm, { id: charm, revision, metadata });
      transaction.put('application', application, {
        name: application,
        charm,
        base,
        life: 'alive',
        exposed: false,
        trust: params.trust ?? false,
        settings,
        configVersion: 1,
        leaderSettings: {},
        leaderSettingsVersion: 0,
        created: services.clock.now().toISOString(),
      });
      addPeerRelations(transaction, application, metadata);
      return addUnits(transaction, application, params.units ?? 1, services.clock.now());
    });
    const shownBase = `${base.name}@${base.channel}/stable`;
    return { application, charm: metadata.name, revision, base: shownBase, units };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function checkRequest(
  exists: boolean,
  request: {
    readonly application: string;
    readonly metadata: CharmMetadata;
    readonly params: DeployParams;
  },
): JsonRecord {
  const { application, metadata, params } = request;
  if (!isApplicationName(application)) {
    throw new ModelError(`invalid application name ${JSON.stringify(application)}`);
  }
  if (exists) {
    throw new ModelError(
      `cannot add application ${JSON.stringify(application)}: application already exists: \ndeploy application using an alias name:\n    juju deploy <application> <alias>\nor use remove-application to remove the existing one and try again.`,
      'already-exists',
    );
  }
  if (metadata.subordinate) {
    throw new ModelError(
      `cannot deploy charm ${JSON.stringify(metadata.name)}: the sandbox has no subordinates yet`,
      'refused',
    );
  }
  const [storage] = metadata.requiredStorage;
  if (storage !== undefined) {
    throw new ModelError(
      `cannot deploy charm ${JSON.stringify(metadata.name)}: it needs storage ${JSON.stringify(storage)}, and the sandbox has no storage yet`,
      'refused',
    );
  }
  const units = params.units ?? 1;
  if (!Number.isInteger(units) || units < 0) {
    throw new ModelError('--num-units must be a positive integer');
  }
  return Object.fromEntries(
    Object.entries(params.config ?? {}).map(([name, value]) => [
      name,
      convertOption(metadata.options, name, value),
    ]),
  );
}

function chooseBase(metadata: CharmMetadata, told: string | undefined) {
  const base = metadata.base ?? { name: 'ubuntu', channel: '24.04' };
  const [name = base.name, channel = base.channel] = told?.split('@') ?? [];
  // The risk is no part of what status shows: `22.04`, not `22.04/stable`.
  return { name, channel: channel.split('/', 1)[0] ?? channel };
}

function addPeerRelations(
  transaction: Transaction,
  application: string,
  metadata: CharmMetadata,
): void {
  for (const endpoint of Object.values(metadata.endpoints)) {
    if (endpoint.role === 'peer') {
      const id = nextRelationId(transaction);
      transaction.put('relation', String(id), {
        id,
        life: 'alive',
        endpoints: [
          {
            application,
            endpoint: endpoint.name,
            role: 'peer',
            interface: endpoint.interface,
            scope: endpoint.scope,
          },
        ],
      });
    }
  }
}

/** From one counter for all relations of the model, peers included. */
export function nextRelationId(transaction: Transaction): number {
  const { counters } = transaction.require('model', MODEL);
  transaction.patch('model', MODEL, {
    counters: { ...counters, relation: counters.relation + 1 },
  });
  return counters.relation;
}

export function addUnit(
  { services }: CallContext,
  { application, count = 1 }: Calls['add-unit']['params'],
): Calls['add-unit']['result'] {
  if (!Number.isInteger(count) || count < 1) {
    throw new ModelError('--num-units must be a positive integer');
  }
  const { life } = requireApplication(services.store, application);
  if (life === 'dying') {
    throw new ModelError(`application ${JSON.stringify(application)} is not alive`);
  }
  return {
    units: services.store.transact((transaction) =>
      addUnits(transaction, application, count, services.clock.now()),
    ),
  };
}

function addUnits(
  transaction: Transaction,
  application: string,
  count: number,
  now: Date,
): readonly string[] {
  const names = Array.from({ length: count }, () => addOneUnit(transaction, application, now));
  if (transaction.require('application', application).leader === undefined) {
    electLeader(transaction, application);
  }
  return names;
}

/** Numbers are never given twice, not even to an application of the same name. */
function addOneUnit(transaction: Transaction, application: string, now: Date): string {
  const { unitNumbers } = transaction.require('model', MODEL);
  const number = unitNumbers[application] ?? 0;
  transaction.patch('model', MODEL, {
    unitNumbers: { ...unitNumbers, [application]: number + 1 },
  });
  const machine = addMachine(
    transaction,
    transaction.require('application', application).base,
    now,
  );
  const name = `${application}/${number}`;
  const since = now.toISOString();
  transaction.put('unit', name, {
    name,
    application,
    machine,
    life: 'alive',
    created: since,
    workload: { current: 'waiting', message: 'agent initialising', since },
    agent: { current: 'allocating', since },
    statusSet: false,
    ports: [],
    installed: false,
    started: false,
    stopped: false,
    leaderAccepted: false,
    relations: {},
    state: {},
  });
  return name;
}
