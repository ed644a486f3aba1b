import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { choosePaint, coloured } from '../../../lib/sandbox/cli/status/colours.ts';
import { filterStatus } from '../../../lib/sandbox/cli/status/filter.ts';
import { formatTabular } from '../../../lib/sandbox/cli/status/tabular.ts';
import { SAMPLE } from './a-status.ts';

describe('colours', () => {
  test('are those of the statuses, and change no column', () => {
    const [first] = SAMPLE.applications;
    const view = { ...SAMPLE, applications: first === undefined ? [] : [first] };
    const options = { relations: false, storage: false, utc: true };
    const text = formatTabular(view, { ...options, paint: coloured });
    expect(text).toContain('wordpress  4.5.3    \u001B[32mactive\u001B[0m      1  wordpress');
    expect(text).toContain('\u001B[36m10.0.1.1\u001B[0m');
    expect(stripVTControlCharacters(text)).toBe(formatTabular(view, options));
  });

  test.each([
    [[], false, {}, false],
    [[], true, { TERM: 'xterm' }, true],
    [[], true, { TERM: 'dumb' }, false],
    [[], true, { NO_COLOR: '' }, false],
    [['color'], false, {}, true],
    [['no-color'], true, { TERM: 'xterm' }, false],
  ] as const)('with %j on a terminal (%j) in %j: %j', (told, isTerminal, env, expected) => {
    const flags = {
      color: told.some((one) => one === 'color'),
      'no-color': told.some((one) => one === 'no-color'),
    };
    expect(choosePaint(flags, { isTerminal, env }) === coloured).toBe(expected);
  });
});

describe('selectors besides names', () => {
  test.each([
    ['80/tcp', ['wordpress']],
    ['10.0.1.1', ['wordpress']],
    ['10.0.1.0/24', ['wordpress']],
    ['10.9.0.0/16', []],
    ['exposed', ['wordpress', 'logging']],
    ['wordpress/leader', ['wordpress']],
    ['nothing/leader', []],
  ])('%s keeps %j', (pattern, expected) => {
    expect(filterStatus(SAMPLE, [pattern]).applications.map(({ name }) => name)).toEqual(expected);
  });
});
