/** The passphrase of the backups on its way to the databases, and the actions about keys. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Job } from '#database-backup';
import { type State, secret } from '#ops/testing';
import { parseHistory } from '../../../charms/backup-manager/src/history.ts';
import { anEntry, artefact } from './makers.ts';
import {
  asked,
  type Content,
  DB,
  KEY,
  KNOWS_ALL,
  KNOWS_SECRETS,
  OTHER,
  OWN_SECRET,
  type PassphraseScene,
  PassphraseStage,
  PEERS,
  refreshed,
  scene,
  shared,
} from './passphrase-stage.ts';

const PASSPHRASE = 'PLANTED-passphrase-of-backups';
const OLD = 'PLANTED-passphrase-of-yesterday';

let stage: PassphraseStage;

beforeEach(() => {
  stage = new PassphraseStage();
});

async function afterBackup(content: Content) {
  return await stage.act('create-backup', {}, scene({ content }));
}

describe('a backup', () => {
  test('refers to a secret with the passphrase, granted to the database, apart from the S3 keys', async () => {
    const after = await stage.act(
      'create-backup',
      {},
      scene({ content: { passphrase: `${PASSPHRASE}\n` } }),
    );
    expect(stage.failure).toBeUndefined();
    const own = shared(after);
    expect(own).toMatchObject({
      owner: 'application',
      latestContent: { passphrase: PASSPHRASE },
      grants: { [DB]: ['db'] },
    });
    const [job] = asked(after);
    expect(job?.encryption).toBe(own?.id);
    expect(job?.storageConfig['access-key']).not.toBe(own?.id);
    expect(stage.open(after)).not.toContain('PLANTED');
  });

  test('is not encrypted where nobody asked for it', async () => {
    const after = await stage.act('create-backup', {}, scene());
    expect(asked(after)[0]?.encryption).toBeUndefined();
    expect(shared(after)).toBeUndefined();
  });

  test('is refused, and none made in plain, where one database does not know encryption', async () => {
    const before = scene({ content: { passphrase: PASSPHRASE }, other: KNOWS_SECRETS });
    const after = await stage.act('create-backup', {}, before);
    expect(stage.failure).toContain('db2 does not know encryption');
    expect(asked(after)).toEqual([]);
    const named = await stage.act('create-backup', { database: 'db' }, before);
    expect(asked(named)).toMatchObject([{ encryption: expect.stringMatching(/^secret:/) }]);
  });

  test.each<[string, PassphraseScene['content'], string]>([
    ['not granted', 'not granted', 'not granted to this charm; run: juju grant-secret'],
    ['empty', { other: 'x' }, 'has no passphrase'],
    ['too short', { passphrase: 'PLANTED' }, 'too short; run: juju update-secret'],
  ])('is refused where the secret is %s, and the status says so', async (_, content, words) => {
    const before = scene({ content });
    const after = await stage.act('create-backup', {}, before);
    expect(stage.failure).toContain(words);
    expect(asked(after)).toEqual([]);
    const told = await stage.configChanged(before);
    expect(told.unitStatus.name).toBe('blocked');
    expect(told.unitStatus.message).toContain(words);
    expect(stage.open(told)).not.toContain('PLANTED');
  });

  test('that comes back in plain although it was to be encrypted is an error', async () => {
    const job: Job = {
      jobId: 'job-1',
      jobType: 'backup',
      compression: true,
      storageConfig: { bucket: 'b', 'access-key': OWN_SECRET, 'secret-key': OWN_SECRET },
      encryption: OWN_SECRET,
    };
    const status = {
      'job-id': 'job-1',
      'job-type': 'backup',
      'storage-interface': 's3',
      'storage-config': { bucket: 'b', 'access-key': '', 'secret-key': '' },
      status: 'success',
      'artefact-path': 'shop/db/backups/x/',
    };
    const outcomes: unknown[] = [];
    for (const said of [status, { ...status, 'key-id': KEY }]) {
      const before = scene({ requested: [job], said, history: [anEntry({ isEncrypted: true })] });
      const after = await stage.context.run(
        stage.context.on.relationChanged(before.getRelation(DB)),
        before,
      );
      outcomes.push(parseHistory(after.getRelation(PEERS).localAppData['history'])[0]);
    }
    expect(outcomes).toMatchObject([
      { state: 'error', errorCode: 'not-encrypted' },
      { state: 'success', keyId: KEY },
    ]);
  });

  test('goes by the options; what cannot be used is named with the allowed form', async () => {
    const good = scene({ config: { 'compression-level': 7, recheck: 'full' } });
    expect(asked(await stage.act('create-backup', {}, good))).toMatchObject([
      { compressionLevel: 7, recheck: 'full' },
    ]);
    const statuses: string[] = [];
    for (const config of [
      { 'compression-level': 20 },
      { recheck: 'none' },
      { 'network-limit': 'much' },
      { 'storage-class': 'NO SUCH' },
      { 'storage-class': 'GLACIER' },
    ]) {
      const told = await stage.configChanged(scene({ config }));
      statuses.push(`${told.unitStatus.name}: ${told.unitStatus.message}`);
    }
    expect(statuses).toEqual([
      expect.stringMatching(/^blocked: compression-level must be a whole number from 1 to 19.*20/),
      expect.stringMatching(/^blocked: recheck must be sample or full/),
      expect.stringMatching(/^blocked: .*"much".*such as 500K, 20M/),
      expect.stringMatching(/^blocked: .*storage-class must be the name of one/),
      expect.stringMatching(
        /^blocked: .*storage-class must be one whose objects can be read at once/,
      ),
    ]);
  });
});

describe('the shared passphrase', () => {
  test('gets a new revision when the administrator changes it', async () => {
    const before = await afterBackup({ passphrase: OLD });
    const content = { passphrase: PASSPHRASE, 'previous-passphrase': OLD };
    const changed = before.withSecret(
      secret({ id: OWN_SECRET, content, trackedContent: { passphrase: OLD } }),
    );
    const after = await stage.context.run(
      stage.context.on.secretChanged(changed.getSecret({ id: OWN_SECRET })),
      changed,
    );
    expect(shared(after)?.latestContent).toEqual(content);
  });

  test('stays while jobs run that refer to it, and goes when encryption is off and none does', async () => {
    const before = await afterBackup({ passphrase: PASSPHRASE });
    const { encryption: _, ...config } = before.config;
    const off = before.with({ config });
    const busy = await stage.configChanged(off);
    expect(shared(busy)?.latestContent).toEqual({ passphrase: PASSPHRASE });
    const idle = off.withRelation({
      ...off.getRelation(PEERS),
      localAppData: { ...off.getRelation(PEERS).localAppData, history: '[]' },
    });
    const withdrawn = idle.withRelation({
      ...idle.getRelation(DB),
      localAppData: { jobs: '[]' },
    });
    expect(shared(await stage.configChanged(withdrawn))).toBeUndefined();
  });
});

/** After a backup of both; the first one was replaced by a charm that knows less. */
async function downgraded(jobs: readonly Job[]): Promise<State> {
  const content = { passphrase: PASSPHRASE };
  const before = await stage.act('create-backup', {}, scene({ content, other: KNOWS_ALL }));
  expect(shared(before)?.grants).toEqual({ [DB]: ['db'], [OTHER]: ['db2'] });
  return refreshed(before, KNOWS_SECRETS, jobs);
}

