/**
 * Whether an application may change to another charm, and what changes with it. Pure.
 * https://github.com/juju/juju/blob/3.6/state/application.go (SetCharm)
 */
import { ModelError } from '../errors.ts';
import type { JsonRecord } from '../json.ts';
import type { Reader } from '../store/store.ts';
import type { CharmMetadata, StorageMetadata } from './charm-metadata.ts';
import type { ApplicationDocument, RelationEndpoint } from './documents.ts';
import { endpointOf, isPeer, relationKey, relationsOf } from './relations.ts';
import { storageOf } from './storage.ts';

/** @throws ModelError with Juju's message where the new charm does not fit. */
export function checkNewCharm(
  reader: Reader,
  application: ApplicationDocument,
  metadata: CharmMetadata,
  options: { readonly force: boolean; readonly forceBase: boolean },
): void {
  const before = reader.require('charm', application.charm).metadata;
  if (before.subordinate !== metadata.subordinate) {
    throw new ModelError("cannot change an application's subordinacy");
  }
  if (!options.forceBase) {
    checkBase(application, metadata);
  }
  if (!options.force) {
    checkLimits(reader, application.name, metadata);
  }
  const units = reader.within('unit', application.name).map(({ name }) => name);
  checkRemovedStorage(reader, units, before, metadata);
  for (const [name, store] of Object.entries(metadata.storage)) {
    const old = before.storage[name];
    if (old !== undefined) {
      checkStore(old, store);
    }
  }
  checkRelations(reader, application.name, metadata);
}

function checkBase({ base }: ApplicationDocument, { bases = [] }: CharmMetadata): void {
  const supported = bases.map(showBase);
  if (supported.length > 0 && !supported.includes(showBase(base))) {
    throw new ModelError(
      `base ${JSON.stringify(showBase(base))} not supported by charm, the charm supported bases are: ${supported.join(', ')}`,
    );
  }
}

function showBase({ name, channel }: ApplicationDocument['base']): string {
  return `${name}@${channel.split('/', 1)[0] ?? ''}`;
}

function checkLimits(reader: Reader, application: string, { endpoints }: CharmMetadata): void {
  for (const { name, interface: iface, limit } of Object.values(endpoints)) {
    const established = relationsOf(reader, application).filter((relation) => {
      const own = endpointOf(relation, application);
      return own?.endpoint === name && own.interface === iface;
    }).length;
    if (limit !== undefined && limit > 0 && established > limit) {
      throw new ModelError(
        `new charm version imposes a maximum relation limit of ${limit} for ${application}:${name} which cannot be satisfied by the number of already established relations (${established})`,
      );
    }
  }
}

function checkRemovedStorage(
  reader: Reader,
  units: readonly string[],
  before: CharmMetadata,
  after: CharmMetadata,
): void {
  for (const { name, countMin } of Object.values(before.storage)) {
    if (after.storage[name] !== undefined) {
      continue;
    }
    if (countMin > 0) {
      throw new ModelError(`required storage ${JSON.stringify(name)} removed`);
    }
    if (units.some((unit) => storageOf(reader, unit).some((one) => one.name === name))) {
      throw new ModelError(`in-use storage ${JSON.stringify(name)} removed`);
    }
  }
}

function checkStore(before: StorageMetadata, after: StorageMetadata): void {
  const what = `existing storage ${JSON.stringify(before.name)}`;
  if (before.type !== after.type) {
    throw new ModelError(
      `${what} type changed from ${JSON.stringify(before.type)} to ${JSON.stringify(after.type)}`,
    );
  }
  if (before.shared !== after.shared) {
    throw new ModelError(`${what} shared changed from ${before.shared} to ${after.shared}`);
  }
  if (before.readOnly !== after.readOnly) {
    throw new ModelError(`${what} read-only changed from ${before.readOnly} to ${after.readOnly}`);
  }
  if (before.location !== after.location) {
    throw new ModelError(
      `${what} location changed from ${JSON.stringify(before.location)} to ${JSON.stringify(after.location)}`,
    );
  }
  checkRange(what, before, after);
}

function checkRange(what: string, before: StorageMetadata, after: StorageMetadata): void {
  if (after.countMax !== -1 && (before.countMax === -1 || after.countMax < before.countMax)) {
    const old = before.countMax === -1 ? '<unbounded>' : before.countMax;
    throw new ModelError(
      `${what} range contracted: max decreased from ${old} to ${after.countMax}`,
    );
  }
  if (before.location !== '' && before.countMax === 1 && after.countMax !== 1) {
    throw new ModelError(`${what} with location changed from single to multiple`);
  }
}

/** Peer relations may vanish with a charm; others must go on. */
function checkRelations(reader: Reader, application: string, { endpoints }: CharmMetadata): void {
  for (const relation of relationsOf(reader, application)) {
    if (!isPeer(relation) && !isOffered(endpointOf(relation, application), endpoints)) {
      throw new ModelError(`would break relation ${JSON.stringify(relationKey(relation))}`);
    }
  }
}

function isOffered(
  own: RelationEndpoint | undefined,
  endpoints: CharmMetadata['endpoints'],
): boolean {
  const offered = endpoints[own?.endpoint ?? ''];
  return (
    own !== undefined &&
    offered?.role === own.role &&
    offered.interface === own.interface &&
    offered.scope === own.scope
  );
}

/** The peer relations that the new charm no longer has. */
export function stalePeerRelations(
  reader: Reader,
  application: string,
  { endpoints }: CharmMetadata,
): readonly number[] {
  return relationsOf(reader, application)
    .filter(
      (relation) => isPeer(relation) && !isOffered(endpointOf(relation, application), endpoints),
    )
    .map(({ id }) => id);
}

/** Of the old settings those that the new charm still has, with the same type. */
export function keptSettings(
  settings: JsonRecord,
  before: CharmMetadata,
  after: CharmMetadata,
): JsonRecord {
  return Object.fromEntries(
    Object.entries(settings).filter(
      ([name]) => before.options[name]?.type === after.options[name]?.type,
    ),
  );
}
