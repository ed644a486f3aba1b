/** Upkeep by real processes beside the charm, on a real S3 server. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createS3ObjectStore, parseS3Options, type S3ObjectStore } from '#object-store';
import { createS3Server, type S3Server } from '#sandbox';
import { artefactPathFor, chunkPrefixFor, listSnapshots, writeSnapshot } from '#snapshots';
import { isProcessAlive } from '#system';
import { LocalUpkeep } from '../../../charms/backup-manager/src/upkeep/local-upkeep.ts';
import type { UpkeepRecord } from '../../../charms/backup-manager/src/upkeep/upkeep.ts';
import { Gate } from '../../helpers/gate.ts';

const MEGABYTE = 1024 * 1024;
let root: string;
let server: S3Server;
let store: S3ObjectStore;
let upkeep: LocalUpkeep;
/** While it is shut nothing is read. */
const gate = new Gate();

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'upkeep-'));
  server = await createS3Server({
    directory: join(root, 's3'),
    accessKey: 'the-access-key',
    secretKey: 'SK-PLANTED',
    buckets: ['backups'],
    faults: ({ operation }) => (operation === 'GetObject' ? gate.pass() : undefined),
  });
  store = createS3ObjectStore(parseS3Options(config()));
  // Juju's own tool, which tells what it was asked.
  await mkdir(join(root, 'bin'));
  await writeFile(join(root, 'bin', 'juju-exec'), `#!/bin/sh\necho "$*" >> ${root}/told\n`);
  await chmod(join(root, 'bin', 'juju-exec'), 0o755);
});

afterAll(async () => {
  store.close();
  await server.close();
  await rm(root, { recursive: true, force: true });
});

const { PATH } = process.env;

beforeEach(() => {
  gate.open();
  process.env['PATH'] = `${join(root, 'bin')}:${PATH}`;
  upkeep = new LocalUpkeep(
    {
      unitName: 'backup-manager/0',
      modelUuid: 'uuid-1',
      charmDir: join(root, 'charm'),
      eventName: 'upkeep-changed',
    },
    join(root, 'state'),
  );
});

afterEach(async () => {
  process.env['PATH'] = PATH;
  await upkeep.remove();
});

function config() {
  return {
    bucket: 'backups',
    'access-key': 'the-access-key',
    'secret-key': 'SK-PLANTED',
    endpoint: server.endpoint,
  };
}

async function backUp(app: string, day: string, modelUuid = 'uuid-1'): Promise<string> {
  const location = { model: 'shop', app };
  const time = new Date(`2026-11-${day}T02:00:00Z`);
  const artefactPath = artefactPathFor({ ...location, jobId: `job-${modelUuid}-${day}`, time });
  await writeSnapshot({
    store,
    artefactPath,
    chunkPrefix: chunkPrefixFor(location),
    entries: (async function* () {
      yield {
        kind: 'stream' as const,
        path: 'dump',
        open: async function* () {
          yield Buffer.alloc(MEGABYTE, `${app} ${day} `);
        },
      };
    })(),
    compression: false,
    attributes: { application: app, 'model-uuid': modelUuid },
    clock: { now: () => time, sleep: async () => undefined },
  });
  return artefactPath;
}

async function ended(id: string): Promise<UpkeepRecord> {
  return await recordThat(id, ({ state }) => state !== 'running');
}

/** The record once the process has said who it is. */
async function withProcess(id: string): Promise<UpkeepRecord> {
  return await recordThat(id, (record) => record.process !== undefined);
}

async function recordThat(
  id: string,
  isWanted: (record: UpkeepRecord) => boolean,
): Promise<UpkeepRecord> {
  let found: UpkeepRecord | undefined;
  await until(`upkeep ${id} has come so far`, async () => {
    found = (await upkeep.records(new Date())).find((one) => one.id === id);
    return found !== undefined && isWanted(found);
  });
  if (found === undefined) {
    throw new Error(`there is no upkeep ${id}`);
  }
  return found;
}

function access() {
  return { config: config(), passphrases: undefined };
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 40_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) {
      throw new Error(`waited in vain until ${what}`);
    }
    await sleep(50);
  }
}

