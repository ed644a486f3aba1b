/** Which units have reason to look again after a commit; the others sleep on, so that many units cost little. */
import type { Kind, RelationDocument, SecretDocument, UnitDocument } from '../model/documents.ts';
import type { Change, Reader } from '../store/store.ts';

/** `all` wherever it is not certain. */
export type ConcernedUnits = ReadonlySet<string> | 'all';

export function concernedUnits(reader: Reader, changes: readonly Change[]): ConcernedUnits {
  const units = new Set<string>();
  for (const change of changes) {
    const concerned = concernedBy(reader, change);
    if (concerned === 'all') {
      return 'all';
    }
    for (const unit of concerned) {
      units.add(unit);
    }
  }
  return units;
}

function concernedBy<K extends Kind>(reader: Reader, change: Change<K>): Concerned {
  const ask = CONCERNED[change.kind] as (reader: Reader, change: Change<K>) => Concerned;
  return ask(reader, change);
}

type Concerned = readonly string[] | 'all';

const CONCERNED: { readonly [K in Kind]: (reader: Reader, change: Change<K>) => Concerned } = {
  model: () => 'all',
  charm: () => 'all',
  // It comes and goes with its units.
  machine: () => [],
  application: (reader, { id }) => unitsOf(reader, id),
  unit: (_reader, { before, after }) => concernedByUnit(before, after),
  relation: (reader, { before, after }) => unitsIn(reader, after ?? before),
  bag: (reader, { id }) => unitsIn(reader, reader.get('relation', id.split('/', 1)[0] ?? '')),
  secret: (reader, { before, after }) =>
    [before, after].flatMap((secret) => concernedBySecret(reader, secret)),
  operation: () => [],
  task: (_reader, { before, after }) => [after?.unit ?? before?.unit ?? ''],
  storage: (_reader, { before, after }) => [
    before?.attachment?.unit ?? '',
    after?.attachment?.unit ?? '',
  ],
  offer: () => [],
  remote: () => [],
};

/** What a unit has seen is its own affair; that it comes, dies or goes is everybody's. */
function concernedByUnit(
  before: UnitDocument | undefined,
  after: UnitDocument | undefined,
): Concerned {
  return before === undefined ||
    after === undefined ||
    before.life !== after.life ||
    before.agentStoppedAt !== after.agentStoppedAt
    ? 'all'
    : [after.name];
}

function unitsIn(reader: Reader, relation: RelationDocument | undefined): Concerned {
  return relation === undefined
    ? 'all'
    : relation.endpoints.flatMap(({ application }) => unitsOf(reader, application));
}

function concernedBySecret(reader: Reader, secret: SecretDocument | undefined): readonly string[] {
  if (secret === undefined) {
    return [];
  }
  const { owner, consumers } = secret;
  const owners = owner.kind === 'application' ? unitsOf(reader, owner.name) : [owner.name];
  return [...owners, ...Object.keys(consumers)];
}

function unitsOf(reader: Reader, application: string): readonly string[] {
  return reader.within('unit', application).map(({ name }) => name);
}
