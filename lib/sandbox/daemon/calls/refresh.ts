/** refresh: another charm for an application. */

import { JUJU_VERSION } from '../../agent/services.ts';
import type { Calls } from '../../api.ts';
import { ModelError } from '../../errors.ts';
import type { JsonRecord } from '../../json.ts';
import { checkAssumes } from '../../model/assumes.ts';
import type { CharmMetadata } from '../../model/charm-metadata.ts';
import { type ApplicationDocument, MODEL, type ResourceRevision } from '../../model/documents.ts';
import { checkNewCharm, keptSettings, stalePeerRelations } from '../../model/refresh.ts';
import { removeRelation } from '../../model/removal.ts';
import { addStorage, storageOf } from '../../model/storage.ts';
import { storageConstraints } from '../../model/storage-constraints.ts';
import { charmOfUnit } from '../../model/unit-charm.ts';
import type { Reader, Transaction } from '../../store/store.ts';
import { type CallContext, requireApplication } from './call-context.ts';
import { addPeerRelations, convertSettings } from './deploy.ts';
import { type ReceivedCharm, receiveCharm } from './receive-charm.ts';
import { checkResourceNames, copyAll, withUploads } from './resources.ts';

type Params = Calls['refresh']['params'];

export async function refresh(
  { services }: CallContext,
  params: Params,
): Promise<Calls['refresh']['result']> {
  const { store, clock } = services;
  requireApplication(store, params.application);
  const uploads = await copyAll(services, params.resources ?? {});
  return await receiveCharm(
    services,
    params.path,
    (metadata) => {
      if (params.force !== true) {
        checkAssumes(metadata.assumes, JUJU_VERSION);
      }
      return checkRequest(store, metadata, params);
    },
    (transaction, received, config) => {
      const now = clock.now().toISOString();
      setCharm(transaction, received, { params, config, uploads, now });
      return { charm: received.metadata.name, revision: received.revision };
    },
  );
}

/** @throws ModelError as Juju's SetCharm; answers the new settings. */
function checkRequest(reader: Reader, metadata: CharmMetadata, params: Params): JsonRecord {
  const application = requireApplication(reader, params.application);
  const { name } = reader.require('charm', application.charm).metadata;
  if (params.anyName !== true && name !== metadata.name) {
    throw new ModelError(
      `cannot refresh ${JSON.stringify(name)} to ${JSON.stringify(metadata.name)}`,
    );
  }
  const { charmRevisions, config } = reader.require('model', MODEL);
  const revision = charmRevisions[metadata.name] ?? 0;
  try {
    checkNewCharm(reader, application, metadata, {
      force: params.force ?? false,
      forceBase: params.forceBase ?? false,
    });
    newConstraints(application, metadata, params, config);
    checkResourceNames(metadata, params.resources ?? {});
    return checkedSettings(metadata, params.config ?? {});
  } catch (error) {
    throw error instanceof ModelError
      ? new ModelError(
          `cannot upgrade application ${JSON.stringify(params.application)} to charm ${JSON.stringify(`local:${metadata.name}-${revision}`)}: ${error.message}`,
        )
      : error;
  }
}

function checkedSettings(metadata: CharmMetadata, config: JsonRecord): JsonRecord {
  try {
    return convertSettings(metadata, config);
  } catch (error) {
    throw error instanceof ModelError
      ? new ModelError(`validating config settings: ${error.message}`)
      : error;
  }
}

function newConstraints(
  application: ApplicationDocument,
  metadata: CharmMetadata,
  params: Params,
  modelConfig: JsonRecord,
) {
  const kept = Object.entries(application.storage ?? {}).filter(
    ([name]) => metadata.storage[name] !== undefined,
  );
  const told = { ...Object.fromEntries(kept), ...params.storage };
  return storageConstraints(metadata, told, modelConfig);
}

function setCharm(
  transaction: Transaction,
  { charm, metadata }: ReceivedCharm,
  request: {
    readonly params: Params;
    readonly config: JsonRecord;
    readonly uploads: Readonly<Record<string, ResourceRevision>>;
    readonly now: string;
  },
): void {
  const { params, config, uploads, now } = request;
  const application = transaction.require('application', params.application);
  const before = transaction.require('charm', application.charm).metadata;
  const modelConfig = transaction.require('model', MODEL).config;
  const storage = newConstraints(application, metadata, params, modelConfig);
  transaction.patch('application', params.application, {
    charm,
    charmVersion: (application.charmVersion ?? 0) + 1,
    forceCharm: params.forceUnits === true ? true : undefined,
    settings: { ...keptSettings(application.settings, before, metadata), ...config },
    formerSettings: formerSettings(transaction, application),
    configVersion: application.configVersion + 1,
    trust: params.trust ?? application.trust,
    storage: Object.keys(storage).length === 0 ? undefined : storage,
    resources: withUploads(application, uploads),
  });
  for (const id of stalePeerRelations(transaction, params.application, metadata)) {
    removeRelation(transaction, id);
  }
  addPeerRelations(transaction, params.application, metadata);
  addMissingStorage(transaction, params.application, before, now);
}

/** The settings of all charms that units have, the present one included. */
function formerSettings(
  reader: Reader,
  { name, charm, settings, formerSettings: former = {} }: ApplicationDocument,
): NonNullable<ApplicationDocument['formerSettings']> {
  const inUse = new Set(reader.within('unit', name).map((unit) => charmOfUnit(reader, unit.name)));
  return Object.fromEntries(
    Object.entries({ ...former, [charm]: settings }).filter(([id]) => inUse.has(id)),
  );
}

/** New storage in full; of storage that was there before what is missing to the least there must be. */
function addMissingStorage(
  transaction: Transaction,
  application: string,
  before: CharmMetadata,
  now: string,
): void {
  const { charm, storage = {} } = transaction.require('application', application);
  const { metadata } = transaction.require('charm', charm);
  for (const unit of transaction.within('unit', application)) {
    for (const [name, { count }] of Object.entries(storage)) {
      const least =
        before.storage[name] === undefined ? count : (metadata.storage[name]?.countMin ?? 0);
      const present = storageOf(transaction, unit.name).filter((one) => one.name === name).length;
      if (unit.life === 'alive' && least > present) {
        addStorage(transaction, unit.name, name, { count: least - present }, now);
      }
    }
  }
}
