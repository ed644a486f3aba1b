import { describe, expect, test } from '@jest/globals';
import { PathRegistry } from '../../../lib/snapshots/safe-path.ts';

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
});