describe('a database that no longer knows encryption', () => {
  test('loses the grant of the passphrase, and another one keeps it', async () => {
    const after = await stage.updateStatus(await downgraded([]));
    expect(shared(after)?.grants).toEqual({ [DB]: [], [OTHER]: ['db2'] });
    // And gets it back when it knows encryption again.
    const again = refreshed(after, KNOWS_ALL);
    const asking = await stage.act('create-backup', { database: 'db' }, again);
    expect(shared(asking)?.grants).toEqual({ [OTHER]: ['db2'], [DB]: ['db'] });
  });

  test('keeps it while a job needs it', async () => {
    const before = await stage.act(
      'create-backup',
      {},
      scene({ content: { passphrase: PASSPHRASE } }),
    );
    const after = await stage.updateStatus(await downgraded(asked(before)));
    expect(shared(after)?.grants).toEqual({ [DB]: ['db'], [OTHER]: ['db2'] });
  });

  test('takes the secret with it where it was the only one', async () => {
    const before = await afterBackup({ passphrase: PASSPHRASE });
    const alone = refreshed(before, KNOWS_SECRETS, []);
    expect(shared(await stage.updateStatus(alone))).toBeUndefined();
  });
});

describe('an encrypted backup', () => {
  const path = { 'artefact-path': artefact.artefactPath };

  beforeEach(() => {
    stage.storage.backups = [{ ...artefact, keyId: KEY }];
  });

  test('is restored with the passphrase, and refused without', async () => {
    const after = await stage.act('restore', path, scene({ content: { passphrase: PASSPHRASE } }));
    expect(asked(after)).toMatchObject([{ jobType: 'restore', encryption: shared(after)?.id }]);
    await stage.act('restore', path, scene());
    expect(stage.failure).toContain(`is encrypted with key ${KEY}`);
    expect(stage.failure).toContain('juju config backup-manager encryption=');
  });

  test('is not asked of a database that cannot decrypt', async () => {
    const before = scene({ content: { passphrase: PASSPHRASE }, features: KNOWS_SECRETS });
    const after = await stage.act('restore', path, before);
    expect(stage.failure).toContain('does not know encryption');
    expect(asked(after)).toEqual([]);
  });

  test('is shown with its key, without a passphrase', async () => {
    await stage.act('show-backup', path, scene());
    expect(stage.results).toMatchObject({ encrypted: 'true', 'key-id': KEY });
    await stage.act('list-databases', {}, scene());
    expect(stage.results['databases']).toContain(KEY);
    const told = await stage.configChanged(scene());
    expect(told.unitStatus.message).toContain('1 of 1 database protected, encrypted');
  });

  test('is verified in the background with the passphrase', async () => {
    const before = scene({ content: { passphrase: PASSPHRASE } });
    await stage.act('verify-backup', { ...path, level: 'full' }, before);
    expect(stage.upkeep.passphrasesSeen).toEqual([[PASSPHRASE]]);
    await stage.act('verify-backup', { ...path, level: 'full' }, scene());
    expect(stage.failure).toContain('is encrypted with key');
  });
});

