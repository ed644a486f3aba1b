/** The calls the daemon answers, by name. */

import { JUJU_VERSION } from '../../agent/services.ts';
import type { CallName, Calls, PingResult, StreamName, Streams } from '../../api.ts';
import { MODEL } from '../../model/documents.ts';
import type { CallContext } from './call-context.ts';
import { expose, getConfig, modelConfig, setConfig } from './config.ts';
import { constraints } from './constraints.ts';
import {
  consume,
  listenToOffers,
  listOffers,
  offer,
  removeOffer,
  removeSaas,
  suspend,
  tellConsumer,
} from './cross-model.ts';
import { debugLog } from './debug-log.ts';
import { addUnit, deploy } from './deploy.ts';
import { destroy } from './destroy.ts';
import { exec, run } from './enqueue.ts';
import { fault } from './faults.ts';
import { addMachines, removeMachines } from './machines.ts';
import { cancelTask, listActions, operation, operations, task } from './operations.ts';
import { place } from './place.ts';
import { refresh } from './refresh.ts';
import { integrate, removeRelation } from './relations.ts';
import { removeApplications, removeUnits, resolved } from './removal.ts';
import { attachResource, listResources } from './resources.ts';
import {
  addSecret,
  grantSecret,
  listSecrets,
  removeSecret,
  revokeSecret,
  showSecret,
  updateSecret,
} from './secrets.ts';
import { showUnit } from './show-unit.ts';
import { status } from './status.ts';
import { statusHistory } from './status-history.ts';
import {
  addUnitStorage,
  attachUnitStorage,
  detachUnitStorage,
  listStorage,
  removeStorage,
  storagePools,
} from './storage.ts';

type Handlers = {
  readonly [N in CallName]: (
    context: CallContext,
    params: Calls[N]['params'],
    signal: AbortSignal,
  ) => Calls[N]['result'] | Promise<Calls[N]['result']>;
};

type StreamHandlers = {
  readonly [N in StreamName]: (
    context: CallContext,
    params: Streams[N]['params'],
    signal: AbortSignal,
  ) => AsyncGenerator<Streams[N]['item'], void>;
};

const typedHandlers: Handlers = {
  ping,
  deploy,
  'add-unit': addUnit,
  'add-machine': addMachines,
  'remove-machine': removeMachines,
  'remove-unit': removeUnits,
  'remove-application': removeApplications,
  integrate,
  'remove-relation': removeRelation,
  'get-config': getConfig,
  'set-config': setConfig,
  'model-config': modelConfig,
  constraints,
  expose,
  resolved,
  status,
  sequences: ({ services }) => {
    const { counters, unitNumbers } = services.store.require('model', MODEL);
    return { machine: counters.machine, units: unitNumbers };
  },
  'status-history': statusHistory,
  'show-unit': showUnit,
  actions: listActions,
  run,
  exec,
  place,
  task,
  'cancel-task': cancelTask,
  operation,
  operations,
  fault,
  record: ({ services }, { file }) => {
    services.recorder.start(file);
    return {};
  },
  'stop-record': ({ services }) => ({ file: services.recorder.stop() }),
  'add-secret': addSecret,
  'update-secret': updateSecret,
  'remove-secret': removeSecret,
  'grant-secret': grantSecret,
  'revoke-secret': revokeSecret,
  secrets: listSecrets,
  'show-secret': showSecret,
  refresh,
  resources: listResources,
  'attach-resource': attachResource,
  storage: listStorage,
  'storage-pools': storagePools,
  'add-storage': addUnitStorage,
  'attach-storage': attachUnitStorage,
  'detach-storage': detachUnitStorage,
  'remove-storage': removeStorage,
  offer,
  offers: listOffers,
  'remove-offer': removeOffer,
  consume,
  'remove-saas': removeSaas,
  'suspend-relation': suspend,
  'cross-model-tell': tellConsumer,
};

const typedStreams: StreamHandlers = {
  'debug-log': debugLog,
  destroy,
  'cross-model-listen': listenToOffers,
};

type Handler = (context: CallContext, params: unknown, signal: AbortSignal) => unknown;
type StreamHandler = (
  context: CallContext,
  params: unknown,
  signal: AbortSignal,
) => AsyncGenerator<unknown, void>;

/** Params come from our own client of the same version, over a socket only its owner may open. */
export const handlers = typedHandlers as unknown as Readonly<Record<string, Handler>>;
export const streams = typedStreams as unknown as Readonly<Record<string, StreamHandler>>;

function ping({ services, warnings }: CallContext): PingResult {
  const { name, uuid, controllerName, isolation } = services.store.require('model', MODEL);
  return {
    pid: process.pid,
    modelName: name,
    modelUuid: uuid,
    controllerName,
    jujuVersion: JUJU_VERSION,
    isolation: isolation === undefined ? 'none' : 'namespaces',
    warnings,
  };
}
