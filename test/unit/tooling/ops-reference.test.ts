import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from '@jest/globals';
import { opsReference, REFERENCE_PATH } from '../../../lib/tooling/ops-reference.ts';

let reference = '';

beforeAll(async () => {
  reference = await opsReference();
});

test('the reference of the SDK is up to date (node lib/tooling/ops-reference.ts writes it)', async () => {
  expect(await readFile(REFERENCE_PATH, 'utf8')).toBe(reference);
});

test.each([
  [
    'a class',
    'abstract class CharmBase<out T extends CharmTypes = CharmTypes> extends CharmObject {',
  ],
  [
    'a method with its defaults',
    '  addSecret(content: SecretContent, options: SecretMetadata = {}): Secret;',
  ],
  ['a docstring of a member', "  // The charm's own application."],
  [
    'a function',
    'async function main(charmClass: CharmConstructor, options: MainOptions = {}): Promise<void>',
  ],
  ['a docstring of a class', 'An administrator must do something; the message says what.'],
  ['a hook tool', '#### relationGet'],
])('it shows %s', (_what, text) => {
  expect(reference).toContain(text);
});

test('it shows nothing private, and no bodies', () => {
  expect(reference).not.toMatch(/^\s*(?:readonly )?#\w+[(:;]/m);
  expect(reference).not.toMatch(/^ +(?:return |const |this\.)/m);
});
