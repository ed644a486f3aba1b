import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { array, asyncProperty, assert as holds, integer, uint8Array } from 'fast-check';
import { pack } from 'tar-stream';
import type { EngineEntry } from '#engines';
import { HintError } from '#system';
import { readTarEntries } from '../../../lib/engines/postgresql/tar-entries.ts';

const OWNER = { owner: 'postgres', group: 'postgres' };

type Item = { readonly name: string; readonly content?: Uint8Array; readonly link?: string };

async function tarOf(items: readonly Item[]): Promise<Buffer> {
  const archive = pack();
  const bytes = buffer(archive);
  for (const { name, content, link } of items) {
    if (link !== undefined) {
      archive.entry({ name, type: 'symlink', linkname: link });
    } else if (content === undefined) {
      archive.entry({ name, type: 'directory', mode: 0o700 });
    } else {
      archive.entry(
        { name, mode: 0o600, mtime: new Date(1_700_000_000_000) },
        Buffer.from(content),
      );
    }
  }
  archive.finalize();
  return await bytes;
}

function streamOf(tar: Uint8Array, pieceBytes = 1000): Readable {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < tar.length; at += pieceBytes) {
    pieces.push(tar.subarray(at, at + pieceBytes));
  }
  return Readable.from(pieces);
}

async function readAll(tar: Readable): Promise<[EngineEntry, string][]> {
  const seen: [EngineEntry, string][] = [];
  for await (const entry of readTarEntries(tar, OWNER)) {
    const content = entry.open === undefined ? '' : (await buffer(entry.open())).toString('base64');
    seen.push([entry, content]);
  }
  return seen;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof HintError ? error.code : String(error);
  }
  return 'no error';
}

describe('entries of a tar stream', () => {
  test('come with path, mode, time, size and the given owner', async () => {
    const tar = await tarOf([
      { name: './base' },
      { name: 'base/1', content: Buffer.from('rows') },
      { name: 'pg_tblspc/5', link: '/mnt/fast' },
    ]);

    const entries = (await readAll(streamOf(tar))).map(([entry]) => entry);

    expect(entries).toMatchObject([
      { kind: 'directory', path: 'base', mode: 0o700, ...OWNER },
      { kind: 'file', path: 'base/1', mode: 0o600, size: 4, mtimeMs: 1_700_000_000_000 },
      { kind: 'symlink', path: 'pg_tblspc/5', target: '/mnt/fast' },
    ]);
  });

  test('give back every byte, whatever the sizes of files and pieces', async () => {
    const contents = array(uint8Array({ maxLength: 3_000 }), { maxLength: 8 });
    await holds(
      asyncProperty(contents, integer({ min: 1, max: 5_000 }), async (files, piece) => {
        const items = files.map((content, index) => ({ name: `f${index}`, content }));

        const seen = await readAll(streamOf(await tarOf(items), piece));

        expect(seen.map(([entry]) => entry.path)).toEqual(items.map((item) => item.name));
        expect(seen.map(([, content]) => content)).toEqual(
          files.map((content) => Buffer.from(content).toString('base64')),
        );
      }),
      { numRuns: 40 },
    );
  });

  test('an archive cut off inside a file is an error, wherever the cut is', async () => {
    const tar = await tarOf([
      { name: 'a', content: Buffer.alloc(700, 1) },
      { name: 'b', content: Buffer.alloc(5_000, 2) },
    ]);
    for (const length of [100, 513, 1_000, 2_000, 5_000]) {
      expect(await codeOf(readAll(streamOf(tar.subarray(0, length))))).toBe('incomplete-archive');
    }
  });

  test('an error of the stream ends the iteration', async () => {
    const tar = await tarOf([{ name: 'a', content: Buffer.alloc(5_000, 1) }]);
    const broken = Readable.from(
      (async function* () {
        yield tar.subarray(0, 1_000);
        throw new Error('pipe broke');
      })(),
    );

    expect(await codeOf(readAll(broken))).toBe('incomplete-archive');
  });

  test('a file that is skipped, or opened twice, is an error', async () => {
    const tar = await tarOf([
      { name: 'a', content: Buffer.alloc(5_000, 1) },
      { name: 'b', content: Buffer.alloc(5_000, 1) },
    ]);
    const skip = async (): Promise<void> => {
      for await (const entry of readTarEntries(streamOf(tar), OWNER)) {
        expect(entry.path).toBe('a');
      }
    };
    const twice = async (): Promise<void> => {
      for await (const entry of readTarEntries(streamOf(tar), OWNER)) {
        await buffer(entry.open?.() ?? Readable.from([]));
        await buffer(entry.open?.() ?? Readable.from([]));
      }
    };

    expect(await codeOf(skip())).toBe('entry-not-read');
    expect(await codeOf(twice())).toBe('entry-not-read');
  });

  test('an empty file need not be opened', async () => {
    const tar = await tarOf([
      { name: 'empty', content: new Uint8Array() },
      { name: 'after', content: new Uint8Array() },
    ]);
    const paths: string[] = [];
    for await (const entry of readTarEntries(streamOf(tar), OWNER)) {
      paths.push(entry.path);
    }

    expect(paths).toEqual(['empty', 'after']);
  });

  test.each(['../outside', '/etc/passwd', 'a/../../b'])('the path %s is refused', async (name) => {
    const tar = await tarOf([{ name, content: Buffer.from('x') }]);

    expect(await codeOf(readAll(streamOf(tar)))).toBe('unsupported-archive-entry');
  });
});
