/** Encrypted snapshots: nothing to be read in the bucket, nothing to be forged, keys that can be changed and rescued. */
import { execFileSync } from 'node:child_process';
import { createHash, hkdfSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { createMemoryObjectStore, type ObjectStore } from '#object-store';
import {
  changePassphrase,
  deleteSnapshot,
  ensureKey,
  type KeyRing,
  keysFor,
  listSnapshots,
  openKeyRing,
  openSnapshot,
  parseRecoveryKit,
  type RepositoryKey,
  recoveryKit,
  rotateKey,
  sweep,
  undeleteSnapshot,
  verifySnapshot,
} from '#snapshots';
import {
  aClock,
  allKeys,
  aSnapshot,
  aTree,
  CHUNK_PREFIX,
  readAll,
  someBytes,
} from '../../helpers/snapshots.ts';

const PASSPHRASE = 'correct horse battery staple';
const APP = 'some/path/prod/db/';

interface Repository {
  readonly store: ObjectStore;
  readonly place: { readonly store: ObjectStore; readonly chunkPrefix: string };
  readonly ring: KeyRing;
  readonly key: RepositoryKey;
  readonly artefactPath: string;
}

async function aRepository(store = createMemoryObjectStore()): Promise<Repository> {
  const place = { store, chunkPrefix: CHUNK_PREFIX };
  const { ring, current: key } = await ensureKey(place, PASSPHRASE, aClock());
  const { artefactPath } = await aSnapshot({ store, key });
  return { store, place, ring, key, artefactPath };
}

async function copyOf(store: ObjectStore): Promise<ObjectStore> {
  const copy = createMemoryObjectStore();
  for (const key of await allKeys(store)) {
    await copy.put(key, await store.get(key));
  }
  return copy;
}

let made: Repository;
beforeAll(async () => {
  made = await aRepository();
});

describe('an encrypted snapshot', () => {
  test('comes back with its key, byte for byte', async () => {
    const { store, artefactPath, ring } = made;
    const snapshot = await openSnapshot(store, artefactPath, { keys: ring });
    expect(await snapshot.verify()).toMatchObject({ files: 8 });
    for (const { path, content, kind } of aTree()) {
      const isFile = kind === 'file' || kind === 'stream';
      const back = isFile ? await readAll(snapshot.read(path)) : Buffer.alloc(0);
      expect(back.equals(content ?? Buffer.alloc(0))).toBe(true);
    }
  });

  test('shows neither content nor names nor plain hashes in the bucket', async () => {
    const { store } = made;
    const plain = aTree().flatMap(({ path, content = Buffer.alloc(0) }) => [
      ...(path.length > 8 ? [Buffer.from(path)] : []),
      ...(content.length > 64 ? [Buffer.from(content.subarray(0, 32))] : []),
      createHash('sha256').update(content.subarray(0, 262_144)).digest(),
      Buffer.from(createHash('sha256').update(content.subarray(0, 262_144)).digest('hex')),
    ]);
    const zeros = Buffer.alloc(32);
    for (const key of await allKeys(store)) {
      const data = Buffer.from(await store.get(key));
      const found = plain.filter((it) => !it.equals(zeros) && data.includes(it));
      expect(found).toEqual([]);
    }
  });

  test('without the key it is listed, and refused for reading', async () => {
    const { store, artefactPath, key } = made;
    const { snapshots } = await listSnapshots(store, '');
    expect(snapshots[0]?.manifest.keyId).toBe(key.keyId);
    await expect(openSnapshot(store, artefactPath)).rejects.toMatchObject({ code: 'key-needed' });
    const other = await aRepository();
    await expect(openSnapshot(store, artefactPath, { keys: other.ring })).rejects.toMatchObject({
      code: 'wrong-key',
      message: expect.stringContaining(key.keyId),
    });
  });

  test('a second one shares what did not change, one with another key nothing', async () => {
    const { store, key, place } = await aRepository();
    const second = await aSnapshot({ store, key, jobId: 'job-2' });
    expect(second.newBytes).toBeLessThan(6000);
    const rotated = await rotateKey(place, PASSPHRASE, aClock(new Date('2027-01-01T00:00:00Z')));
    const third = await aSnapshot({ store, key: rotated, jobId: 'job-3' });
    expect(third.newBytes).toBeGreaterThan(1_000_000);
    // One passphrase opens both, and new backups use the new key.
    const { ring, current } = await ensureKey(place, PASSPHRASE, aClock());
    expect([...ring.keys()].toSorted()).toEqual([key.keyId, rotated.keyId].toSorted());
    expect(current.keyId).toBe(rotated.keyId);
    for (const path of [second.artefactPath, third.artefactPath]) {
      await (await openSnapshot(store, path, { keys: ring })).verify();
    }
    const plain = await aSnapshot({ store, jobId: 'job-4' });
    expect(plain.newBytes).toBeGreaterThan(1_000_000);
  });

  test('without compression, too', async () => {
    const { store, key, ring } = await aRepository();
    const entries = [{ kind: 'file' as const, path: 'f', content: someBytes(600_000, 9) }];
    const raw = await aSnapshot({ store, key, entries, compression: false, jobId: 'job-2' });
    const snapshot = await openSnapshot(store, raw.artefactPath, { keys: ring });
    expect((await readAll(snapshot.read('f'))).equals(someBytes(600_000, 9))).toBe(true);
  });

  test('a flipped bit in any object is found', async () => {
    const { store, artefactPath, ring } = made;
    const objects = (await allKeys(store)).filter(
      (key) => !key.endsWith('started.json') && !key.includes('/keys/'),
    );
    for (const key of objects) {
      const data = await store.get(key);
      for (const at of [0, data.length >> 1, data.length - 1]) {
        const copy = await copyOf(store);
        const spoilt = Buffer.from(data);
        spoilt[at] = (spoilt[at] ?? 0) ^ 1;
        await copy.put(key, spoilt);
        await expect(
          verifySnapshot(copy, artefactPath, { level: 'full', keys: ring }),
        ).rejects.toMatchObject({ artefactPath });
      }
    }
  });

  test('a manifest that somebody without the key wrote is refused, though its checksum is right', async () => {
    const { store, artefactPath, ring } = made;
    const copy = await copyOf(store);
    const key = `${artefactPath}manifest.json`;
    const text = Buffer.from(await copy.get(key))
      .toString('utf8')
      .replace('"test"', '"evil"');
    const body = text.slice(0, -83);
    const seal = createHash('sha256').update(body).digest('hex');
    await copy.put(key, Buffer.from(`${body},\n  "sha256": "${seal}"\n}\n`));

    await expect(openSnapshot(copy, artefactPath, { keys: ring })).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringContaining('was not written with its key'),
    });
  });

  test('is deleted without the key, and swept and brought back only with it', async () => {
    const { store, artefactPath, ring } = await aRepository();
    await deleteSnapshot(store, artefactPath);
    await expect(undeleteSnapshot(store, artefactPath)).rejects.toMatchObject({
      code: 'key-needed',
    });
    await expect(sweep(store, APP)).rejects.toMatchObject({
      code: 'key-needed',
      hint: expect.stringContaining('nothing was removed'),
    });
    await undeleteSnapshot(store, artefactPath, { keys: ring });
    expect(await sweep(store, APP, { keys: ring })).toMatchObject({ snapshots: 1 });
  });
});

