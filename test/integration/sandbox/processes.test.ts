import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startDaemon } from '#sandbox';
import { runProcess } from '#system';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

describe('processes of the sandbox', () => {
  let sandbox: SandboxDaemon;
  beforeEach(async () => {
    sandbox = await SandboxDaemon.start();
  });
  afterEach(async () => {
    await sandbox.destroy();
  });

  test('hooks get the environment Juju constructs, and nothing of the daemon', async () => {
    await sandbox.deploy('a', {
      scripts: {
        'wants-relation-joined':
          'tr "\\\\0" "\\\\n" < /proc/$$/environ > environment; pwd > directory; cat > input',
      },
    });
    await sandbox.deploy('b');
    await sandbox.call('integrate', { endpoints: ['a:wants', 'b:serves'] });
    await sandbox.settle();

    const charm = sandbox.charmDirectory('a/0');
    const text = await readFile(join(charm, 'environment'), 'utf8');
    const variables = new Map(
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line): [string, string] => [
          line.slice(0, line.indexOf('=')),
          line.slice(line.indexOf('=') + 1),
        ]),
    );
    expect([...variables.keys()].toSorted()).toEqual(
      [
        'APT_LISTCHANGES_FRONTEND',
        'CHARM_DIR',
        'CLOUD_API_VERSION',
        'DEBIAN_FRONTEND',
        'JUJU_AGENT_SOCKET_ADDRESS',
        'JUJU_AGENT_SOCKET_NETWORK',
        'JUJU_API_ADDRESSES',
        'JUJU_AVAILABILITY_ZONE',
        'JUJU_CHARM_DIR',
        'JUJU_CHARM_FTP_PROXY',
        'JUJU_CHARM_HTTPS_PROXY',
        'JUJU_CHARM_HTTP_PROXY',
        'JUJU_CHARM_NO_PROXY',
        'JUJU_CONTEXT_ID',
        'JUJU_DISPATCH_PATH',
        'JUJU_HOOK_NAME',
        'JUJU_MACHINE_ID',
        'JUJU_MODEL_NAME',
        'JUJU_MODEL_UUID',
        'JUJU_PRINCIPAL_UNIT',
        'JUJU_RELATION',
        'JUJU_RELATION_ID',
        'JUJU_REMOTE_APP',
        'JUJU_REMOTE_UNIT',
        'JUJU_SLA',
        'JUJU_UNIT_NAME',
        'JUJU_VERSION',
        'LANG',
        'PATH',
        'TERM',
      ].toSorted(),
    );
    expect(Object.fromEntries(variables)).toMatchObject({
      JUJU_DISPATCH_PATH: 'hooks/wants-relation-joined',
      JUJU_HOOK_NAME: 'wants-relation-joined',
      JUJU_RELATION: 'wants',
      JUJU_RELATION_ID: 'wants:2',
      JUJU_REMOTE_UNIT: 'b/0',
      JUJU_REMOTE_APP: 'b',
      CHARM_DIR: charm,
    });
    expect((await readFile(join(charm, 'directory'), 'utf8')).trim()).toBe(charm);
    expect(await readFile(join(charm, 'input'), 'utf8')).toBe('');
  }, 60_000);

  test('a charm may open its own standard streams by name, and all it says is in the log', async () => {
    await sandbox.deploy('a', {
      scripts: { start: 'echo aloud > /dev/stdout\necho wrongly > /dev/stderr\nprintf unfinished' },
    });
    await sandbox.settle();

    const lines = (await sandbox.log()).filter(({ module }) => module === 'unit.a/0.start');
    expect(lines.map(({ level, message }) => `${level} ${message}`).toSorted()).toEqual([
      'DEBUG aloud',
      'DEBUG unfinished',
      'WARNING wrongly',
    ]);
    const log = (await sandbox.log()).map(({ message }) => message);
    expect(log).toContain('ran "start" hook (via hook dispatching script: dispatch)');
  }, 60_000);

  test('a process left behind by a hook lives on, and reaches the unit by juju-exec', async () => {
    await sandbox.deploy('a', {
      scripts: {
        // It keeps the hook's output open: the agent must not wait for it.
        start:
          'unset JUJU_CONTEXT_ID; setsid sh -c \'echo $$ > worker; while [ ! -f go ]; do sleep 0.05; done; juju-exec -u a/0 "JUJU_DISPATCH_PATH=hooks/news $CHARM_DIR/dispatch"; echo $? > code; sleep 1000\' &',
        news: 'relation-set -r mates:0 news=arrived',
      },
    });
    await sandbox.settle();
    await sandbox.exec('a/0', 'touch go');
    await sandbox.waitFor('the news', async () => (await sandbox.events('a/0')).includes('news'));
    const charm = sandbox.charmDirectory('a/0');
    await sandbox.waitFor('the end of juju-exec', async () => existsSync(join(charm, 'code')));

    expect((await readFile(join(charm, 'code'), 'utf8')).trim()).toBe('0');
    const shown = await sandbox.call('show-unit', { unit: 'a/0' });
    expect(shown.relations[0]?.localUnit?.data['news']).toBe('arrived');
    const worker = Number(await readFile(join(charm, 'worker'), 'utf8'));
    expect(() => process.kill(worker, 0)).not.toThrow();
    await sandbox.killDaemon();
    await sandbox.restartDaemon();
    await sandbox.settle();
    expect(() => process.kill(worker, 0)).not.toThrow();
  }, 60_000);

  test('kill-controller runs stop and remove, and leaves no process and no file', async () => {
    await sandbox.deploy('a', {
      scripts: {
        start: 'setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo $! > worker',
        stop: 'touch "$CHARM_DIR/../../../../stopped"',
        'config-changed': '[ "$(config-get greeting)" = hello ]',
      },
    });
    await sandbox.settle();
    await sandbox.call('set-config', { application: 'a', values: { greeting: 'fail' } });
    await sandbox.waitFor(
      'an error',
      async () => (await sandbox.unit('a/0'))?.workload.current === 'error',
    );
    const worker = Number(await readFile(join(sandbox.charmDirectory('a/0'), 'worker'), 'utf8'));
    const daemon = await sandbox.daemonPid();

    await sandbox.killController();

    expect(existsSync(sandbox.root)).toBe(false);
    expect(existsSync(join(sandbox.root, '..', 'stopped'))).toBe(true);
    for (const pid of [worker, daemon]) {
      expect(await isGone(pid)).toBe(true);
    }
  }, 60_000);

  test('there is one daemon, and its sockets are for its owner only', async () => {
    const pid = await sandbox.daemonPid();
    await startDaemon(sandbox.root);
    expect(await sandbox.daemonPid()).toBe(pid);

    const main = join(import.meta.dirname, '..', '..', '..', 'lib', 'sandbox', 'daemon', 'main.ts');
    const second = await runProcess(process.execPath, [main, sandbox.root], {
      acceptExitCodes: [1],
    });
    expect(second.stderr).toContain('a daemon runs already');
    expect((await sandbox.call('ping', {})).pid).toBe(pid);

    for (const name of ['daemon.sock', 'run/agent.sock']) {
      expect((await stat(join(sandbox.root, name))).mode & 0o777).toBe(0o600);
    }
  }, 60_000);
});

async function isGone(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State:\tZ');
  return /^State:\s+Z/m.test(state);
}
