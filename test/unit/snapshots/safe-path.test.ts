import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { EntryKind } from '#snapshots';
import { PathRegistry } from '../../../lib/snapshots/safe-path.ts';

function isAccepted(registry: PathRegistry, path: string, kind: EntryKind): boolean {
  try {
    registry.add(path, kind);
    return true;
  } catch {
    return false;
  }
}

describe('paths of entries', () => {
  test.each([
    '/etc/passwd',
    '../up',
    'a/../../up',
    'a/./b',
    'a//b',
    'a/',
    '',
    '..',
    'nul\0',
    '\ud800',
    'x'.repeat(256),
    'd/'.repeat(2100) + 'f',
  ])('%j is refused', (path) => {
    expect(() => new PathRegistry().add(path, 'file')).toThrow('cannot use entry');
  });

  test('odd but honest names pass', () => {
    const paths = new PathRegistry();
    for (const path of ['...', '..a', 'a b', 'ü', '-rf', '~', 'c:\\x', 'x\ny']) {
      expect(() => paths.add(path, 'file')).not.toThrow();
    }
  });

  test('the top is a directory', () => {
    new PathRegistry().add('.', 'directory');
    expect(() => new PathRegistry().add('.', 'file')).toThrow('only a directory');
  });

  test('a path occurs once, also under another kind', () => {
    const paths = new PathRegistry();
    paths.add('a', 'file');
    for (const kind of ['file', 'directory', 'symlink', 'stream'] as const) {
      expect(() => paths.add('a', kind)).toThrow('another entry');
    }
  });

  test('nothing lies below a file or a symlink', () => {
    const paths = new PathRegistry();
    paths.add('link', 'symlink');
    paths.add('dir/file', 'file');
    expect(() => paths.add('link/passwd', 'file')).toThrow('no directory');
    expect(() => paths.add('link/x/y', 'directory')).toThrow('no directory');
    expect(() => paths.add('dir/file/x', 'file')).toThrow('no directory');
  });

  test('an implied directory may be listed later, once, and only as a directory', () => {
    const paths = new PathRegistry();
    paths.add('a/b/c', 'file');
    expect(() => paths.add('a/b', 'symlink')).toThrow('another entry');
    paths.add('a/b', 'directory');
    expect(() => paths.add('a/b', 'directory')).toThrow('another entry');
  });

  test('are judged as by somebody who remembers each of them', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
    const entry = fc.record({
      path,
      kind: fc.constantFrom<EntryKind[]>('file', 'directory', 'symlink'),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), (entries) => {
        const registry = new PathRegistry();
        const kinds = new Map<string, string>();
        for (const { path: one, kind } of entries) {
          const above = one
            .split('/')
            .slice(1)
            .map((_, index) =>
              one
                .split('/')
                .slice(0, index + 1)
                .join('/'),
            );
          const isBelowLeaf = above.some(
            (it) => !['implied', 'directory', undefined].includes(kinds.get(it)),
          );
          const known = kinds.get(one);
          const isFree = known === undefined || (known === 'implied' && kind === 'directory');
          const isAllowed = !isBelowLeaf && isFree;
          expect(isAccepted(registry, one, kind)).toBe(isAllowed);
          for (const it of isAllowed ? above : []) {
            kinds.set(it, kinds.get(it) ?? 'implied');
          }
          if (isAllowed) {
            kinds.set(one, kind);
          }
        }
      }),
    );
  });

  test('are remembered however many there are', () => {
    const paths = new PathRegistry();
    const all = Array.from({ length: 20_000 }, (_, index) => `d${index % 7}/${index}`);
    for (const path of all) {
      paths.add(path, 'file');
    }
    for (const path of all.filter((_, index) => index % 101 === 0)) {
      expect(() => paths.add(path, 'file')).toThrow('another entry');
    }
    paths.add('d1', 'directory');
    expect(() => paths.add('d1/8/x', 'file')).toThrow('"d1/8" above it is no directory');
  });
});
