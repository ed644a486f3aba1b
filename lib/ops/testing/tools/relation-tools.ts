/** relation-ids, -list, -get, -set, -model-get in memory, with Juju's permissions and words. */
import { parse } from 'yaml';
import { type AnyRelationState, type Data, remoteUnitsOf } from '../relation-state.ts';
import type { Mutable, World } from '../world.ts';
import { pair, parseArguments, ToolFailure } from './arguments.ts';
import { Json, type Tool } from './tool.ts';

const RELATION = '--relation|-r';

export const relationTools: Readonly<Record<string, Tool>> = {
  'relation-ids': (world, args) => {
    const endpoint = parseArguments(args, {}).rest[0] ?? world.event.relation?.endpoint;
    if (endpoint === undefined) {
      throw new ToolFailure('no endpoint name specified', 2);
    }
    return [...world.relations.values()]
      .filter((relation) => relation.endpoint === endpoint && !isBroken(world, relation))
      .map((relation) => `${relation.endpoint}:${relation.id}`)
      .toSorted();
  },
  'relation-list': (world, args) => {
    const parsed = parseArguments(args, { values: [RELATION], flags: ['--app'] });
    const relation = findRelation(world, parsed.values.get('-r'));
    return parsed.flags.has('--app')
      ? new Json(remoteApp(world, relation))
      : unitNames(world, relation);
  },
  'relation-get': (world, args) => {
    const parsed = parseArguments(args, { values: [RELATION], flags: ['--app'] });
    const relation = findRelation(world, parsed.values.get('-r'));
    const [key = '-', owner] = parsed.rest;
    const data = read(world, relation, owner, parsed.flags.has('--app'));
    return key === '-' ? data : new Json(data[key]);
  },
  'relation-set': (world, args, stdin) => {
    const parsed = parseArguments(args, { values: [RELATION, '--file'], flags: ['--app'] });
    const relation = findRelation(world, parsed.values.get('-r'));
    const application = parsed.flags.has('--app');
    if (application && !world.leader) {
      throw new ToolFailure('cannot write relation settings');
    }
    const data = application ? relation.localAppData : relation.localUnitData;
    const fromFile = parsed.values.get('--file') === '-' ? (parse(stdin) as Data | null) : {};
    for (const [key, value] of [...Object.entries(fromFile ?? {}), ...parsed.rest.map(pair)]) {
      if (value === '') {
        delete data[key];
      } else {
        data[key] = value;
      }
    }
    return undefined;
  },
  'relation-model-get': (world, args) => {
    const relation = findRelation(
      world,
      parseArguments(args, { values: [RELATION] }).values.get('-r'),
    );
    const remote = relation.kind === 'relation' ? relation.remoteModelUuid : undefined;
    return { uuid: remote ?? world.given.model.uuid };
  },
};

/** @throws ToolFailure as Juju, for an id that is no relation of this unit. */
export function findRelation(world: World, text: string | undefined): Mutable<AnyRelationState> {
  const id = text === undefined ? world.event.relation?.id : Number(text.split(':').at(-1));
  if (id === undefined) {
    throw new ToolFailure('no relation id specified', 2);
  }
  const relation = world.relations.get(id);
  if (relation === undefined) {
    throw new ToolFailure(`invalid value "${text ?? id}" for option -r: relation not found`, 2);
  }
  return relation;
}

/** Name of the application at the other end. */
export function remoteApp(world: World, relation: Mutable<AnyRelationState>): string {
  return relation.kind === 'peer' ? world.appName : relation.remoteApp;
}

function isBroken(world: World, relation: Mutable<AnyRelationState>): boolean {
  return world.event.relationKind === 'broken' && world.event.relation?.id === relation.id;
}

function unitNames(world: World, relation: Mutable<AnyRelationState>): readonly string[] {
  if (isBroken(world, relation)) {
    return [];
  }
  const { event } = world;
  const departed =
    event.relationKind === 'departed' && event.relation?.id === relation.id
      ? event.remoteUnit
      : undefined;
  return Object.keys(remoteUnitsOf(relation))
    .filter((number) => Number(number) !== departed)
    .map((number) => `${remoteApp(world, relation)}/${number}`)
    .toSorted();
}

function read(
  world: World,
  relation: Mutable<AnyRelationState>,
  owner: string | undefined,
  application: boolean,
): Data {
  if (owner === undefined) {
    throw new ToolFailure('no unit or application specified', 2);
  }
  if (!application && !owner.includes('/')) {
    throw new ToolFailure(`expected unit name, got application name "${owner}"`, 2);
  }
  const data = application
    ? readApplication(world, relation, owner.split('/')[0] ?? owner)
    : readUnit(world, relation, owner);
  if (data === undefined) {
    throw new ToolFailure('permission denied');
  }
  return data;
}

function readApplication(
  world: World,
  relation: Mutable<AnyRelationState>,
  app: string,
): Data | undefined {
  if (app === world.appName) {
    return world.leader || relation.kind === 'peer' ? relation.localAppData : undefined;
  }
  return relation.kind === 'relation' && app === relation.remoteApp
    ? relation.remoteAppData
    : undefined;
}

function readUnit(
  world: World,
  relation: Mutable<AnyRelationState>,
  unit: string,
): Data | undefined {
  if (unit === world.unitName) {
    return relation.localUnitData;
  }
  const [app, number] = unit.split('/');
  return app === remoteApp(world, relation) ? remoteUnitsOf(relation)[Number(number)] : undefined;
}
