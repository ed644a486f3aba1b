/** relation-ids, relation-list, relation-get, relation-set, relation-model-get. */
import { ModelError } from '../errors.ts';
import { MODEL, type RelationDocument } from '../model/documents.ts';
import { applicationOf, isApplicationName, isUnitName } from '../model/names.ts';
import {
  bagOf,
  endpointOf,
  isPeer,
  relationsOf,
  remoteEndpointOf,
  sees,
} from '../model/relations.ts';
import { parseKeyValues, readValuesFile } from './key-values.ts';
import { answer, OUTPUT_FLAGS } from './output.ts';
import { RELATION_FLAG, requireRelation } from './relation-argument.ts';
import type { Tool, ToolCall, ToolOutput } from './tool.ts';
import { refuseExtra, ToolError, usageError } from './tool-error.ts';

const relationIds: Tool = {
  name: 'relation-ids',
  summary: 'List all relation IDs for the given endpoint.',
  usage: '[options] <name>',
  flags: OUTPUT_FLAGS,
  run(call) {
    const [endpoint = endpointOfHook(call), ...extra] = call.args;
    refuseExtra(extra);
    if (endpoint === undefined || endpoint === '') {
      throw usageError('no endpoint name specified');
    }
    const { context } = call;
    const ids = relationsOf(context.store, context.application)
      .filter((relation) => endpointOf(relation, context.application)?.endpoint === endpoint)
      .filter((relation) => isShown(call, relation))
      .map(({ id }) => `${endpoint}:${id}`);
    return answer(call, ids);
  },
};

/** Entered, and not just breaking. */
function isShown({ context }: ToolCall, relation: RelationDocument): boolean {
  const entered = bagOf(context.store, relation.id, context.unit) !== undefined;
  const breaking =
    relation.life === 'dying' && !isPeer(relation) && context.members(relation.id).length === 0;
  return entered && !breaking;
}

function endpointOfHook({ context }: ToolCall): string | undefined {
  const relation = context.relation && context.findRelation(context.relation.id);
  return relation && endpointOf(relation, context.application)?.endpoint;
}

const relationList: Tool = {
  name: 'relation-list',
  summary: 'List relation units.',
  usage: '[options]',
  flags: { ...OUTPUT_FLAGS, ...RELATION_FLAG, app: { kind: 'boolean' } },
  run(call) {
    const relation = requireRelation(call);
    refuseExtra(call.args);
    if (call.flags.boolean('app')) {
      return answer(call, remoteEndpointOf(relation, call.context.application)?.application);
    }
    return answer(call, call.context.members(relation.id));
  },
};

const relationGet: Tool = {
  name: 'relation-get',
  summary: 'Get relation settings.',
  usage: '[options] <key> <unit id>',
  flags: { ...OUTPUT_FLAGS, ...RELATION_FLAG, app: { kind: 'boolean' } },
  run(call) {
    const relation = requireRelation(call);
    const [key = '-', target, ...extra] = call.args;
    const entity = chooseEntity(call, target);
    refuseExtra(extra);
    const bag = readBag(call, relation, entity);
    return answer(call, key === '-' || key === '' ? bag : bag[key]);
  },
};

function chooseEntity({ context, flags }: ToolCall, target: string | undefined): string {
  const unitOrApp = target ?? context.relation?.remoteUnit;
  if (unitOrApp === undefined || unitOrApp === '') {
    const app = context.relation?.remoteApp;
    if (app === undefined) {
      throw usageError('no unit or application specified');
    }
    return app;
  }
  if (flags.boolean('app')) {
    return applicationOf(unitOrApp);
  }
  if (isUnitName(unitOrApp)) {
    return unitOrApp;
  }
  throw usageError(
    isApplicationName(unitOrApp)
      ? `expected unit name, got application name ${JSON.stringify(unitOrApp)}`
      : `invalid unit name ${JSON.stringify(unitOrApp)}`,
  );
}

function readBag(
  { context }: ToolCall,
  relation: RelationDocument,
  entity: string,
): Readonly<Record<string, string>> {
  const isOwnApp = entity === context.application;
  if (isOwnApp && !isPeer(relation) && !context.isLeader()) {
    throw new ToolError('permission denied');
  }
  const takesPart = relation.endpoints.some(
    ({ application }) => application === applicationOf(entity),
  );
  const isHidden = isUnitName(entity) && !sees(context.store, relation, context.unit, entity);
  const bag = context.bags.read(relation.id, entity);
  if (!takesPart || isHidden || (bag === undefined && isUnitName(entity))) {
    throw new ToolError('permission denied');
  }
  return bag ?? {};
}

const relationSet: Tool = {
  name: 'relation-set',
  summary: 'Set relation settings.',
  usage: '[options] key=value [key=value ...]',
  flags: {
    ...RELATION_FLAG,
    app: { kind: 'boolean' },
    file: { kind: 'text' },
    format: { kind: 'text' },
  },
  run(call) {
    const relation = requireRelation(call);
    const fromArgs = parseKeyValues(call.args);
    const values = { ...readValuesFile(call), ...fromArgs };
    const { context } = call;
    const isForApp = call.flags.boolean('app');
    if (isForApp && !context.isLeader()) {
      throw new ToolError('cannot write relation settings');
    }
    refuseOversize(values);
    context.bags.write(relation.id, isForApp ? context.application : context.unit, values);
    return deprecatedFormat(call, 'relation-set');
  },
};

// A data bag is one document of at most 16 MB in Juju's database.
const MAX_BAG_BYTES = 16 * 1024 * 1024;

function refuseOversize(values: Readonly<Record<string, string>>): void {
  const size = Object.entries(values).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  if (size > MAX_BAG_BYTES) {
    throw new ModelError('cannot write relation settings: an attempt was made to write too much');
  }
}

/** `--format` is accepted and does nothing. */
export function deprecatedFormat(call: ToolCall, tool: string): ToolOutput {
  return call.flags.given('format')
    ? { stderr: `--format flag deprecated for command ${JSON.stringify(tool)}\n` }
    : {};
}

const relationModelGet: Tool = {
  name: 'relation-model-get',
  summary: 'Get details about the model hosting a related application.',
  usage: '[options]',
  flags: { ...OUTPUT_FLAGS, ...RELATION_FLAG },
  run(call) {
    const { crossModel } = requireRelation(call);
    refuseExtra(call.args);
    const { store } = call.context;
    const other = store.get('remote', crossModel?.remote ?? '')?.model;
    return answer(call, { uuid: (other ?? store.require('model', MODEL)).uuid });
  },
};

export const relationTools: readonly Tool[] = [
  relationIds,
  relationList,
  relationGet,
  relationSet,
  relationModelGet,
];