describe('keys in the bucket', () => {
  test('open with the passphrase only', async () => {
    const { place, key } = made;
    expect([...(await openKeyRing(place, PASSPHRASE)).keys()]).toEqual([key.keyId]);
    await expect(openKeyRing(place, 'another passphrase')).rejects.toMatchObject({
      code: 'wrong-key',
    });
    await expect(ensureKey(place, 'another passphrase')).rejects.toMatchObject({
      code: 'wrong-key',
    });
  });

  test('a passphrase that is too short is refused, and leaves nothing', async () => {
    const store = createMemoryObjectStore();
    const place = { store, chunkPrefix: CHUNK_PREFIX };
    await expect(ensureKey(place, 'short')).rejects.toMatchObject({ code: 'weak-key' });
    expect(await allKeys(store)).toEqual([]);
  });

  test('a changed passphrase opens the old backups, and the old one nothing any more', async () => {
    const { store, place, artefactPath } = await aRepository();
    await changePassphrase(place, { from: PASSPHRASE, to: 'a quite new passphrase' });
    const keys = await openKeyRing(place, 'a quite new passphrase');
    await (await openSnapshot(store, artefactPath, { keys })).verify();
    await expect(openKeyRing(place, PASSPHRASE)).rejects.toMatchObject({ code: 'wrong-key' });
  });

  test('the recovery kit opens the backups when every key in the bucket is lost', async () => {
    const { store, artefactPath, ring } = await aRepository();
    const kit = recoveryKit(ring.values(), { storage: store.description, applicationPrefix: APP });
    await store.delete(await allKeys(store, `${APP}keys/`));
    const keys = parseRecoveryKit(kit);
    await (await openSnapshot(store, artefactPath, { keys })).verify();

    const [line = ''] = /^key .*$/m.exec(kit) ?? [];
    const digit = line.at(-1) === '0' ? '1' : '0';
    expect(() => parseRecoveryKit(kit.replace(line, `${line.slice(0, -1)}${digit}`))).toThrow(
      'was not copied exactly',
    );
    expect(() => parseRecoveryKit('nothing')).toThrow('it holds no line');
  });
});