describe('keys', () => {
  const both = { passphrase: PASSPHRASE, 'previous-passphrase': OLD };

  test('are rotated where the database has backups', async () => {
    await stage.act('rotate-key', {}, scene({ content: { passphrase: PASSPHRASE } }));
    expect(stage.storage.deeds).toEqual([`rotate the key of prod/shop/db/ with ${PASSPHRASE}`]);
    expect(stage.results['keys']).toBe('db: new-key');
    await stage.act('rotate-key', {}, scene());
    expect(stage.failure).toContain('backups are not encrypted');
  });

  test('of every encrypted application below the path get the new passphrase', async () => {
    const gone = {
      ...artefact,
      artefactPath: 'prod/lost/db/backups/20261121T020000Z-job-9/',
      keyId: KEY,
    };
    stage.storage.backups = [
      gone,
      { ...artefact, artefactPath: 'prod/x/plain/backups/20261121T020000Z-j/' },
    ];
    const after = await stage.act('change-passphrase', {}, scene({ content: both }));
    expect(stage.storage.deeds).toEqual([
      `change the passphrase of prod/lost/db/ from ${OLD} to ${PASSPHRASE}`,
      `change the passphrase of prod/shop/db/ from ${OLD} to ${PASSPHRASE}`,
    ]);
    expect(stage.open(after)).not.toContain('PLANTED');
    await stage.act('change-passphrase', {}, scene({ content: { passphrase: PASSPHRASE } }));
    expect(stage.failure).toContain('one passphrase only');
  });

  test('go into a kit that is a secret, not a result, and can be taken away again', async () => {
    const after = await stage.act(
      'recovery-kit',
      {},
      scene({ content: { passphrase: PASSPHRASE } }),
    );
    const kit = after.secrets.find(({ label }) => label === 'recovery-kit');
    expect(kit?.latestContent).toEqual({ kit: 'KIT of prod/shop/db/' });
    expect(kit?.grants ?? {}).toEqual({});
    expect(stage.open(after)).not.toContain('KIT of');
    expect(stage.results['show']).toBe(`juju show-secret --reveal ${kit?.id}`);
    const without = await stage.act('recovery-kit', { remove: true }, after);
    expect(without.secrets.some(({ label }) => label === 'recovery-kit')).toBe(false);
  });
});