describe('verification of a whole backup', () => {
  test('leaves a mark and a record, and tells the charm', async () => {
    const artefactPath = await backUp('db', '01');
    const task = { kind: 'verify', subject: artefactPath, artefactPath } as const;
    const { id } = await upkeep.start(task, access(), new Date());
    expect(await ended(id)).toMatchObject({
      state: 'success',
      message: expect.stringContaining('all of it can be restored: 768 KiB'),
      proofs: [{ artefactPath }],
    });
    const { snapshots } = await listSnapshots(store, artefactPath);
    expect(snapshots[0]?.marks.verifiedAt).toBeDefined();
    await until('the charm is told', async () => {
      const told = await readFile(join(root, 'told'), 'utf8').catch(() => '');
      return told.includes('hooks/upkeep-changed');
    });
  });

  test('that finds damage says what is damaged, and leaves a mark', async () => {
    const artefactPath = await backUp('damaged', '01');
    for await (const { key } of store.list('shop/damaged/chunks/')) {
      const data = await store.get(key);
      data[100] = (data[100] ?? 0) ^ 1;
      await store.put(key, data);
    }
    const task = { kind: 'verify', subject: artefactPath, artefactPath } as const;
    const { id } = await upkeep.start(task, access(), new Date());
    expect(await ended(id)).toMatchObject({
      state: 'error',
      errorCode: 'damaged',
      message: expect.stringContaining('chunks'),
    });
    const { snapshots } = await listSnapshots(store, artefactPath);
    expect(snapshots[0]?.marks.damagedAt).toBeDefined();
  });

  test('runs once for each backup, can be cancelled, and holds no key on disk or in arguments', async () => {
    const artefactPath = await backUp('slow', '01');
    gate.shut();
    const task = { kind: 'verify', subject: artefactPath, artefactPath } as const;
    const { id } = await upkeep.start(task, access(), new Date());
    await expect(upkeep.start(task, access(), new Date())).rejects.toMatchObject({ code: 'busy' });
    const running = await withProcess(id);
    const { pid = 0 } = running.process ?? {};
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8');
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
    expect(`${commandLine}${environment}${await everythingBelow(join(root, 'state'))}`).not.toMatch(
      /PLANTED|the-access-key/,
    );
    upkeep.cancel(running);
    expect(await ended(id)).toMatchObject({ state: 'error', errorCode: 'cancelled' });
  });

  test('whose process is killed ends as lost', async () => {
    const artefactPath = await backUp('killed', '01');
    gate.shut();
    const task = { kind: 'verify', subject: artefactPath, artefactPath } as const;
    const { id } = await upkeep.start(task, access(), new Date());
    const { process: identity } = await withProcess(id);
    process.kill(identity?.pid ?? 0, 'SIGKILL');
    expect(await ended(id)).toMatchObject({ state: 'error', errorCode: 'lost' });
  });

  test('ends with the unit', async () => {
    const artefactPath = await backUp('leaving', '01');
    gate.shut();
    const task = { kind: 'verify', subject: artefactPath, artefactPath } as const;
    const { id } = await upkeep.start(task, access(), new Date());
    const { process: identity } = await withProcess(id);
    await upkeep.remove();
    await until('its process has ended', () => identity !== undefined && !isProcessAlive(identity));
    expect(await readdir(join(root, 'state'))).toEqual([]);
  });
});

describe('retention', () => {
  test('deletes what no rule keeps, and touches nothing of a model of the same name', async () => {
    const old = await backUp('kept', '01', 'uuid-old');
    const [first, second, third] = [
      await backUp('kept', '02'),
      await backUp('kept', '03'),
      await backUp('kept', '04'),
    ];
    const target = { database: 'kept', prefix: 'shop/kept/', anchor: third.slice(0, -1) };
    const { id } = await upkeep.start(
      { kind: 'retention', subject: 'kept', rules: 'last=2', targets: [target], sweeps: true },
      access(),
      new Date(),
    );
    const record = await ended(id);
    expect(record).toMatchObject({ state: 'success' });
    expect(record.message).toContain('kept: 2 kept, 1 deleted; removed 0 B');
    const { snapshots, deleted } = await listSnapshots(store, 'shop/kept');
    expect(snapshots.map((one) => one.artefactPath)).toEqual([old, second, third]);
    expect(deleted).toMatchObject([{ artefactPath: first }]);
  });

  test('in a bucket without the last backup decides nothing', async () => {
    await backUp('moved', '02');
    await backUp('moved', '03');
    const target = { database: 'moved', prefix: 'shop/moved/', anchor: 'shop/moved/backups/none' };
    const { id } = await upkeep.start(
      { kind: 'retention', subject: 'moved', rules: 'last=1', targets: [target], sweeps: true },
      access(),
      new Date(),
    );
    expect((await ended(id)).message).toContain('so nothing was decided');
    const { snapshots } = await listSnapshots(store, 'shop/moved');
    expect(snapshots).toHaveLength(2);
  });
});

test('a storage that refuses is a record with a hint', async () => {
  const wrong = { ...config(), 'secret-key': 'wrong' };
  const { id } = await upkeep.start(
    { kind: 'sweep', subject: 'db', prefixes: ['shop/db/'], isDryRun: true },
    { config: wrong, passphrases: undefined },
    new Date(),
  );
  expect(await ended(id)).toMatchObject({
    state: 'error',
    errorCode: 'wrong-credentials',
    hint: expect.any(String),
  });
});

async function everythingBelow(directory: string): Promise<string> {
  const items = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = items.filter((item) => item.isFile());
  const texts = files.map(async (file) => await readFile(join(file.parentPath, file.name), 'utf8'));
  return (await Promise.all(texts)).join('\n');
}
