/** `juju sandbox fire`: queues a hook by hand, complete with what its environment says. */
import type { FireParams } from '../../api-faults.ts';
import { ModelError } from '../../errors.ts';
import type { RelationDocument, UnitDocument } from '../../model/documents.ts';
import {
  describeHook,
  type HookInfo,
  LIFECYCLE_HOOKS,
  type LifecycleHook,
  type RelationStep,
  type SecretHookInfo,
  type StorageHookInfo,
} from '../../model/hook-info.ts';
import { applicationOf } from '../../model/names.ts';
import { bagOf, endpointOf, relationsOf, remoteEndpointOf } from '../../model/relations.ts';
import { parseSecretUri } from '../../model/secrets.ts';
import type { Reader } from '../../store/store.ts';
import { type CallContext, requireUnit } from './call-context.ts';

/** @throws ModelError when the unit cannot run the event, or its environment would be one Juju never makes. */
export function fire({ services }: CallContext, params: FireParams): void {
  const hook = services.store.transact((transaction) => {
    const unit = requireUnit(transaction, params.unit);
    refuseUnlessReady(unit);
    const fired: HookInfo = { ...hookOf(transaction, unit, params), byHand: true };
    transaction.patch('unit', unit.name, { fired: [...(unit.fired ?? []), fired] });
    return fired;
  });
  services.log.write({
    level: 'WARNING',
    module: 'juju.sandbox',
    message: `fire ${params.unit} ${describeHook(hook)}`,
  });
}

function refuseUnlessReady({ name, installed, life, agentStoppedAt }: UnitDocument): void {
  const quoted = JSON.stringify(name);
  if (!installed) {
    throw new ModelError(`unit ${quoted} is not installed yet`);
  }
  if (life !== 'alive') {
    throw new ModelError(`unit ${quoted} is dying`);
  }
  if (agentStoppedAt !== undefined) {
    throw new ModelError(
      `the agent of unit ${quoted} is stopped: first "juju sandbox start-agent ${name}"`,
    );
  }
}

type Option = keyof typeof OPTION_NAMES;

/** One family of events: how they are spelt, which options say what they are about, what they are. */
interface Family {
  readonly pattern: RegExp;
  readonly options: readonly Option[];
  readonly describe: (
    reader: Reader,
    unit: UnitDocument,
    params: FireParams,
    parts: readonly string[],
  ) => HookInfo;
}

const FAMILIES: readonly Family[] = [
  {
    pattern: /^(.+)-relation-(created|joined|changed|departed|broken)$/,
    options: ['relation', 'remoteUnit', 'departingUnit'],
    describe: (reader, unit, params, [endpoint = '', step = '']) =>
      relationHook(reader, unit, { ...params, endpoint, step: step as RelationStep }),
  },
  {
    pattern: /^secret-(changed|rotate|expired|remove)$/,
    options: ['secret', 'revision'],
    describe: (reader, unit, params, [step = '']) =>
      secretHook(reader, unit, params, step as SecretHookInfo['step']),
  },
  {
    pattern: /^(.+)-storage-(attached|detaching)$/,
    options: ['storage'],
    describe: (reader, unit, params, [name = '', step = '']) =>
      storageHook(reader, unit, { ...params, name, step: step as StorageHookInfo['step'] }),
  },
  {
    pattern: new RegExp(`^(${LIFECYCLE_HOOKS.join('|')})$`),
    options: [],
    describe: (_reader, _unit, _params, [name = '']) => ({
      kind: 'lifecycle',
      name: name as LifecycleHook,
    }),
  },
];

function hookOf(reader: Reader, unit: UnitDocument, params: FireParams): HookInfo {
  for (const { pattern, options, describe } of FAMILIES) {
    const match = pattern.exec(params.event);
    if (match !== null) {
      refuseOthers(params, options);
      return describe(reader, unit, params, match.slice(1));
    }
  }
  throw new ModelError(
    `unknown event ${JSON.stringify(params.event)}; possible are ${LIFECYCLE_HOOKS.join(', ')}, secret-…, <endpoint>-relation-… and <storage>-storage-…`,
  );
}

const OPTION_NAMES = {
  relation: '--relation',
  remoteUnit: '--remote-unit',
  departingUnit: '--departing-unit',
  secret: '--secret',
  revision: '--revision',
  storage: '--storage',
} as const;

function refuseOthers(params: FireParams, options: readonly Option[]): void {
  const given = (Object.keys(OPTION_NAMES) as Option[]).find(
    (name) => params[name] !== undefined && !options.includes(name),
  );
  if (given !== undefined) {
    throw new ModelError(`${OPTION_NAMES[given]} has no meaning for ${params.event}`);
  }
}

