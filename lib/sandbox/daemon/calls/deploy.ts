/** deploy, add-unit. */

import { JUJU_VERSION } from '../../agent/services.ts';
import type { Calls, DeployParams } from '../../api.ts';
import { convertOption } from '../../charm-archive/config-options.ts';
import { ModelError } from '../../errors.ts';
import type { JsonRecord } from '../../json.ts';
import { checkAssumes } from '../../model/assumes.ts';
import type { CharmMetadata } from '../../model/charm-metadata.ts';
import { MODEL, type StorageConstraints } from '../../model/documents.ts';
import { isApplicationName } from '../../model/names.ts';
import { endpointOf, isPeer, relationsOf } from '../../model/relations.ts';
import { storageConstraints } from '../../model/storage-constraints.ts';
import { isSubordinate } from '../../model/subordinates.ts';
import { createUnit } from '../../model/units.ts';
import type { Reader, Transaction } from '../../store/store.ts';
import { type CallContext, requireApplication } from './call-context.ts';
import { placeUnit } from './machines.ts';
import { receiveCharm } from './receive-charm.ts';
import { checkResourceNames, copyAll } from './resources.ts';

export async function deploy(
  { services }: CallContext,
  params: DeployParams,
): Promise<Calls['deploy']['result']> {
  const resources = await copyAll(services, params.resources ?? {});
  return await receiveCharm(
    services,
    params.path,
    (metadata) => checkRequest(services.store, metadata, params),
    (transaction, received, checked) => {
      const { charm, revision, metadata } = received;
      const { application, settings, storage } = checked;
      const base = chooseBase(metadata, params.base);
      const now = services.clock.now();
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
        created: now.toISOString(),
        ...(Object.keys(storage).length === 0 ? {} : { storage }),
        ...(Object.keys(resources).length === 0 ? {} : { resources }),
      });
      addPeerRelations(transaction, application, metadata);
      const units = addUnits(transaction, application, now, {
        count: metadata.subordinate ? 0 : (params.units ?? 1),
        attachStorage: params.attachStorage ?? [],
        to: params.to ?? [],
      });
      const shownBase = `${base.name}@${base.channel}/stable`;
      return { application, charm: metadata.name, revision, base: shownBase, units };
    },
  );
}

interface CheckedRequest {
  readonly application: string;
  readonly settings: JsonRecord;
  readonly storage: Readonly<Record<string, StorageConstraints>>;
}

function checkRequest(
  reader: Reader,
  metadata: CharmMetadata,
  params: DeployParams,
): CheckedRequest {
  const application = params.application ?? metadata.name;
  if (!isApplicationName(application)) {
    throw new ModelError(`invalid application name ${JSON.stringify(application)}`);
  }
  if (reader.get('application', application) !== undefined) {
    throw new ModelError(
      `cannot add application ${JSON.stringify(application)}: application already exists: \ndeploy application using an alias name:\n    juju deploy <application> <alias>\nor use remove-application to remove the existing one and try again.`,
      'already-exists',
    );
  }
  if (reader.get('remote', application) !== undefined) {
    throw new ModelError(
      `cannot add application ${JSON.stringify(application)}: saas application with same name already exists`,
      'already-exists',
    );
  }
  checkUnits(metadata, params);
  if (params.force !== true) {
    checkAssumes(metadata.assumes, JUJU_VERSION);
  }
  checkResourceNames(metadata, params.resources ?? {});
  const { config } = reader.require('model', MODEL);
  return {
    application,
    settings: convertSettings(metadata, params.config ?? {}),
    storage: storageConstraints(metadata, params.storage ?? {}, config),
  };
}

function checkUnits({ subordinate }: CharmMetadata, { units = 1, to = [] }: DeployParams): void {
  if (subordinate && (units !== 1 || to.length > 0)) {
    throw new ModelError('cannot use --num-units or --to with subordinate application');
  }
  if (!Number.isInteger(units) || units < 0) {
    throw new ModelError('--num-units must be a positive integer');
  }
}

/** Settings as typed, converted to what the charm's options want. */
export function convertSettings({ options }: CharmMetadata, config: JsonRecord): JsonRecord {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, convertOption(options, name, value)]),
  );
}

function chooseBase(metadata: CharmMetadata, told: string | undefined) {
  const base = metadata.base ?? { name: 'ubuntu', channel: '24.04' };
  const [name = base.name, channel = base.channel] = told?.split('@') ?? [];
  // The risk is no part of what status shows: `22.04`, not `22.04/stable`.
  return { name, channel: channel.split('/', 1)[0] ?? channel };
}

/** Makes the peer relations of the charm that are not there yet. */
export function addPeerRelations(
  transaction: Transaction,
  application: string,
  metadata: CharmMetadata,
): void {
  const present = new Set(
    relationsOf(transaction, application)
      .filter(isPeer)
      .map((relation) => endpointOf(relation, application)?.endpoint),
  );
  for (const endpoint of Object.values(metadata.endpoints)) {
    if (endpoint.role === 'peer' && !present.has(endpoint.name)) {
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
  { application, count = 1, attachStorage = [], to = [] }: Calls['add-unit']['params'],
): Calls['add-unit']['result'] {
  if (!Number.isInteger(count) || count < 1) {
    throw new ModelError('--num-units must be a positive integer');
  }
  const { life } = requireApplication(services.store, application);
  if (life === 'dying') {
    throw new ModelError(`application ${JSON.stringify(application)} is not alive`);
  }
  if (isSubordinate(services.store, application)) {
    const where = `to application ${JSON.stringify(application)}`;
    throw new ModelError(
      `cannot add unit 1/${count} ${where}: cannot add unit ${where}: application is a subordinate`,
    );
  }
  return {
    units: services.store.transact((transaction) =>
      addUnits(transaction, application, services.clock.now(), { count, attachStorage, to }),
    ),
  };
}

interface NewUnits {
  readonly count: number;
  readonly attachStorage: readonly string[];
  readonly to: readonly string[];
}

function addUnits(
  transaction: Transaction,
  application: string,
  now: Date,
  { count, attachStorage, to }: NewUnits,
): readonly string[] {
  if (attachStorage.length > 0 && count !== 1) {
    throw new ModelError('--attach-storage cannot be used with -n');
  }
  const document = transaction.require('application', application);
  return Array.from({ length: count }, (_, index) => {
    const machine = placeUnit(transaction, document, to[index], now);
    return createUnit(transaction, application, now, { machine, attachStorage });
  });
}