test('a chunk that would not come back is noticed before it is believed', async () => {
  const key = made.key;
  const broken: RepositoryKey = {
    keyId: key.keyId,
    overhead: key.overhead,
    chunkIds: key.chunkIds,
    withChunkIds: () => broken,
    name: (data) => key.name(data),
    seal: (data, context) => {
      const sealed = key.seal(data, context);
      sealed[20] = (sealed[20] ?? 0) ^ 1;
      return sealed;
    },
    unseal: (data, context) => key.unseal(data, context),
    mac: (data) => key.mac(data),
    exportSecret: () => key.exportSecret(),
  };
  const store = createMemoryObjectStore();
  await expect(aSnapshot({ store, key: broken, recheckEvery: 1 })).rejects.toMatchObject({
    code: 'damaged',
    message: expect.stringContaining('did not come back the same'),
  });
  expect((await listSnapshots(store, '')).snapshots).toEqual([]);
});

test('a chunk can be decrypted by hand, as FORMAT.md says', async () => {
  const { store, artefactPath, key } = made;
  const directory = await mkdtemp(join(tmpdir(), 'by-hand-'));
  const manifest = JSON.parse(
    Buffer.from(await store.get(`${artefactPath}manifest.json`)).toString('utf8'),
  );
  const part = manifest.index[0].object;
  await writeFile(join(directory, 'part'), await store.get(`${artefactPath}${part}`));
  const secret = key.exportSecret();
  const info = 'juju-database-backup/v1/content';
  const content = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), info, 32));
  const script = `
    nonce=$(head -c 12 part | od -An -tx1 | tr -d ' \\n')
    tail -c +13 part | head -c -16 | openssl enc -d -aes-256-ctr -K ${content.toString('hex')} -iv "$nonce"00000002 > part.zst
  `;
  execFileSync('sh', ['-ec', script], { cwd: directory });
  const { zstdDecompressSync } = await import('node:zlib');
  const text = zstdDecompressSync(await readFile(join(directory, 'part.zst'))).toString('utf8');
  expect(text).toContain('"path":"base/tiny"');
  await rm(directory, { recursive: true });
});

describe('two passphrases, while one is being changed', () => {
  const NEW = 'quite another passphrase';

  test('both open, and the change can be repeated and is told', async () => {
    const { place, store, artefactPath, key } = await aRepository();
    await expect(ensureKey(place, NEW)).rejects.toMatchObject({ code: 'wrong-key' });
    expect((await ensureKey(place, [NEW, PASSPHRASE])).current.keyId).toBe(key.keyId);
    await rotateKey(place, [NEW, PASSPHRASE]);
    // The new key is wrapped with the first passphrase already.
    expect(await changePassphrase(place, { from: PASSPHRASE, to: NEW })).toBe(1);
    expect(await changePassphrase(place, { from: PASSPHRASE, to: NEW })).toBe(0);
    expect((await openKeyRing(place, NEW)).size).toBe(2);
    await expect(openKeyRing(place, PASSPHRASE)).rejects.toMatchObject({ code: 'wrong-key' });
    const keys = await keysFor(store, artefactPath, [NEW]);
    await expect(
      verifySnapshot(store, artefactPath, { level: 'full', keys }),
    ).resolves.toBeDefined();
  });

  test('a change that broke off between its writes and its deletes is completed', async () => {
    const { place, store } = await aRepository();
    const before = await allKeys(store);
    const wrapped = await copyOf(store);
    await changePassphrase(place, { from: PASSPHRASE, to: NEW });
    for (const key of before.filter((name) => name.includes('/keys/'))) {
      await store.put(key, await wrapped.get(key));
    }
    expect(await changePassphrase(place, { from: PASSPHRASE, to: NEW })).toBe(0);
    expect((await allKeys(store)).filter((name) => name.includes('/keys/'))).toHaveLength(1);
    expect((await openKeyRing(place, NEW)).size).toBe(1);
  });
});

describe('the keys for one snapshot', () => {
  test('are none where it is not encrypted, whatever the passphrase', async () => {
    const { artefactPath, store } = await aSnapshot();
    expect(await keysFor(store, artefactPath, ['any at all, as it is'])).toBeUndefined();
  });

  test('cannot be had without a passphrase or with another one', async () => {
    const { store, artefactPath } = await aRepository();
    await expect(keysFor(store, artefactPath, undefined)).rejects.toMatchObject({
      code: 'key-needed',
    });
    await expect(keysFor(store, artefactPath, ['another passphrase'])).rejects.toMatchObject({
      code: 'wrong-key',
    });
  });
});
