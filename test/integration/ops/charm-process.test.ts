/** A real charm process, bundled as charms are packed, over executables that stand in for Juju's. */
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { parse } from 'yaml';
import { type RunResult, runProcess } from '#system';

const FIXTURES = resolve('test/fixtures/ops');
const TOOLS = [
  'action-fail',
  'action-get',
  'action-log',
  'action-set',
  'config-get',
  'is-leader',
  'juju-log',
  'relation-get',
  'relation-ids',
  'relation-list',
  'relation-set',
  'secret-add',
  'status-set',
];

let root = '';
let charmDir = '';

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ops-charm-'));
  charmDir = join(root, 'charm');
  await cp(join(FIXTURES, 'tiny-charm'), charmDir, { recursive: true });
  await build({
    entryPoints: [join(FIXTURES, 'tiny-charm', 'main.ts')],
    outfile: join(charmDir, 'main.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
    },
  });
  await mkdir(join(root, 'bin'));
  for (const tool of TOOLS) {
    await symlink(join(FIXTURES, 'bin', 'hook-tool'), join(root, 'bin', tool));
  }
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});
beforeEach(async () => {
  for (const name of ['calls', 'answers']) {
    await rm(join(root, name), { recursive: true, force: true });
    await mkdir(join(root, name));
  }
});

interface Call {
  readonly tool: string;
  readonly args: readonly string[];
  readonly stdin: string;
  readonly modes: string;
  readonly secret: string;
}

async function answer(tool: string, stdout: unknown, failure?: { stderr: string; code: number }) {
  const path = join(root, 'answers', tool);
  await writeFile(path, typeof stdout === 'string' ? stdout : JSON.stringify(stdout));
  if (failure !== undefined) {
    await writeFile(`${path}.stderr`, failure.stderr);
    await writeFile(`${path}.code`, String(failure.code));
  }
}

