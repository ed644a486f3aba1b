import { describe, expect, test } from '@jest/globals';
import {
  type ContextOptions,
  type StateFields,
  secret,
  state,
  type TestEvent,
  type TestEvents,
} from '#ops/testing';
import { probe } from '../../helpers/probe-charm.ts';

describe('secrets Juju could never have are refused', () => {
  const own = secret({ content: { key: 'x' }, owner: 'unit' });
  const ofApp = secret({ content: { key: 'x' }, owner: 'application', revision: 3 });
  const notOwn = secret({ content: { key: 'x' } });
  const cases: [
    string,
    StateFields,
    (on: TestEvents) => TestEvent,
    RegExp,
    Partial<ContextOptions>?,
  ][] = [
    [
      'secrets of a Juju without',
      { secrets: [own] },
      (on) => on.start(),
      /Juju 2\.9\.50 has no secrets/,
      { jujuVersion: '2.9.50' },
    ],
    [
      'a malformed secret id',
      { secrets: [secret({ content: { key: 'x' }, id: 'secret:1' })] },
      (on) => on.start(),
      /secret id "secret:1" is none/,
    ],
    ['two secrets of one id', { secrets: [own, own] }, (on) => on.start(), /the same id/],
    [
      'two secrets of one label',
      {
        secrets: [
          secret({ content: { key: 'x' }, label: 'a' }),
          secret({ content: { key: 'x' }, label: 'a' }),
        ],
      },
      (on) => on.start(),
      /two secrets have the label "a"/,
    ],
    [
      'secret content Juju refuses',
      { secrets: [secret({ content: { K: 'x' } })] },
      (on) => on.start(),
      /has content Juju refuses: .*key "K" is not valid/,
    ],
    [
      'revision 0',
      { secrets: [secret({ content: { key: 'x' }, revision: 0 })] },
      (on) => on.start(),
      /revisions count from 1/,
    ],
    [
      'a removed revision that never was',
      { secrets: [secret({ content: { key: 'x' }, removedRevisions: [2] })] },
      (on) => on.start(),
      /has lost revision 2 it never had/,
    ],
    [
      'tracked content without its revision',
      { secrets: [secret({ content: { key: 'x' }, trackedRevision: undefined })] },
      (on) => on.start(),
      /needs trackedContent and trackedRevision both/,
    ],
    [
      'a tracked revision after the latest',
      { secrets: [secret({ content: { key: 'x' }, trackedRevision: 2 })] },
      (on) => on.start(),
      /tracks revision 2: its latest is 1/,
    ],
    [
      'the latest revision tracked with other content',
      {
        secrets: [
          secret({
            content: { key: 'x' },
            trackedContent: { key: 'y' },
            trackedRevision: 2,
            revision: 2,
          }),
        ],
      },
      (on) => on.start(),
      /tracks its latest revision 2: trackedContent must be/,
    ],
    [
      'an unknown rotation',
      { secrets: [secret({ content: { key: 'x' }, rotate: 'often' })] },
      (on) => on.start(),
      /rotates "often": use one of never, hourly/,
    ],
    [
      'a malformed expiry',
      { secrets: [secret({ content: { key: 'x' }, expire: 'soon' })] },
      (on) => on.start(),
      /expires at "soon": write a time as/,
    ],
    [
      "grants of another's secret",
      { secrets: [secret({ content: { key: 'x' }, grants: { 1: ['a'] } })] },
      (on) => on.start(),
      /only owners grant/,
    ],
    [
      'a grant in a relation not there',
      { secrets: [secret({ content: { key: 'x' }, owner: 'unit', grants: { 99_999: ['a'] } })] },
      (on) => on.start(),
      /granted in relation 99999: add that/,
    ],
    [
      "the rotation of another's secret",
      { secrets: [notOwn] },
      (on) => on.secretRotate(notOwn),
      /comes to the owner of a secret only/,
    ],
    [
      "the application's secret rotated elsewhere than on the leader",
      { secrets: [ofApp] },
      (on) => on.secretRotate(ofApp),
      /comes to the leader only: set "leader: true"/,
    ],
    [
      'an expired revision that never was',
      { secrets: [ofApp], leader: true },
      (on) => on.secretExpired(ofApp, { revision: 4 }),
      /has no such revision; its latest is 3/,
    ],
    [
      'the latest revision as one nobody tracks',
      { secrets: [ofApp], leader: true },
      (on) => on.secretRemove(ofApp, { revision: 3 }),
      /secret-remove is about revisions nobody tracks/,
    ],
  ];

  test.each(cases)('%s', async (_name, fields, event, message, options = {}) => {
    const context = probe(() => undefined, options);
    await expect(context.run(event(context.on), state(fields))).rejects.toMatchObject({
      code: 'inconsistent-state',
      message: expect.stringMatching(message),
    });
  });

  test('others are not, and their events run', async () => {
    const context = probe(() => undefined);
    const rotated = secret({
      content: { key: 'new' },
      trackedContent: { key: 'old' },
      owner: 'unit',
      rotate: 'daily',
      expire: '2030-01-01T00:00:00Z',
      removedRevisions: [1],
      trackedRevision: 2,
      revision: 3,
    });
    const unread = secret({ content: { key: 'x' }, trackedContent: undefined });
    const given = state({ secrets: [ofApp, notOwn, rotated, unread], leader: true });
    for (const event of [
      context.on.secretRemove(ofApp, { revision: 2 }),
      context.on.secretExpired(rotated, { revision: 3 }),
      context.on.secretRotate(rotated),
      context.on.secretChanged(notOwn),
    ]) {
      const out = await context.run(event, given);
      expect(out).toEqual(given);
    }
  });
});
