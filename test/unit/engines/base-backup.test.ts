/** The parts of a base backup that need no server. */
import { createHash } from 'node:crypto';
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { EngineEntry, EntryFile } from '#engines';
import { HintError } from '#system';
import { BackupManifest } from '../../../lib/engines/postgresql/base-backup/backup-manifest.ts';
import {
  hasValidChecksum,
  readControlFile,
} from '../../../lib/engines/postgresql/base-backup/control-file.ts';
import { includedNames } from '../../../lib/engines/postgresql/base-backup/exclusions.ts';
import { fingerprintOf } from '../../../lib/engines/postgresql/base-backup/fingerprint.ts';
import { HandOut } from '../../../lib/engines/postgresql/base-backup/hand-out.ts';
import {
  findSegment,
  parseLsn,
  segmentsOf,
} from '../../../lib/engines/postgresql/base-backup/wal.ts';
import { walkDataDirectory } from '../../../lib/engines/postgresql/base-backup/walk.ts';

const MIB = 1024 * 1024;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'base-backup-'));
});

afterEach(async () => await rm(directory, { recursive: true, force: true }));

async function codeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    return error instanceof HintError ? error.code : String(error);
  }
  return 'no error';
}

async function walked(): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of walkDataDirectory(directory, Date.now)) {
    paths.push(path);
  }
  return paths;
}

async function make(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(join(directory, path, '..'), { recursive: true });
    await (path.endsWith('/')
      ? mkdir(join(directory, path))
      : writeFile(join(directory, path), path));
  }
}

describe('the walk through a data directory', () => {
  test('goes by the bytes of each component, directories before what is in them', async () => {
    await make(['base/1/10', 'base/1/2', 'base/10/1', 'base-x', 'base/1/é', 'PG_VERSION']);

    expect(await walked()).toEqual([
      'PG_VERSION',
      'base',
      'base/1',
      'base/1/10',
      'base/1/2',
      'base/1/é',
      'base/10',
      'base/10/1',
      'base-x',
    ]);
  });

  test('follows no link, and takes a linked pg_wal for an empty directory', async () => {
    await make(['elsewhere/000000010000000000000001', 'base/1/1']);
    await symlink(join(directory, 'elsewhere'), join(directory, 'pg_wal'));
    await symlink('/etc', join(directory, 'base', 'etc'));
    await symlink('/etc/passwd', join(directory, 'base', '1', '2'));

    const paths = await walked();

    expect(paths).toEqual([
      'base',
      'base/1',
      'base/1/1',
      'elsewhere',
      'elsewhere/000000010000000000000001',
      'pg_wal',
    ]);
  });

  test('passes over what goes meanwhile', async () => {
    await make(['base/1/1', 'base/2/1', 'base/2/2']);
    const paths: string[] = [];

    for await (const { path } of walkDataDirectory(directory, Date.now)) {
      paths.push(path);
      await rm(join(directory, 'base/2'), { recursive: true, force: true });
    }

    expect(paths.filter((path) => path.startsWith('base/2/'))).toEqual([]);
    expect(paths).toContain('base/1/1');
  });

  test('refuses a tablespace and a name nobody can write down', async () => {
    await make(['pg_tblspc/']);
    await symlink('/srv', join(directory, 'pg_tblspc', '16400'));
    expect(await codeOf(walked)).toBe('tablespaces-unsupported');
    await rm(join(directory, 'pg_tblspc'), { recursive: true });
    await writeFile(Buffer.concat([Buffer.from(`${directory}/caf`), Buffer.from([0xe9])]), '');

    expect(await codeOf(walked)).toBe('unsupported-file-name');
  });

  test('leaves out what a server makes anew', async () => {
    await make([
      'postmaster.pid',
      'backup_label.old',
      'pg_notify/0000',
      'pg_wal/000000010000000000000001',
      'base/pgsql_tmp/pgsql_tmp1.0',
      'base/5/pg_internal.init.77',
      'base/5/16384',
      'global/pg_control',
      'global/1262',
      'global/pg_internal.init',
    ]);

    expect(await walked()).toEqual([
      'base',
      'base/5',
      'base/5/16384',
      'global',
      'global/1262',
      'pg_notify',
      'pg_wal',
    ]);
  });
});

describe('exclusions', () => {
  test('of an unlogged relation only the init fork is copied', () => {
    const names = ['7', '7.1', '7_fsm', '7_vm', '7_init', '71', '71_vm', '17'];

    expect(includedNames('base/5', names)).toEqual(['7_init', '71', '71_vm', '17']);
    expect(includedNames('log', names)).toEqual(names);
  });

  test('temporary relations are recognised in databases only', () => {
    const names = ['t3_16400', 't3_16400.2', 't12_16400_fsm', 't3', 'tt3_1', '16400'];

    expect(includedNames('base/5', names)).toEqual(['t3', 'tt3_1', '16400']);
    expect(includedNames('log', names)).toEqual(names);
  });
});

