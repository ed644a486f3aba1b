/** Requests whose keys are references to a secret: keys reach the worker's order and nothing else. */
import { describe, expect, test } from '@jest/globals';
import { type SecretFields, secret } from '#ops/testing';
import { aJob, Stage } from './fakes.ts';

const URI = 'secret:9m4e2mr0ui3e8a215n4g';
const referring = aJob({
  storageConfig: { bucket: 'b', 'access-key': URI, 'secret-key': URI, path: 'p' },
});
const keys = { 'access-key': 'AK-PLANTED', 'secret-key': 'SK-PLANTED' };

function stageWith(fields: SecretFields): Stage {
  const stage = new Stage();
  stage.now = stage.now.withSecret(secret({ id: URI, ...fields }));
  return stage;
}

describe('a request that refers to a secret', () => {
  test('is run with the keys of its latest revision, and says none of them', async () => {
    const old = { 'access-key': 'AK-OLD', 'secret-key': 'SK-OLD' };
    const stage = stageWith({ content: keys, trackedContent: old });
    await stage.ask(1, [referring]);
    expect(stage.runner.specs.get('job-1')).toMatchObject({
      storageConfig: { bucket: 'b', path: 'p', ...keys },
    });
    expect(
      JSON.stringify(stage.now.relations.map((one) => [one.localUnitData, one.localAppData])),
    ).not.toMatch(/PLANTED|9m4e2mr0ui3e8a215n4g/);
    expect(JSON.stringify(stage.context.jujuLog)).not.toContain('PLANTED');
  });

  test('is run with new keys after secret-changed', async () => {
    const stage = stageWith({ content: keys });
    await stage.ask(1, [referring]);
    const next = { 'access-key': 'AK-2', 'secret-key': 'SK-2' };
    const changed = secret({ id: URI, content: next, trackedContent: keys });
    stage.now = stage.now.withSecret(changed);
    await stage.run((on) => on.secretChanged(changed));
    expect(stage.runner.specs.get('job-1')?.storageConfig).toMatchObject(next);
  });

  test.each([
    ['is not granted', { content: keys, granted: false, trackedContent: undefined }],
    ['has other keys', { content: { password: 'x' } }],
  ])('whose secret %s ends as secret-not-granted', async (_name, fields) => {
    const stage = stageWith(fields);
    await stage.ask(1, [referring, aJob({ jobId: 'job-2' })]);
    expect(stage.runner.specs.get('job-1')?.refusal).toMatchObject({
      code: 'secret-not-granted',
      hint: expect.stringContaining('grant'),
    });
    expect(stage.runner.specs.get('job-2')).not.toHaveProperty('refusal');
  });

  test('with two different secrets is refused as well', async () => {
    const stage = stageWith({ content: keys });
    const other = 'secret:9m4e2mr0ui3e8a215n50';
    await stage.ask(1, [
      aJob({ storageConfig: { bucket: 'b', 'access-key': URI, 'secret-key': other } }),
    ]);
    expect(stage.runner.specs.get('job-1')?.refusal?.code).toBe('secret-not-granted');
  });
});
