/**
 * Which relation hook a unit owes, by comparing what it has seen with what is committed. Pure.
 * https://github.com/juju/juju/blob/3.6/internal/worker/uniter/relation/resolver.go
 */
import type { RelationDocument, RelationMemory, UnitDocument } from '../model/documents.ts';
import type { RelationHookInfo, RelationStep } from '../model/hook-info.ts';
import { compareUnits } from '../model/names.ts';
import {
  bagOf,
  endpointOf,
  isPeer,
  NOTHING_SEEN,
  relationsOf,
  remoteEndpointOf,
  remoteUnits,
} from '../model/relations.ts';
import { isImplicit, mayEnterScope } from '../model/subordinates.ts';
import type { Reader } from '../store/store.ts';
import type { Operation } from './operation.ts';

/** A relation the unit has not entered yet. */
export function nextCreatedHook(reader: Reader, unit: UnitDocument): RelationHookInfo | undefined {
  const relation = relationsOf(reader, unit.application).find(
    (one) =>
      owesEntry(unit, one) &&
      mayEnterScope(reader, one, unit) &&
      !isImplicit(one, unit.application),
  );
  return relation === undefined ? undefined : describe({ reader, unit, relation }, 'created');
}

/** Any other relation hook; peers come last, so that their data outlive the other relations. */
export function nextRelationHook(reader: Reader, unit: UnitDocument): RelationHookInfo | undefined {
  const entered = relationsOf(reader, unit.application).filter(
    (relation) => isEntered(unit, relation) && !isImplicit(relation, unit.application),
  );
  const inOrder = [
    ...entered.filter((relation) => !isPeer(relation)),
    ...entered.filter((relation) => isPeer(relation)),
  ];
  for (const relation of inOrder) {
    const hook = nextOfRelation({ reader, unit, relation });
    if (hook !== undefined) {
      return hook;
    }
  }
  return undefined;
}

/** Entering or leaving a relation on an implicit endpoint, of which the charm hears nothing. */
export function nextScopeChange(reader: Reader, unit: UnitDocument): Operation | undefined {
  const implicit = relationsOf(reader, unit.application).filter((relation) =>
    isImplicit(relation, unit.application),
  );
  const left = implicit.find(
    (relation) => isEntered(unit, relation) && (relation.life === 'dying' || unit.life === 'dying'),
  );
  if (left !== undefined) {
    return { kind: 'leave-scope', relation: left.id };
  }
  const entered = implicit.find(
    (relation) =>
      unit.life === 'alive' && owesEntry(unit, relation) && mayEnterScope(reader, relation, unit),
  );
  return entered === undefined ? undefined : { kind: 'enter-scope', relation: entered.id };
}

function owesEntry(unit: UnitDocument, { id, life, suspended }: RelationDocument): boolean {
  return life === 'alive' && suspended === undefined && !memoryOf(unit, id).created;
}

function isEntered(unit: UnitDocument, { id }: RelationDocument): boolean {
  const { created, broken } = memoryOf(unit, id);
  return created && !broken;
}

interface View {
  readonly reader: Reader;
  readonly unit: UnitDocument;
  readonly relation: RelationDocument;
}

function nextOfRelation(view: View): RelationHookInfo | undefined {
  const memory = memoryOf(view.unit, view.relation.id);
  const { life, suspended } = view.relation;
  if (view.unit.life === 'dying' || life === 'dying' || suspended !== undefined) {
    return leave(view, memory);
  }
  const present = remoteUnits(view.reader, view.relation, view.unit.name);
  return (
    owedChange(view, memory, present) ??
    departed(
      view,
      knownUnits(memory).find((name) => !present.includes(name)),
    ) ??
    applicationChange(view, memory) ??
    joined(
      view,
      present.find((name) => memory.members[name] === undefined),
    ) ??
    unitChange(view, memory, present)
  );
}

/** Departed for every unit still known, then broken (never for peers). */
function leave(view: View, memory: RelationMemory): RelationHookInfo | undefined {
  const hook = departed(view, knownUnits(memory)[0]);
  if (hook !== undefined) {
    return hook;
  }
  return isPeer(view.relation) ? undefined : describe(view, 'broken');
}

function owedChange(
  view: View,
  memory: RelationMemory,
  present: readonly string[],
): RelationHookInfo | undefined {
  const owing = present.find((name) => {
    const member = memory.members[name];
    return member !== undefined && member.version === undefined;
  });
  return owing === undefined ? undefined : changed(view, owing);
}

function applicationChange(view: View, memory: RelationMemory): RelationHookInfo | undefined {
  const app = remoteEndpointOf(view.relation, view.unit.application)?.application ?? '';
  const version = bagOf(view.reader, view.relation.id, app)?.version ?? 0;
  return version > memory.appVersion ? { ...describe(view, 'changed'), version } : undefined;
}

function unitChange(
  view: View,
  memory: RelationMemory,
  present: readonly string[],
): RelationHookInfo | undefined {
  const stale = present.find((name) => versionOf(view, name) !== memory.members[name]?.version);
  return stale === undefined ? undefined : changed(view, stale);
}

function changed(view: View, remoteUnit: string): RelationHookInfo {
  return { ...describe(view, 'changed'), remoteUnit, version: versionOf(view, remoteUnit) };
}

function joined(view: View, remoteUnit: string | undefined): RelationHookInfo | undefined {
  return remoteUnit === undefined ? undefined : { ...describe(view, 'joined'), remoteUnit };
}

function departed(view: View, remoteUnit: string | undefined): RelationHookInfo | undefined {
  if (remoteUnit === undefined) {
    return undefined;
  }
  const localDies =
    view.unit.life === 'dying' ||
    view.reader.get('application', view.unit.application)?.life === 'dying';
  const departing = localDies ? view.unit.name : remoteUnit;
  return { ...describe(view, 'departed'), remoteUnit, departing };
}

function describe({ unit, relation }: View, step: RelationStep): RelationHookInfo {
  return {
    kind: 'relation',
    step,
    relation: relation.id,
    endpoint: endpointOf(relation, unit.application)?.endpoint ?? '',
    remoteApp: remoteEndpointOf(relation, unit.application)?.application ?? '',
  };
}

function versionOf({ reader, relation }: View, entity: string): number {
  return bagOf(reader, relation.id, entity)?.version ?? 0;
}

function knownUnits(memory: RelationMemory): readonly string[] {
  return Object.keys(memory.members).toSorted(compareUnits);
}

function memoryOf(unit: UnitDocument, relation: number): RelationMemory {
  return unit.relations[String(relation)] ?? NOTHING_SEEN;
}