describe('fingerprints', () => {
  const history = { systemIdentifier: '7000000000000000001', timeline: 1 };
  const old = { size: 8192n, mtimeNs: 10n ** 18n, ctimeNs: 10n ** 18n, ino: 7n };
  const soon = 10 ** 12 + 60_000;

  test.each([
    ['size', { ...old, size: 8193n }, history],
    ['time of change', { ...old, mtimeNs: old.mtimeNs + 1n }, history],
    ['time of change of the inode', { ...old, ctimeNs: old.ctimeNs + 1n }, history],
    ['inode', { ...old, ino: 8n }, history],
    ['timeline', old, { ...history, timeline: 2 }],
    ['cluster', old, { ...history, systemIdentifier: '7000000000000000002' }],
  ])('differ by %s', (_, stat, other) => {
    const first = fingerprintOf(old, soon, history);

    expect(first).toBe(fingerprintOf({ ...old }, soon + 1000, history));
    expect(fingerprintOf(stat, soon, other)).toMatch(/^7/);
    expect(fingerprintOf(stat, soon, other)).not.toBe(first);
  });

  test('are not given to files changed within three seconds, or in the future', () => {
    const atMs = 10 ** 12;

    expect(fingerprintOf(old, atMs + 3000, history)).toBeUndefined();
    expect(fingerprintOf(old, atMs + 3001, history)).toBeDefined();
    expect(fingerprintOf(old, atMs - 5000, history)).toBeUndefined();
    expect(
      fingerprintOf({ ...old, ctimeNs: old.ctimeNs + 10n ** 9n }, atMs + 3001, history),
    ).toBeUndefined();
  });
});

describe('files read in place', () => {
  const signal = new AbortController().signal;
  const begun: AsyncGenerator[] = [];

  afterEach(async () => {
    // Closes what was not read to its end.
    await Promise.all(begun.splice(0).map(async (entries) => await entries.return(undefined)));
  });

  async function given(
    isDeferred: boolean,
    rules: Omit<EntryFile, 'path'>,
  ): Promise<EngineEntry[]> {
    const handOut = new HandOut({ owner: 'postgres', isDeferred, signal });
    const path = join(directory, 'file');
    const about = { path: 'base/5/1', mode: 0o600, mtimeMs: 0, size: 6 };
    const entries = handOut.inPlace({ ...about, file: { path, ...rules } }, async () => undefined);
    begun.push(entries);
    const first = await entries.next();
    return first.done === true ? [] : [first.value];
  }

  test.each([true, false])('give exactly their size, deferred: %s', async (isDeferred) => {
    const path = join(directory, 'file');
    await writeFile(path, 'abcdef');
    const grown = await given(isDeferred, { whenShort: 'zeros', whenGone: 'skip' });
    await appendFile(path, 'ghi');
    expect(await contentOf(grown)).toBe('abcdef');
    const padded = await given(isDeferred, { whenShort: 'zeros', whenGone: 'skip' });
    await truncate(path, 2);
    expect(await contentOf(padded)).toBe('ab\0\0\0\0');

    const short = await given(isDeferred, { whenShort: 'fail', whenGone: 'fail' });

    expect(await codeOf(async () => await contentOf(short))).toBe('file-truncated');
  });

  test('that are gone are skipped where they may be, and links are not followed', async () => {
    expect(await given(false, { whenShort: 'zeros', whenGone: 'skip' })).toEqual([]);
    expect(
      await codeOf(async () => await given(false, { whenShort: 'zeros', whenGone: 'fail' })),
    ).toMatch(/ENOENT/);
    const late = await given(true, { whenShort: 'zeros', whenGone: 'skip' });
    expect(await codeOf(async () => await contentOf(late))).toBe('file-gone');
    await symlink('/etc/passwd', join(directory, 'file'));

    expect(
      await codeOf(async () => await given(false, { whenShort: 'zeros', whenGone: 'skip' })),
    ).toMatch(/ELOOP/);
  });
});

