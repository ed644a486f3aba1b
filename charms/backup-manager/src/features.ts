/** What a database understands beyond version 0 of the interface (docs/decisions/0005-protocol-extensions.md). */
import type { BackupRequirer, RelatedDatabase } from '#database-backup';
import { HintError } from '#system';

export type Feature = 'cancel' | 'deadlines' | 'dry-run' | 'undo-restore' | 'force';

/** What all units of the database have announced; nothing where one has not, or there is none. */
export function agreedFeatures(
  _requirer: BackupRequirer,
  { relation }: RelatedDatabase,
): ReadonlySet<string> {
  const [first, ...others] = relation.units.map((unit) =>
    announced(relation.data(unit).get('features')),
  );
  return new Set([...(first ?? [])].filter((name) => others.every((one) => one.has(name))));
}

function announced(text: string | undefined): ReadonlySet<string> {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    const names: readonly unknown[] = Array.isArray(value) ? value : [];
    return new Set(names.filter((name) => typeof name === 'string'));
  } catch {
    return new Set();
  }
}

/** @throws HintError `not-supported` naming the databases that cannot, and what to do instead */
export function assertAgreed(
  targets: readonly { readonly name: string; readonly features: ReadonlySet<string> }[],
  feature: Feature,
  words: { readonly wish: string; readonly hint: string },
): void {
  const without = targets.filter(({ features }) => !features.has(feature));
  if (without.length > 0) {
    const names = without.map(({ name }) => name).join(', ');
    throw new HintError(
      `the charm of ${names} does not understand ${words.wish} (feature ${feature})`,
      { code: 'not-supported', hint: words.hint },
    );
  }
}
