import { describe, expect, test } from '@jest/globals';
import { runFake } from './fake-session.ts';

const answers = {
  'remove-unit': ({ units }: { readonly units: readonly string[] }) =>
    units.map((name) =>
      name === 'db/9'
        ? { name, units: [], error: 'unit "db/9" does not exist' }
        : { name, units: [] },
    ),
  'remove-application': ({ applications }: { readonly applications: readonly string[] }) =>
    applications.map((name) =>
      name === 'x'
        ? { name, units: [], error: 'application "x" not found' }
        : { name, units: [`${name}/0`, `${name}/1`] },
    ),
};

const dryRuns = (calls: readonly { readonly params: unknown }[]) =>
  calls.map(({ params }) => (params as { dryRun?: boolean }).dryRun === true);

describe('removing', () => {
  test('asks first, showing what would happen, and goes on after yes', async () => {
    const { code, out, err, calls } = await runFake(['remove-application', 'db'], answers, {
      input: 'y\n',
    });
    expect(code).toBe(0);
    expect(err).toBe('WARNING This command will perform the following actions:\n');
    expect(out).toBe(
      'will remove application db\n- will remove unit db/0\n- will remove unit db/1\n\nContinue [y/N]? ',
    );
    expect(dryRuns(calls)).toEqual([true, false]);
  });

  test.each([['n\n'], ['\n'], [undefined]])('changes nothing after %j', async (input) => {
    const { code, err, calls } = await runFake(
      ['remove-unit', 'db/0'],
      answers,
      input === undefined ? {} : { input },
    );
    expect(code).toBe(1);
    expect(err.endsWith('ERROR aborted\n')).toBe(true);
    expect(dryRuns(calls)).toEqual([true]);
  });

  test('does it at once with --no-prompt', async () => {
    const { code, out, err, calls } = await runFake(
      ['remove-unit', 'db/0', '--no-prompt', '--force'],
      answers,
    );
    expect({ code, out, err }).toEqual({ code: 0, out: 'will remove unit db/0\n', err: '' });
    expect(calls[0]?.params).toMatchObject({ units: ['db/0'], force: true });
  });

  test('goes on with the others when one cannot be removed, and exits 1', async () => {
    const unit = await runFake(['remove-unit', 'db/9', 'db/0', '--no-prompt'], answers);
    expect(unit).toMatchObject({
      code: 1,
      out: 'will remove unit db/0\n',
      err: 'ERROR removing unit db/9 failed: unit "db/9" does not exist\n',
    });
    const application = await runFake(['remove-application', 'x', '--no-prompt'], answers);
    expect(application).toMatchObject({
      code: 1,
      err: 'ERROR removing application x failed: application "x" not found\n',
    });
  });

  test('only says what it would do with --dry-run', async () => {
    const { calls } = await runFake(['remove-unit', 'db/0', '--dry-run'], answers);
    expect(dryRuns(calls)).toEqual([true]);
  });

  test.each([
    [['remove-unit'], 'no units specified'],
    [['remove-unit', 'db'], 'invalid unit name "db"'],
    [['remove-application'], 'no application specified'],
    [['remove-relation', 'db'], 'a relation must involve two applications'],
    [['integrate', 'db'], 'a relation must involve two applications'],
    [['add-unit', 'db', '-n', '0'], '--num-units must be a positive integer'],
    [['resolved'], 'no unit specified'],
    [['resolved', 'db'], 'unit name "db" not valid'],
    [['integrate', 'a', 'b', 'c'], 'a relation must involve two applications'],
    [['add-unit', 'db', 'x'], 'unrecognized args: ["x"]'],
  ])('%j is refused', async (args, message) => {
    const { code, err } = await runFake(args);
    expect({ code, err }).toEqual({ code: 2, err: `ERROR ${message}\n` });
  });
});

describe('relations', () => {
  test('are named by endpoints or by id', async () => {
    const relations = {
      integrate: () => ({ id: 1, key: 'a:b c:d' }),
      'remove-relation': () => ({}),
    };
    const made = await runFake(['relate', 'a:b', 'c'], relations);
    expect(made).toMatchObject({ code: 0, out: '', err: '' });
    expect(made.calls[0]?.params).toEqual({ endpoints: ['a:b', 'c'] });
    const removed = await runFake(['remove-relation', '4', '--force'], relations);
    expect(removed.calls[0]?.params).toEqual({ id: 4, force: true });
  });
});
