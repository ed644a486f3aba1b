/** The models of the sandbox, asked one by one, and the documents that Juju prints about them. */
import { availableParallelism } from 'node:os';
import type { PingResult } from '../../api.ts';
import type { FullStatus } from '../../api-status.ts';
import { addedModelRoot, addedModels, currentModel } from '../../client/models.ts';
import type { OutputValue } from '../../go-output/values.ts';
import { statusTime } from '../output/timestamp.ts';
import type { Session } from '../session.ts';
import { allUnits } from '../status/all-units.ts';

export const USER = 'admin';

/** One model of the sandbox. */
export interface ModelEntry {
  readonly root: string;
  readonly isCurrent: boolean;
  readonly ping: PingResult;
  readonly status: FullStatus;
}

/** Every model, the first one first. */
export async function listModels(session: Session): Promise<readonly ModelEntry[]> {
  const { controllerRoot } = session;
  const current = currentModel(controllerRoot);
  const added = addedModels(controllerRoot);
  const roots = [
    { root: controllerRoot, isCurrent: current === undefined },
    ...added.map((name) => ({
      root: addedModelRoot(controllerRoot, name),
      isCurrent: name === current,
    })),
  ];
  return Promise.all(
    roots.map(async (one) => ({ ...one, ...(await askModel(session, one.root)) })),
  );
}

/** What the daemon of one model says about itself. */
export async function askModel(
  session: Session,
  root: string,
): Promise<Pick<ModelEntry, 'ping' | 'status'>> {
  const ping = await session.callModel(root, 'ping', {});
  return { ping, status: await session.callModel(root, 'status', {}) };
}

/** The uuid of the controller: that of the first model, which lives as long as the sandbox. */
export async function controllerUuid(session: Session): Promise<string> {
  return (await session.callModel(session.controllerRoot, 'ping', {})).modelUuid;
}

interface Common {
  readonly ping: PingResult;
  readonly status: FullStatus;
  readonly controller: string;
}

function commonMembers({
  ping,
  status: { model },
  controller,
}: Common): Record<string, OutputValue> {
  const { since } = model.status;
  return {
    name: `${USER}/${ping.modelName}`,
    'short-name': ping.modelName,
    'model-uuid': ping.modelUuid,
    'model-type': model.type,
    'controller-uuid': controller,
    'controller-name': ping.controllerName,
    'is-controller': false,
    owner: USER,
    cloud: model.cloud,
    region: model.region,
    type: 'sandbox',
    life: 'alive',
    status: {
      current: model.status.current,
      since: since === undefined ? undefined : statusTime(new Date(since), { utc: true }),
    },
  };
}

const CREDENTIAL = {
  name: 'localhost',
  owner: USER,
  cloud: 'localhost',
  'validity-check': 'valid',
};

/** One member of `juju models --format json`. */
export function structuredSummary(common: Common): OutputValue {
  return {
    ...commonMembers(common),
    credential: CREDENTIAL,
    access: USER,
    'last-connection': 'just now',
    'machine-count': common.status.machines.length || undefined,
    'unit-count': allUnits(common.status).length || undefined,
    sla: common.status.model.sla,
    'agent-version': common.ping.jujuVersion,
  };
}

/** The value of `juju show-model`. */
export function structuredModel(common: Common): OutputValue {
  return {
    ...commonMembers(common),
    users: {
      [USER]: { 'display-name': USER, access: USER, 'last-connection': 'just now' },
    },
    machines:
      common.status.machines.length === 0
        ? undefined
        : Object.fromEntries(
            common.status.machines.map(({ id }) => [id, { cores: availableParallelism() }]),
          ),
    sla: common.status.model.sla,
    'agent-version': common.ping.jujuVersion,
    credential: CREDENTIAL,
    'supported-features': [
      {
        name: 'juju',
        description: 'the version of Juju used by the model',
        version: common.ping.jujuVersion,
      },
    ],
  };
}
