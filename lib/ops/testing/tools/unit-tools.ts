/** What Juju knows about the unit and its application, in memory: config, status, leadership, … */
import { type Status, statusFromName } from '../../model/status.ts';
import { remoteUnitsOf } from '../relation-state.ts';
import type { World } from '../world.ts';
import { parseArguments, ToolFailure } from './arguments.ts';
import { Json, type Tool } from './tool.ts';

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];
const SETTABLE = ['maintenance', 'blocked', 'waiting', 'active'];

export const unitTools: Readonly<Record<string, Tool>> = {
  'config-get': (world, args) => {
    const name = parseArguments(args, { flags: ['--all'] }).rest[0];
    const defaults = [...world.meta.options.values()]
      .filter((option) => option.default !== undefined)
      .map((option) => [option.name, option.default] as const);
    const values = { ...Object.fromEntries(defaults), ...world.given.config };
    return name === undefined ? values : new Json(values[name]);
  },
  'is-leader': (world, args) => {
    parseArguments(args, {});
    return world.leader;
  },
  'goal-state': (world, args) => {
    parseArguments(args, {});
    return { units: goalUnits(world), relations: goalRelations(world) };
  },
  'application-version-set': (world, args) => {
    const version = parseArguments(args, {}).rest[0];
    if (version === undefined) {
      throw new ToolFailure('no version specified', 2);
    }
    world.workloadVersion = version;
    world.recording.workloadVersions.push(version);
  },
  'status-get': (world, args) => {
    const parsed = parseArguments(args, { flags: ['--include-data', '--application'] });
    const application = parsed.flags.has('--application');
    if (application && !world.leader) {
      throw new ToolFailure('finding application status: this unit is not the leader');
    }
    const unit = printed(world.unitStatus);
    return application
      ? { 'application-status': { ...printed(world.appStatus), units: { [world.unitName]: unit } } }
      : unit;
  },
  'status-set': (world, args) => {
    const parsed = parseArguments(args, { flags: ['--application'] });
    const [name = '', message = ''] = parsed.rest;
    if (!SETTABLE.includes(name)) {
      throw new ToolFailure(`invalid status "${name}", expected one of [${SETTABLE.join(' ')}]`, 2);
    }
    setStatus(world, name, message, parsed.flags.has('--application'));
  },
  'juju-log': (world, args) => {
    const parsed = parseArguments(args, { values: ['-l|--log-level'], flags: ['--debug'] });
    const message = parsed.rest.join(' ');
    if (message === '') {
      throw new ToolFailure('no message specified', 2);
    }
    const asked = parsed.flags.has('--debug') ? 'DEBUG' : parsed.values.get('--log-level');
    const level = (asked ?? 'INFO').toUpperCase();
    world.recording.jujuLog.push({ level: LEVELS.includes(level) ? level : 'INFO', message });
  },
};

function printed({ name, message }: Status) {
  return { message, status: name, 'status-data': {} };
}

type Goal = Readonly<Record<string, { readonly status: string; readonly since: string }>>;

// As Juju prints times here. Tests compare statuses, never times.
const SINCE = '2030-01-31 12:00:00Z';

/**
 * This unit, its known peers, and as many more as are planned, under the lowest numbers free; units not planned are
 * dying, a peer that departs before others.
 */
function goalUnits(world: World): Goal {
  const { event } = world;
  const peers = [...world.relations.values()]
    .filter((relation) => relation.kind === 'peer')
    .flatMap((relation) => {
      const isLeft = event.relationKind === 'departed' && event.relation?.id === relation.id;
      const departed = isLeft ? String(event.remoteUnit) : undefined;
      const numbers = Object.keys(remoteUnitsOf(relation));
      return numbers.toSorted((a, b) => Number(a === departed) - Number(b === departed));
    })
    .map((number) => `${world.appName}/${number}`);
  const names = [...new Set([world.unitName, ...peers])];
  for (let number = 0; names.length < world.given.plannedUnits; number += 1) {
    const name = `${world.appName}/${number}`;
    names.push(...(names.includes(name) ? [] : [name]));
  }
  return Object.fromEntries(
    names.map((name, index) => [
      name,
      { status: index < world.given.plannedUnits ? 'active' : 'dying', since: SINCE },
    ]),
  );
}

/** Endpoint → the other application and its units; without peer relations, as in Juju. */
function goalRelations(world: World): Readonly<Record<string, Goal>> {
  const goals: Record<string, Goal> = {};
  for (const relation of world.relations.values()) {
    if (relation.kind === 'relation') {
      const units = Object.keys(relation.remoteUnits).map((it) => `${relation.remoteApp}/${it}`);
      const joined = [relation.remoteApp, ...units].map((it) => [
        it,
        { status: 'joined', since: SINCE },
      ]);
      goals[relation.endpoint] = { ...goals[relation.endpoint], ...Object.fromEntries(joined) };
    }
  }
  return goals;
}

function setStatus(world: World, name: string, message: string, application: boolean): void {
  const status = statusFromName(name, message);
  if (!application) {
    world.unitStatus = status;
    world.recording.unitStatuses.push(status);
    return;
  }
  if (!world.leader) {
    throw new ToolFailure('this unit is not the leader');
  }
  world.appStatus = status;
  world.recording.appStatuses.push(status);
}
