import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import { isSameSecret, SecretNotFoundError, SecretPermissionError } from '#ops';
import { relation, type StateFields, secret, state } from '#ops/testing';
import { type ProbeCharm, probe } from '../../helpers/probe-charm.ts';

const PASSWORD = 'correct-horse-battery';

async function onStart(act: (charm: ProbeCharm) => void, fields: StateFields = {}) {
  const context = probe((charm, framework) => {
    framework.observe(charm.on.start, () => act(charm));
  });
  return { context, out: await context.run(context.on.start(), state(fields)) };
}

describe('own secrets', () => {
  test('are made, granted, changed and removed by the leader', async () => {
    const db = relation({ endpoint: 'database', remoteApp: 'pg' });
    const { out } = await onStart(
      (charm) => {
        const made = charm.app.addSecret(
          { password: PASSWORD },
          { label: 'admin', description: 'of the administrator', rotate: 'monthly' },
        );
        made.grant({ endpoint: 'database', id: db.id });
        made.grant({ endpoint: 'database', id: db.id }, { unit: 'pg/0' });
        made.revoke({ endpoint: 'database', id: db.id }, { unit: 'pg/0' });
        made.setContent({ password: 'next', username: 'root' });
        made.removeRevision(1);
        expect(made.info()).toMatchObject({ revision: 1, label: 'admin', owner: 'application' });
        charm.unit.addSecret({ token: 'abc' }).removeAllRevisions();
      },
      { leader: true, relations: [db] },
    );
    expect(out.secrets).toHaveLength(1);
    expect(out.getSecret({ label: 'admin' })).toMatchObject({
      latestContent: { password: 'next', username: 'root' },
      owner: 'application',
      description: 'of the administrator',
      rotate: 'monthly',
      revision: 2,
      removedRevisions: [1],
      grants: { [db.id]: ['pg'] },
    });
  });

  test('are not made by units that do not lead, and Juju is not asked', async () => {
    const { context } = await onStart((charm) => {
      expect(() => charm.app.addSecret({ password: PASSWORD })).toThrow(
        expect.objectContaining({ code: 'not-leader' }),
      );
    });
    expect(context.hookToolCalls.map((call) => call.tool)).toEqual(['is-leader']);
  });

  test('content never shows in arguments, and its files are gone afterwards', async () => {
    const { context } = await onStart(
      (charm) => {
        charm.app.addSecret({ password: PASSWORD }).setContent({ password: `${PASSWORD}2` });
      },
      { leader: true },
    );
    const calls = context.hookToolCalls.filter((call) => call.tool.startsWith('secret-'));
    expect(calls.map((call) => call.tool)).toEqual(['secret-add', 'secret-set']);
    expect(JSON.stringify(calls)).not.toContain(PASSWORD);
    expect(JSON.stringify(calls)).toContain('password#file=');
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('ops-secret-'))).toEqual([]);
  });

  test.each([
    [{}, 'it has no keys'],
    [{ ab: PASSWORD }, 'key "ab" is not valid'],
    [{ 'Pass-word': PASSWORD }, 'key "Pass-word" is not valid'],
  ])('content %j is refused without showing it', async (content, reason) => {
    await onStart((charm) => {
      expect(() => charm.unit.addSecret(content)).toThrow(
        expect.objectContaining({
          code: 'invalid-secret-content',
          message: `cannot store secret content: ${reason}`,
        }),
      );
    });
  });
});

describe("others' secrets", () => {
  test('stay at the tracked revision until refreshed; peeking tracks nothing', async () => {
    const user = secret({
      content: { password: 'new' },
      trackedContent: { password: 'old' },
      revision: 2,
    });
    const seen: unknown[] = [];
    const { out } = await onStart(
      ({ model }) => {
        const found = model.getSecret({ id: user.id });
        seen.push(found.getContent(), found.peekContent(), found.getContent());
        seen.push(found.getContent({ refresh: true }), found.getContent());
      },
      { secrets: [user] },
    );
    expect(seen.map((content) => Object.values(content ?? {})[0])).toEqual([
      'old',
      'new',
      'old',
      'new',
      'new',
    ]);
    expect(out.getSecret(user).trackedContent).toEqual({ password: 'new' });
  });

  test('a secret that is absent and one not granted are told apart', async () => {
    const hidden = secret({ content: { password: PASSWORD }, granted: false });
    await onStart(
      ({ model }) => {
        expect(() => model.getSecret({ id: 'secret:00000000000000000zzz' })).toThrow(
          SecretNotFoundError,
        );
        expect(() => model.getSecret({ label: 'nobody' })).toThrow(SecretNotFoundError);
        expect(() => model.getSecret({ id: hidden.id })).toThrow(SecretPermissionError);
      },
      { secrets: [hidden] },
    );
  });

  test('a secret can be got by the label it was given before', async () => {
    const user = secret({ content: { password: 'x' } });
    const seen: unknown[] = [];
    await onStart(
      ({ model }) => {
        model.getSecret({ id: user.id, label: 's3' });
        seen.push(model.getSecret({ label: 's3' }).getContent());
      },
      { secrets: [user] },
    );
    expect(seen).toEqual([{ password: 'x' }]);
  });

  test('all spellings of an id are the same secret', () => {
    const id = '9m4e2mr0ui3e8a215n4g';
    for (const spelling of [id, `secret:${id}`, `secret://6a3e/${id}`, `6a3e/${id}`]) {
      expect(isSameSecret(spelling, `secret:${id}`)).toBe(true);
    }
    expect(isSameSecret(id, `${id}x`)).toBe(false);
  });
});