async function dispatch(
  path: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<RunResult & { calls: readonly Call[] }> {
  const result = await runProcess(process.execPath, [join(charmDir, 'main.mjs')], {
    cwd: charmDir,
    acceptExitCodes: [0, 1, 13],
    timeoutMs: 20_000,
    env: {
      PATH: `${join(root, 'bin')}:/usr/bin:/bin`,
      FAKE_JUJU_DIR: root,
      JUJU_CHARM_DIR: charmDir,
      JUJU_UNIT_NAME: 'tiny/0',
      JUJU_MODEL_NAME: 'testing',
      JUJU_MODEL_UUID: '6a3e',
      JUJU_VERSION: '3.6.28',
      JUJU_CONTEXT_ID: 'tiny/0-hook-1',
      JUJU_DISPATCH_PATH: path,
      ...environment,
    },
  });
  const numbers = (await readdir(join(root, 'calls'))).toSorted((a, b) => Number(a) - Number(b));
  return { ...result, calls: await Promise.all(numbers.map(readCall)) };
}

async function readCall(number: string): Promise<Call> {
  const read = async (name: string) =>
    await readFile(join(root, 'calls', number, name), 'utf8').catch(() => '');
  const [tool = '', ...args] = (await read('arguments')).split('\0').slice(0, -1);
  return {
    tool,
    args,
    stdin: await read('stdin'),
    modes: await read('modes'),
    secret: await read('secret'),
  };
}

/** What the charm logged as an error. */
function errors(calls: readonly Call[]): string {
  return calls
    .filter((call) => call.tool === 'juju-log' && call.args[1] === 'ERROR')
    .map((call) => call.args.at(-1))
    .join('\n');
}

const RELATION = {
  JUJU_RELATION: 'database',
  JUJU_RELATION_ID: 'database:7',
  JUJU_REMOTE_APP: 'pg',
  JUJU_REMOTE_UNIT: 'pg/0',
};

describe('a dispatch that succeeds', () => {
  test('calls exactly the tools it needs, with the arguments Juju expects, and exits 0', async () => {
    await answer('relation-get', { uri: 'pg://' });
    await answer('config-get', { title: '-shop' });
    const { exitCode, stderr, calls } = await dispatch('hooks/database-relation-changed', RELATION);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(calls.map(({ tool, args }) => [tool, ...args])).toEqual([
      ['relation-get', '--format=json', '-r', 'database:7', '--app', '-', 'pg'],
      ['relation-get', '--format=json', '-r', 'database:7', '-', 'tiny/0'],
      ['relation-set', '-r', 'database:7', '--file', '-'],
      ['config-get', '--format=json'],
      ['status-set', '--application=false', 'active', '--', 'serving -shop'],
    ]);
    expect(parse(calls[2]?.stdin ?? '')).toEqual({ seen: 'pg://', text: 'ü\n"quoted"' });
  });

  test('awaits an action and hands over params, logs and nested results', async () => {
    await answer('action-get', { name: 'you' });
    const { exitCode, calls } = await dispatch('actions/greet', {
      JUJU_ACTION_NAME: 'greet',
      JUJU_ACTION_UUID: '2',
    });
    expect(exitCode).toBe(0);
    expect(calls.slice(0, 3).map(({ tool, args }) => [tool, ...args])).toEqual([
      ['action-log', '--', 'greeting'],
      ['action-get', '--format=json'],
      ['action-set', 'greeting=hello you', 'facts.words=2'],
    ]);
  });

  test('gives secret content by a private file that is gone afterwards', async () => {
    await answer('is-leader', true);
    await answer('secret-add', 'secret:9m4e2mr0ui3e8a215n4g\n');
    const { exitCode, calls } = await dispatch('hooks/leader-elected');
    const add = calls.find((call) => call.tool === 'secret-add');
    expect(exitCode).toBe(0);
    expect(add).toMatchObject({ secret: 'correct-horse', modes: '600\n700\n' });
    expect(add?.args.slice(0, 4)).toEqual(['--owner', 'application', '--label', 'admin']);
    expect(add?.args[4]).toMatch(/^password#file=\//);
    await expect(readFile(add?.args[4]?.split('=')[1] ?? '')).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });

  test('ignores an event it does not know', async () => {
    const { exitCode, calls } = await dispatch('hooks/from-the-future');
    expect(exitCode).toBe(0);
    expect(calls[0]).toMatchObject({
      tool: 'juju-log',
      args: [
        '--log-level',
        'DEBUG',
        '--',
        'ignored hook "from-the-future": the charm does not know it',
      ],
    });
  });

  test('ends though a timer is left running', async () => {
    const { exitCode } = await dispatch('hooks/leaves-a-timer');
    expect(exitCode).toBe(0);
  });
});

describe('a dispatch that fails exits 1, so that Juju keeps nothing, and logs', () => {
  test('what a handler threw, with stack and cause', async () => {
    const { exitCode, stderr, calls } = await dispatch('hooks/install');
    expect(exitCode).toBe(1);
    expect(stderr).toBe('');
    expect(errors(calls)).toMatch(/Uncaught exception while in charm code: TypeError: cannot/);
    expect(errors(calls)).toMatch(/at .*main\.mjs:\d+/);
    expect(errors(calls)).toContain('caused by: Error: no disk');
    expect(calls.map((call) => call.tool)).not.toContain('status-set');
  });

  test('what an action threw, also to whoever runs it', async () => {
    const { exitCode, stderr, calls } = await dispatch('actions/break', {
      JUJU_ACTION_NAME: 'break',
      JUJU_ACTION_UUID: '3',
    });
    expect(exitCode).toBe(1);
    expect(errors(calls)).toContain('and run the action again\nevent: actions/break');
    expect(stderr).toBe(
      'Uncaught exception while in charm code: broken on request\nUse "juju debug-log" to see the full traceback.\n',
    );
  });

  test('a handler that never ends', async () => {
    const { exitCode, calls } = await dispatch('hooks/never-settles');
    expect(exitCode).toBe(1);
    expect(errors(calls)).toContain('a promise was never settled');
  });

  test('a rejection nobody handled', async () => {
    const { exitCode, calls } = await dispatch('hooks/floating');
    expect(exitCode).toBe(1);
    expect(errors(calls)).toContain('nobody waits for this');
  });

  test('a hook tool that fails, with what it said', async () => {
    await answer('config-get', '', { stderr: 'ERROR connection is shut down\n', code: 1 });
    const { exitCode, calls } = await dispatch('hooks/update-status');
    expect(exitCode).toBe(1);
    expect(errors(calls)).toContain('config-get failed: connection is shut down');
  });

  test('a hook tool that prints garbage', async () => {
    await answer('config-get', 'panic: {');
    const { exitCode, calls } = await dispatch('hooks/update-status');
    expect(exitCode).toBe(1);
    expect(errors(calls)).toContain('config-get failed: its output is not JSON');
    expect(errors(calls)).toContain("hint: see that the tool on PATH is Juju's");
  });

  test('a hook tool that hangs', async () => {
    await answer('config-get.sleep', '60');
    const { exitCode, calls } = await dispatch('hooks/update-status');
    expect(exitCode).toBe(1);
    expect(errors(calls)).toContain('config-get failed: no answer within 2 s');
  });

  test('that it is not run by Juju, where no tool is found', async () => {
    const { exitCode, stderr } = await dispatch('hooks/update-status', {
      PATH: '/nowhere',
      JUJU_UNIT_NAME: '',
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('JUJU_UNIT_NAME is not set');
  });

  test('malformed metadata, naming the file', async () => {
    const other = join(root, 'malformed');
    await mkdir(other);
    await writeFile(join(other, 'metadata.yaml'), 'name: [');
    const { exitCode, calls } = await dispatch('hooks/start', { JUJU_CHARM_DIR: other });
    expect(exitCode).toBe(1);
    expect(errors(calls)).toContain(`cannot read ${other}/metadata.yaml: it is not YAML`);
  });
});

describe('a second dispatch of the unit', () => {
  test("from inside a hook is refused, by Juju's log and on stderr, with what to do", async () => {
    const { exitCode, calls } = await dispatch('hooks/calls-itself');
    expect(exitCode).toBe(0);
    const told = calls.find((call) => call.args.at(-1)?.startsWith('called itself'))?.args.at(-1);
    expect(told).toMatch(
      /^called itself: 1 cannot dispatch hooks\/update-status: another dispatch of tiny\/0 is running \(process \d+ handles hooks\/calls-itself\); from a hook, call the method/,
    );
    expect(errors(calls)).toContain('another dispatch of tiny/0 is running');
  });

  test('runs when the first one was killed', async () => {
    await expect(dispatch('hooks/dies')).rejects.toMatchObject({ name: 'ProcessError' });
    const { exitCode } = await dispatch('hooks/leaves-a-timer');
    expect(exitCode).toBe(0);
  });
});

describe('a failure names the event, the file and what to do', () => {
  test('of a handler that threw', async () => {
    const said = errors((await dispatch('hooks/install')).calls);
    expect(said).toMatch(
      /\nhint: Juju runs the hook again; .*juju refresh.*\nevent: hooks\/install$/,
    );
  });

  test('of a promise that never settles', async () => {
    const said = errors((await dispatch('hooks/never-settles')).calls);
    expect(said).toContain('\nevent: hooks/never-settles\nhint: see that what its handlers await');
  });

  test.each([
    ['metadata.yaml', 'provides: {}', 'charm in DIR/metadata.yaml: "name" is missing'],
    ['metadata.yaml', '- a', 'charm in DIR/metadata.yaml: "the file" is not a map'],
    ['actions.yaml', 'wipe: true', 'charm in DIR/actions.yaml: "actions.wipe" is not a map'],
    [
      'config.yaml',
      'options: {a: {type: text}}',
      'charm in DIR/config.yaml: option "a" has unknown',
    ],
    ['config.yaml', 'options: [', 'cannot read DIR/config.yaml: it is not YAML'],
    ['metadata.yaml', undefined, 'charm in DIR: no metadata.yaml, nor charmcraft.yaml'],
    ['actions.yaml', 'a folder', 'cannot read DIR/actions.yaml: EISDIR'],
  ])('of %s with %s', async (file, text, message) => {
    const other = await mkdtemp(join(root, 'odd-'));
    await writeFile(join(other, 'metadata.yaml'), 'name: tiny');
    await rm(join(other, file), { force: true });
    if (text === 'a folder') {
      await mkdir(join(other, file));
    } else if (text !== undefined) {
      await writeFile(join(other, file), text);
    }
    const { exitCode, calls } = await dispatch('hooks/start', { JUJU_CHARM_DIR: other });
    expect(exitCode).toBe(1);
    expect(errors(calls)).toContain(message.replace('DIR', other));
    expect(errors(calls)).toMatch(/\nhint: \S/);
    expect(errors(calls)).toContain('\nevent: hooks/start');
  });

  test.each([
    ['JUJU_UNIT_NAME', 'app', 'JUJU_UNIT_NAME="app" is not a unit name'],
    ['JUJU_DISPATCH_PATH', '', 'JUJU_DISPATCH_PATH is not set'],
    ['JUJU_RELATION_ID', 'database:x', 'JUJU_RELATION_ID="x" is not a number'],
  ])('of %s="%s"', async (name, value, message) => {
    const { exitCode, calls } = await dispatch('hooks/start', { [name]: value });
    expect(exitCode).toBe(1);
    expect(errors(calls)).toContain(message);
    expect(errors(calls)).toMatch(/\nhint: \S/);
  });

  test('of a hook tool that is not there', async () => {
    await rename(join(root, 'bin', 'config-get'), join(root, 'bin', 'config-got'));
    try {
      const { exitCode, calls } = await dispatch('hooks/update-status');
      expect(exitCode).toBe(1);
      expect(errors(calls)).toMatch(/config-get failed: there is no such tool on PATH/);
      expect(errors(calls)).toMatch(
        /\nhint: let Juju run the charm.*\nevent: hooks\/update-status/s,
      );
    } finally {
      await rename(join(root, 'bin', 'config-got'), join(root, 'bin', 'config-get'));
    }
  });
});
