/** Mistakes in a charm archive are found before Juju finds them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { charmProblems, requireValidCharm } from '../../../lib/tooling/validate-charm.ts';
import { CHARM_MISTAKES, SOUND_CHARM, writeMistake } from '../../helpers/charm-mistakes.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mistakes-'));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

test('a charm that uses every kind of metadata rightly has no problem', async () => {
  const path = await writeMistake(SOUND_CHARM, root);
  expect(await charmProblems(path)).toEqual([]);
  await expect(requireValidCharm(path)).resolves.toBeUndefined();
});

test.each(CHARM_MISTAKES)('$name: the one problem, named', async (mistake) => {
  const problems = await charmProblems(await writeMistake(mistake, root));
  expect(problems).toEqual([expect.stringContaining(mistake.problem)]);
});

test('all problems are told at once, with the archive', async () => {
  const files = { 'metadata.yaml': 'name: X\nsummary: s\ndescription: d\n', dispatch: null };
  const path = await writeMistake({ name: 'two', files, problem: '' }, root);
  await expect(requireValidCharm(path)).rejects.toThrow(
    `${path} is no charm Juju would take:\n  metadata.yaml: invalid charm name "X"\n  dispatch: is missing`,
  );
});

test('what is no zip archive is said to be none', async () => {
  const path = join(root, 'text.charm');
  await writeFile(path, 'a text');
  expect(await charmProblems(path)).toEqual([expect.stringContaining('not a valid zip archive')]);
});
