import { describe, expect, test } from '@jest/globals';
import { ChunkTable, type PackHandle } from '../../../lib/snapshots/chunk-table.ts';
import { sha256 } from '../../../lib/snapshots/format.ts';
import * as fc from '../../helpers/fast-check.ts';

const idOf = (number: number): Buffer => Buffer.from(sha256(Buffer.from(String(number))), 'hex');
const locationOf = (number: number, pack: PackHandle) =>
  ({ pack, at: number * 3, stored: number + 1, as: number % 2 === 0 ? 'raw' : 'zstd' }) as const;

describe('the table of known chunks', () => {
  test('finds what was added, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 500 })), (numbers) => {
        const table = new ChunkTable();
        const pack = { id: 'p', size: 1 };
        for (const number of numbers) {
          table.add(idOf(number), locationOf(number, pack));
        }
        const added = new Set(numbers);
        expect(table.size).toBe(added.size);
        for (let number = 0; number <= 500; number += 1) {
          expect(table.find(idOf(number))).toEqual(
            added.has(number) ? { ...locationOf(number, pack), used: false } : undefined,
          );
        }
      }),
      { numRuns: 20 },
    );
  });

  test('keeps the first location, and remembers use', () => {
    const table = new ChunkTable();
    const [first, second] = [
      { id: 'a', size: 1 },
      { id: 'b', size: 1 },
    ];
    table.add(idOf(1), locationOf(1, first));
    table.add(idOf(1), locationOf(1, second));
    table.markUsed(idOf(1));
    expect(table.find(idOf(1))).toMatchObject({ pack: first, used: true });
  });

  test('grows over pages and slots without losing anything', () => {
    const table = new ChunkTable();
    const pack = { id: 'p', size: 1 };
    const count = 40_000;
    for (let number = 0; number < count; number += 1) {
      table.add(idOf(number), locationOf(number, pack));
    }
    for (let number = 0; number < count; number += 1) {
      expect(table.find(idOf(number))?.at).toBe(number * 3);
    }
  });

  test('beyond its capacity it learns nothing, and forgets nothing', () => {
    const table = new ChunkTable(2);
    const pack = { id: 'p', size: 1 };
    for (const number of [1, 2, 3]) {
      table.add(idOf(number), locationOf(number, pack));
    }
    expect([1, 2, 3].map((number) => table.find(idOf(number)) !== undefined)).toEqual([
      true,
      true,
      false,
    ]);
  });
});
