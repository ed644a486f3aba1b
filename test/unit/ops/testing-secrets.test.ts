import { describe, expect, test } from '@jest/globals';
import { relation, type StateFields, secret, state } from '#ops/testing';
import { toolsFor } from '../../helpers/memory-tools.ts';
import { type ProbeCharm, probe } from '../../helpers/probe-charm.ts';

async function onStart(act: (charm: ProbeCharm) => void, fields: StateFields) {
  const context = probe((charm, framework) => {
    framework.observe(charm.on.start, () => act(charm));
  });
  return { out: await context.run(context.on.start(), state(fields)) };
}

describe('secrets', () => {
  test('changed several times in a hook gain one revision, seen by peeking only', async () => {
    const own = secret({ content: { key: 'a' }, owner: 'unit', label: 'own' });
    const seen: unknown[] = [];
    const { out } = await onStart(
      ({ model }) => {
        const found = model.getSecret({ label: 'own' });
        found.setContent({ key: 'b' });
        found.setContent({ key: 'c' });
        seen.push(found.getContent(), found.peekContent(), found.info().revision);
      },
      { secrets: [own] },
    );
    expect(seen).toEqual([{ key: 'a' }, { key: 'c' }, 1]);
    expect(out.getSecret(own)).toMatchObject({ revision: 2, trackedRevision: 1 });
  });

  test('changed before they are first read are read as they are committed', async () => {
    const own = secret({ content: { key: 'a' }, owner: 'unit', trackedContent: undefined });
    const { run, world } = toolsFor({ secrets: [own] });
    run('secret-set', own.id, 'key=b');
    expect(run('secret-get', own.id)).toEqual({ key: 'a' });
    expect(run('secret-get', own.id, '--refresh')).toEqual({ key: 'b' });
    expect(world.commit().getSecret(own)).toMatchObject({ revision: 2, trackedRevision: 2 });
  });

  test('read first in a hook that fails are tracked, refreshed ones are not', () => {
    const unread = secret({ content: { key: 'a' }, trackedContent: undefined });
    const behind = secret({ content: { key: 'b' }, trackedContent: { key: 'a' } });
    const { run, world } = toolsFor({ secrets: [unread, behind] });
    run('secret-get', unread.id);
    run('secret-get', behind.id, '--refresh');
    expect(world.abandon().getSecret(unread)).toMatchObject({
      trackedRevision: 1,
      trackedContent: { key: 'a' },
    });
    expect(world.abandon().getSecret(behind)).toEqual(behind);
  });

  test.each([
    ['store', /sharing consumer secrets across a cross model relation not supported$/],
    [`remote-${'0a'.repeat(16)}`, undefined],
  ])(
    'of this application are granted to %s of another model as Juju has it',
    (remoteApp, refusal) => {
      const own = secret({ content: { key: 'a' }, owner: 'application' });
      const uuid = 'f0000000-0000-4000-8000-000000000000';
      const vault = relation({ endpoint: 'vault', id: 2, remoteApp, remoteModelUuid: uuid });
      const { run, world } = toolsFor({ leader: true, secrets: [own], relations: [vault] });
      run('secret-grant', own.id, '-r', '2');
      expect(world.commitRefusal ?? 'granted').toMatch(refusal ?? /^granted$/);
    },
  );

  test('whose grant Juju refuses fail the hook, and nothing is kept', async () => {
    const own = secret({ content: { key: 'a' }, owner: 'application' });
    const uuid = 'f0000000-0000-4000-8000-000000000000';
    const vault = relation({ endpoint: 'cache', id: 2, remoteApp: 'store', remoteModelUuid: uuid });
    const running = onStart(
      ({ model }) => {
        const [to] = model.relations('cache');
        if (to !== undefined) {
          model.getSecret({ id: own.id }).grant(to);
        }
      },
      { leader: true, secrets: [own], relations: [vault] },
    );
    await expect(running).rejects.toMatchObject({
      code: 'uncaught-charm-error',
      message: expect.stringContaining('across a cross model relation not supported'),
    });
  });

  test('are tracked by number when refreshed', async () => {
    const behind = secret({ content: { key: 'b' }, trackedContent: { key: 'a' } });
    expect(behind).toMatchObject({ revision: 2, trackedRevision: 1 });
    const { out } = await onStart(
      ({ model }) => void model.getSecret({ id: behind.id }).getContent({ refresh: true }),
      { secrets: [behind] },
    );
    expect(out.getSecret(behind)).toMatchObject({ trackedRevision: 2 });
  });

  test('are gone with their last revision', async () => {
    const own = secret({ content: { key: 'a' }, owner: 'unit', revision: 2 });
    const remove = (...revisions: number[]) =>
      onStart(
        ({ model }) => {
          for (const revision of revisions) {
            model.getSecret({ id: own.id }).removeRevision(revision);
          }
        },
        { secrets: [own] },
      );
    expect((await remove(1)).out.getSecret(own).removedRevisions).toEqual([1]);
    expect((await remove(1, 2)).out.secrets).toEqual([]);
  });

  test('show to whom they are granted, and refuse units of other applications', () => {
    const db = relation({ endpoint: 'database', remoteApp: 'pg' });
    const own = secret({ content: { key: 'a' }, owner: 'unit' });
    const { run, error } = toolsFor({ relations: [db], secrets: [own] });
    run('secret-grant', own.id, '-r', String(db.id));
    expect(Object.values(run('secret-info-get', own.id) as object)).toEqual([
      expect.objectContaining({
        access: [{ target: 'application-pg', scope: `relation-${db.id}`, role: 'view' }],
      }),
    ]);
    expect(error('secret-grant', own.id, '-r', String(db.id), '--unit', 'x/0')).toContain(
      'cannot specify unit "x/0" in relation to application "pg"',
    );
    expect(error('secret-get', own.id, '--peek', '--refresh')).toContain(
      'specify one of --peek or --refresh but not both',
    );
  });
});