describe('the backup manifest', () => {
  const ending = {
    systemIdentifier: '7000000000000000001',
    range: { timeline: 1, startLsn: '0/2000028', endLsn: '0/2000100' },
  };

  test('lists what was read, in the format of the version, with its own checksum', async () => {
    await using manifest = await BackupManifest.begin(directory);
    expect(await readdir(directory)).toEqual([]);
    for (let number = 0; number < 3000; number += 1) {
      await manifest.add(`base/5/${number}`, number, 1_600_000_000_000);
    }
    await manifest.add('a "strange"\nname', 1, 1_600_000_000_999);
    manifest.remove('base/5/0');
    manifest.remove('base/5/2999');

    const finished = await manifest.finish({ ...ending, major: 17 });
    const content = await text(finished.open());
    const parsed = JSON.parse(content.replace(/: (\d{19}),/, ': "$1",')) as Record<string, unknown>;
    const files = parsed['Files'] as Record<string, unknown>[];

    expect(Buffer.byteLength(content)).toBe(finished.size);
    expect(files.length).toBe(2999);
    expect(files[0]).toEqual({
      Path: 'base/5/1',
      Size: 1,
      'Last-Modified': '2020-09-13 12:26:40 GMT',
    });
    expect(files.at(-1)?.['Path']).toBe('a "strange"\nname');
    expect(parsed['System-Identifier']).toBe(ending.systemIdentifier);
    expect(parsed['PostgreSQL-Backup-Manifest-Version']).toBe(2);
    const covered = content.slice(0, content.lastIndexOf('"Manifest-Checksum"'));
    expect(parsed['Manifest-Checksum']).toBe(createHash('sha256').update(covered).digest('hex'));
    expect(covered.endsWith('\n')).toBe(true);
  });

  test('has no system identifier before PostgreSQL 17', async () => {
    await using manifest = await BackupManifest.begin(directory);

    const finished = await manifest.finish({ ...ending, major: 16 });

    expect(JSON.parse(await text(finished.open()))).toMatchObject({
      'PostgreSQL-Backup-Manifest-Version': 1,
      Files: [],
      'WAL-Ranges': [{ Timeline: 1, 'Start-LSN': '0/2000028', 'End-LSN': '0/2000100' }],
    });
  });
});

describe('the control file', () => {
  test('is taken when its checksum fits', async () => {
    const path = join(directory, 'pg_control');
    await writeFile(path, controlFile());

    const { systemIdentifier } = await readControlFile(path, new AbortController().signal);

    expect(crc32c(Buffer.from('123456789'))).toBe(0xe306_9283);
    expect(systemIdentifier).toBe('7000000000000000001');
  });

  test('is not taken with one flipped bit', () => {
    const content = controlFile();
    expect(hasValidChecksum(content)).toBe(true);
    content[100] = 1;

    expect(hasValidChecksum(content)).toBe(false);
    expect(hasValidChecksum(Buffer.alloc(0))).toBe(false);
  });
});

describe('the WAL of a backup', () => {
  const range = { timeline: 3, startLsn: '1/FE000028', endLsn: '2/1000000' };
  const wal = { segmentBytes: 16 * MIB, systemIdentifier: '7000000000000000001', range };

  test('goes from the start up to the segment before the end', () => {
    expect([...segmentsOf(range, 16 * MIB)].map(({ name }) => name)).toEqual([
      '0000000300000001000000FE',
      '0000000300000001000000FF',
      '000000030000000200000000',
    ]);
    expect([...segmentsOf({ ...range, endLsn: '2/1000001' }, 16 * MIB)].at(-1)?.name).toBe(
      '000000030000000200000001',
    );
    expect([...segmentsOf(range, 1024 * MIB)].map(({ name }) => name)).toEqual([
      '000000030000000100000003',
      '000000030000000200000000',
    ]);
  });

  test('is the segment its name says, neither a recycled nor a short one', async () => {
    const wanted = { name: '0000000300000001000000FE', begin: parseLsn('1/FE000000') };
    const needed = { ...wal, directory };
    const header = Buffer.alloc(40);
    header.writeUInt16LE(2, 2);
    header.writeUInt32LE(3, 4);
    header.writeBigUInt64LE(wanted.begin, 8);
    header.writeBigUInt64LE(7_000_000_000_000_000_001n, 24);
    header.writeUInt32LE(16 * MIB, 32);
    const path = join(directory, wanted.name);
    const find = async (): Promise<unknown> => await findSegment(needed, wanted);
    expect(await codeOf(find)).toBe('wal-missing');
    await writeFile(path, header);
    expect(await codeOf(find)).toBe('wal-missing');
    await truncate(path, 16 * MIB);
    expect(await codeOf(find)).toBe('no error');
    header.writeBigUInt64LE(parseLsn('1/EE000000'), 8);
    await writeFile(path, header);
    await truncate(path, 16 * MIB);

    expect(await codeOf(find)).toBe('wal-missing');
  });
});

async function contentOf(entries: readonly EngineEntry[]): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of entries[0]?.open?.() ?? []) {
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = (crc >>> 1) ^ ((crc & 1) * 0x82f6_3b78);
    }
  }
  return ~crc >>> 0;
}

// CRC-32C of "123456789" is e3069283 (RFC 3720, B.4); 288 bytes make the place one that is tried.
function controlFile(): Buffer {
  const content = Buffer.alloc(8192);
  content.writeBigUInt64LE(7_000_000_000_000_000_001n, 0);
  content.writeUInt32LE(crc32c(content.subarray(0, 288)), 288);
  return content;
}
