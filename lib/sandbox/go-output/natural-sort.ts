/** The order people expect of names with numbers: `db/2` before `db/10`. */

/** For `sort`: digits compare as numbers, everything else by code point. */
export function compareNaturally(left: string, right: string): number {
  const a = left.match(/\d+|\D+/g) ?? [];
  const b = right.match(/\d+|\D+/g) ?? [];
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const order = compareParts(a[index] ?? '', b[index] ?? '');
    if (order !== 0) {
      return order;
    }
  }
  return a.length - b.length;
}

/** The entries of a record in natural order of their keys. */
export function sortedEntries<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).toSorted(([a], [b]) => compareNaturally(a, b));
}

function compareParts(a: string, b: string): number {
  if (/^\d/.test(a) && /^\d/.test(b)) {
    return Number(a) - Number(b) || a.length - b.length;
  }
  return a < b ? -1 : Number(a > b);
}
