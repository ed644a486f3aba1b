/** Actions about what is in a backup, and how fast upkeep may go. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { parseHistory } from '../../../charms/backup-manager/src/history.ts';
import { artefact } from './makers.ts';
import { asked, KNOWS_SECRETS, PassphraseStage, PEERS, scene } from './passphrase-stage.ts';

let stage: PassphraseStage;

beforeEach(() => {
  stage = new PassphraseStage();
});

describe('what is in a backup', () => {
  const path = { 'artefact-path': artefact.artefactPath };

  beforeEach(() => {
    stage.storage.backups = [artefact];
    stage.storage.contents = [
      { path: 'base', kind: 'directory', bytes: 4096, files: 3 },
      { path: 'PG_VERSION', kind: 'file', bytes: 3, files: 1, owner: 'postgres', mode: 0o600 },
    ];
  });

  test('is listed as a table and as JSON, by any unit', async () => {
    await stage.act('list-items', { ...path, path: '/base/' }, scene());
    expect(stage.storage.deeds).toEqual(['look into base with undefined']);
    expect(String(stage.results['items']).split('\n')[1]).toMatch(
      /^file +3 B +- +- +postgres +PG_VERSION$/,
    );
    await stage.act('list-items', { ...path, format: 'json' }, scene());
    expect(JSON.parse(String(stage.results['items']))).toEqual([
      {
        path: 'PG_VERSION',
        type: 'file',
        'size-bytes': 3,
        files: 1,
        mode: '0600',
        owner: 'postgres',
      },
      { path: 'base', type: 'directory', 'size-bytes': 4096, files: 3 },
    ]);
    stage.storage.contents = [];
    await stage.act('list-items', { ...path, path: 'nothing' }, scene());
    expect(stage.failure).toContain('holds nothing at "nothing"');
  });

  test('is asked for by its path; the entry is no restore that could be undone', async () => {
    const after = await stage.act('restore-item', { ...path, path: './PG_VERSION' }, scene());
    expect(stage.failure).toBeUndefined();
    expect(asked(after)).toMatchObject([{ jobType: 'restore', items: ['PG_VERSION'] }]);
    const [entry] = parseHistory(after.getRelation(PEERS).localAppData['history']);
    expect(entry).toMatchObject({ items: ['PG_VERSION'] });
    expect(stage.results['jobs']).toContain('restore-item');
  });

  test('is not asked for where it is not there, or where all would be restored instead', async () => {
    await stage.act('restore-item', { ...path, path: 'nothing' }, scene());
    expect(stage.failure).toContain('holds no "nothing"');
    const after = await stage.act(
      'restore-item',
      { ...path, path: 'base' },
      scene({ features: KNOWS_SECRETS }),
    );
    expect(stage.failure).toContain('so nothing was asked');
    expect(asked(after)).toEqual([]);
  });
});

test('the rate of upkeep is told to what runs', async () => {
  await stage.configChanged(scene({ config: { 'network-limit': '2MiB' } }));
  expect(stage.upkeep.rate).toBe(2 * 1024 * 1024);
  await stage.configChanged(scene());
  expect(stage.upkeep.rate).toBeUndefined();
});