interface RelationEvent extends FireParams {
  readonly endpoint: string;
  readonly step: RelationStep;
}

function relationHook(reader: Reader, unit: UnitDocument, event: RelationEvent): HookInfo {
  const relation = chooseRelation(reader, unit, event);
  const remoteApp = remoteEndpointOf(relation, unit.application)?.application ?? '';
  refuseBadRemote(reader, event, relation, remoteApp);
  const told = event.remoteUnit ?? remoteApp;
  return {
    kind: 'relation',
    step: event.step,
    relation: relation.id,
    endpoint: event.endpoint,
    remoteApp,
    ...(event.remoteUnit === undefined ? {} : { remoteUnit: event.remoteUnit }),
    ...(event.step === 'departed' ? { departing: event.departingUnit ?? told } : {}),
  };
}

function chooseRelation(
  reader: Reader,
  { application, name }: UnitDocument,
  { endpoint, relation }: RelationEvent,
): RelationDocument {
  const candidates = relationsOf(reader, application).filter(
    (one) => endpointOf(one, application)?.endpoint === endpoint,
  );
  const chosen =
    relation === undefined ? candidates : candidates.filter(({ id }) => id === relation);
  const [only] = chosen;
  if (only === undefined) {
    throw new ModelError(
      relation === undefined
        ? `unit ${JSON.stringify(name)} has no relation at endpoint ${JSON.stringify(endpoint)}`
        : `relation ${relation} is not one of ${JSON.stringify(name)} at endpoint ${JSON.stringify(endpoint)}`,
      'not-found',
    );
  }
  if (chosen.length > 1) {
    const ids = chosen.map(({ id }) => id).join(', ');
    throw new ModelError(`choose one of the relations ${ids} with --relation`);
  }
  return only;
}

// Which options a step takes: required, possible, or without meaning.
const REMOTE_UNIT: Readonly<Record<RelationStep, 'required' | 'optional' | 'none'>> = {
  created: 'none',
  joined: 'required',
  changed: 'optional',
  departed: 'required',
  broken: 'none',
};

function refuseBadRemote(
  reader: Reader,
  { step, remoteUnit, departingUnit, unit, event }: RelationEvent,
  relation: RelationDocument,
  remoteApp: string,
): void {
  if (departingUnit !== undefined && step !== 'departed') {
    throw new ModelError(`--departing-unit has no meaning for ${event}`);
  }
  if (remoteUnit === undefined) {
    if (REMOTE_UNIT[step] === 'required') {
      throw new ModelError(`${event} is about a remote unit: name it with --remote-unit`);
    }
    return;
  }
  if (REMOTE_UNIT[step] === 'none') {
    throw new ModelError(`--remote-unit has no meaning for ${event}`);
  }
  const known = bagOf(reader, relation.id, remoteUnit) !== undefined && remoteUnit !== unit;
  if (!known || applicationOf(remoteUnit) !== remoteApp) {
    throw new ModelError(
      `${JSON.stringify(remoteUnit)} is no remote unit of ${unit} in relation ${relation.id}`,
    );
  }
}

function secretHook(
  reader: Reader,
  unit: UnitDocument,
  { event, secret, revision }: FireParams,
  step: SecretHookInfo['step'],
): HookInfo {
  const id = parseSecretUri(secret ?? '');
  if (secret === undefined || id === undefined) {
    throw new ModelError(`${event} is about a secret: name it with --secret <id>`);
  }
  const document = reader.get('secret', id);
  if (document === undefined) {
    throw new ModelError(`secret ${JSON.stringify(id)} not found`, 'not-found');
  }
  const label = step === 'changed' ? document.consumers[unit.name]?.label : document.label;
  return {
    kind: 'secret',
    step,
    secret: id,
    label: label ?? '',
    revision: revision ?? document.latest,
  };
}

function storageHook(
  reader: Reader,
  unit: UnitDocument,
  {
    event,
    name,
    step,
    storage,
  }: FireParams & { readonly name: string; readonly step: StorageHookInfo['step'] },
): HookInfo {
  if (storage === undefined) {
    throw new ModelError(`${event} is about a storage: name it with --storage <name>/<number>`);
  }
  const document = reader.get('storage', storage);
  if (document?.name !== name || document.attachment?.unit !== unit.name) {
    throw new ModelError(
      `storage ${JSON.stringify(storage)} is not attached to ${JSON.stringify(unit.name)} as ${JSON.stringify(name)}`,
    );
  }
  return { kind: 'storage', step, storage };
}
