/** Long lists as action results, which have a limit. */

// Juju's tools take a result as one argument of a process, which Linux bounds at 128 KiB.
const MAX_BYTES = 100_000;

/** JSON text of as many records, from the first on, as fit into a result. */
export function jsonList(records: readonly object[]): string {
  const texts: string[] = [];
  let bytes = 2;
  for (const record of records) {
    const text = JSON.stringify(record);
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > MAX_BYTES) {
      break;
    }
    texts.push(text);
  }
  return `[${texts.join(',')}]`;
}

/** Says how many are not shown. */
export function hiddenNote(count: number, shown: number): Readonly<Record<string, string>> {
  return count > shown ? { note: `${count - shown} older ones are not shown; raise limit` } : {};
}
