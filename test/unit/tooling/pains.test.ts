/** docs/pains.md names a proof for each of its answers: each must be there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { projectRoot } from '#tooling';

const text = readFileSync(join(projectRoot, 'docs', 'pains.md'), 'utf8');
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  .filter(([first = '']) => !/^-*$/.test(first) && first !== '#' && first !== 'Promise');

/** File → the names of its tests a cell gives. */
function proofsIn(cell: string): readonly (readonly [file: string, name: string])[] {
  return [...cell.matchAll(/`(test\/[^`]+\.test\.ts)`: ((?:"[^"]+"(?:, )?)+)/g)].flatMap(
    ([, file = '', names = '']) =>
      [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => [file, name] as const),
  );
}

test('there are twenty-five complaints and ten promises, numbered, each with a state and a proof', () => {
  const complaints = rows.filter((row) => row.length === 5);
  expect(complaints.map(([number]) => Number(number))).toEqual(
    Array.from({ length: 25 }, (_, index) => index + 1),
  );
  expect(rows.filter((row) => row.length === 3)).toHaveLength(10);
  for (const row of rows) {
    expect(row.at(-2)).toMatch(/^(solved|partly|not yet)$/);
    expect([row[1], proofsIn(row.at(-1) ?? '').length > 0]).toEqual([row[1], true]);
  }
});

describe('the tests it names are there', () => {
  const proofs = rows.flatMap((row) => proofsIn(row.at(-1) ?? ''));

  test.each(proofs)('%s: %s', (file, name) => {
    const path = join(projectRoot, file);
    expect([file, existsSync(path)]).toEqual([file, true]);
    const source = readFileSync(path, 'utf8');
    const quoted = [`'${name.replaceAll("'", "\\'")}'`, `\`${name}\``];
    expect([name, quoted.some((one) => source.includes(one))]).toEqual([name, true]);
  });
});
