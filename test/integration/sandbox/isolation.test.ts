import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

const isRoot = process.getuid?.() === 0;

// Keeps files where PostgreSQL keeps them, and listens where PostgreSQL listens.
const SERVER = `
  mkdir -p /var/lib/postgresql && echo "$JUJU_UNIT_NAME" >> /var/lib/postgresql/owner
  setsid perl -MIO::Socket::INET -e '
    my $server = IO::Socket::INET->new(LocalAddr => "0.0.0.0", LocalPort => 5432, Listen => 5)
      or die "cannot listen: $!";
    open my $ready, ">", "/run/server-ready";
    while (my $client = $server->accept) { print $client "$ENV{JUJU_UNIT_NAME}"; close $client }
  ' </dev/null >/dev/null 2>&1 &
  for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -e /run/server-ready ] && exit 0; sleep 0.1
  done
  exit 1`;

const onlyAsRoot = isRoot ? describe : describe.skip;

onlyAsRoot('machines in namespaces of their own (needs root)', () => {
  let sandbox: SandboxDaemon;
  let marks: { readonly root: string; readonly short: string };

  beforeEach(async () => {
    sandbox = await SandboxDaemon.start({ isolation: 'namespaces' });
    const { isolation, warnings, modelUuid } = await sandbox.call('ping', {});
    // Not skipped where root may not do this: then the warning says what the host has to allow.
    if (isolation === 'none') {
      throw new Error(warnings.join(', '));
    }
    marks = { root: sandbox.root, short: modelUuid.slice(-6) };
  });
  afterEach(async () => {
    await sandbox.destroy();
    const left = traces(marks);
    if (left.length > 0) {
      throw new Error(`left on this host: ${left.join(', ')}`);
    }
  });

  test('two units have the same port and the same directory, and do not meet', async () => {
    await sandbox.deploy('db', { scripts: { start: SERVER }, units: 2 });
    await sandbox.settle();

    const addresses = await machineAddresses(sandbox);
    expect(new Set(addresses).size).toBe(2);
    await expect(Promise.all(addresses.map(ask))).resolves.toEqual(['db/0', 'db/1']);
    for (const unit of ['db/0', 'db/1']) {
      const { stdout } = await sandbox.exec(unit, 'cat /var/lib/postgresql/owner');
      expect(stdout).toBe(`${unit}\n`);
      const other = addresses.find((address) => address !== addresses[Number(unit.slice(-1))]);
      const asked = await sandbox.exec(
        unit,
        `perl -MIO::Socket::INET -e 'print IO::Socket::INET->new("${other ?? ''}:5432")->getline'`,
      );
      expect(asked.stdout).toBe(unit === 'db/0' ? 'db/1' : 'db/0');
    }
  });

  test('a machine has processes, a name and an address of its own, which its charm is told', async () => {
    await sandbox.deploy('a');
    await sandbox.deploy('b');
    await sandbox.call('integrate', { endpoints: ['a:wants', 'b:serves'] });
    await sandbox.settle();

    const [first = '', second = ''] = await machineAddresses(sandbox);
    const { modelUuid } = await sandbox.call('ping', {});
    const { stdout } = await sandbox.exec(
      'a/0',
      [
        'hostname',
        'cat /proc/1/comm',
        'unit-get private-address',
        'network-get juju-info --ingress-address',
        'relation-get -r $(relation-ids wants) ingress-address b/0',
        'relation-get -r $(relation-ids wants) egress-subnets b/0',
        'ls $JUJU_CHARM_DIR/../..',
        'ls /tmp | grep -c "" || true',
      ].join('\n'),
    );
    expect(stdout.split('\n')).toEqual([
      `juju-${modelUuid.slice(-6)}-0`,
      'sleep',
      first,
      first,
      second,
      `${second}/32`,
      'unit-a-0',
      expect.any(String),
      '',
    ]);
    expect(await sandbox.exec('b/0', 'cat /proc/sys/kernel/hostname')).toMatchObject({
      stdout: `juju-${modelUuid.slice(-6)}-1\n`,
    });
  });

  test('hook tools read and write files as the charm sees them', async () => {
    await sandbox.deploy('a');
    await sandbox.settle();
    const { stdout, stderr } = await sandbox.exec(
      'a/0',
      [
        'mkdir -p /opt/own && ln -sfn /opt/own /tmp/link',
        'printf "a: from a file\\n" > /tmp/link/values',
        'relation-set -r $(relation-ids mates) --file /tmp/link/values',
        'relation-get -r $(relation-ids mates) -o /tmp/link/out a a/0 && cat /opt/own/out',
        'state-set --file /tmp/none',
      ].join('\n'),
    );
    expect(stdout).toBe('from a file\n');
    expect(stderr).toContain('/tmp/none: No such file or directory');
    expect(existsSync('/opt/own')).toBe(false);
  });

  test('a background process finds its unit by juju-exec, also after a new daemon', async () => {
    await sandbox.deploy('a', {
      scripts: {
        start: `
          cat > /usr/local/bin/observer <<'SCRIPT'
            unset JUJU_CONTEXT_ID
            while :; do
              [ -e /var/tmp/go ] && juju-exec a/0 'status-set active "seen by $JUJU_UNIT_NAME"' && exit
              sleep 0.1
            done
SCRIPT
          setsid sh /usr/local/bin/observer </dev/null >/dev/null 2>&1 &`,
      },
    });
    await sandbox.settle();
    await sandbox.killDaemon();
    await sandbox.restartDaemon();
    await sandbox.exec('a/0', 'touch /var/tmp/go');

    await sandbox.waitFor('the status of the observer', async () => {
      const unit = await sandbox.unit('a/0');
      return unit?.workload.message === 'seen by a/0';
    });
  });

  test('a machine whose first process was killed starts again with its files', async () => {
    await sandbox.deploy('a');
    await sandbox.settle();
    await sandbox.exec('a/0', 'echo kept > /srv/file; (sleep 1000 >/dev/null 2>&1 &)');
    const init = initOf(sandbox, '0');
    process.kill(init, 'SIGKILL');
    await sandbox.waitFor('the end of the machine', async () => Promise.resolve(!isRunning(init)));

    const { stdout } = await sandbox.exec('a/0', 'cat /srv/file; ps -e | grep -c "sleep" || true');
    // Only the new first process sleeps.
    expect(stdout).toBe('kept\n1\n');
    await expect(machineAddresses(sandbox)).resolves.toHaveLength(1);
  });

  test('nothing is left when daemon and a machine were killed before the end', async () => {
    await sandbox.deploy('db', { scripts: { start: SERVER }, units: 2 });
    await sandbox.settle();
    await sandbox.killDaemon();
    // The bridge, the interfaces of two machines, their first processes and servers, the directory.
    expect(traces(marks).length).toBeGreaterThan(5);
    process.kill(initOf(sandbox, '1'), 'SIGKILL');
    await sandbox.killController();
    expect(traces(marks)).toEqual([]);
  });

  test('a machine goes with its unit, and its address is free again', async () => {
    await sandbox.deploy('a', { units: 2 });
    await sandbox.settle();
    const [, second] = await machineAddresses(sandbox);
    const init = initOf(sandbox, '1');
    await sandbox.call('remove-unit', { units: ['a/1'] });
    await sandbox.waitFor('the end of machine 1', async () => {
      const { machines } = await sandbox.status();
      return machines.length === 1 && !isRunning(init);
    });
    await sandbox.call('add-unit', { application: 'a' });
    const status = await sandbox.settle();
    expect(status.machines.map(({ id, addresses }) => [id, addresses[0]])).toEqual([
      ['0', expect.any(String)],
      ['2', second],
    ]);
  });
});

/** What a sandbox could leave on this host: mounts, interfaces, processes. */
function traces({ root, short }: { readonly root: string; readonly short: string }): string[] {
  return [
    ...readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes(root)),
    ...readdirSync('/sys/class/net').filter((name) => name.startsWith(`jj${short}`)),
    ...readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => environmentOf(pid).includes(`JUJU_SANDBOX_MACHINE=${root}`)),
    ...(existsSync(root) ? [root] : []),
  ];
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}

function initOf(sandbox: SandboxDaemon, machine: string): number {
  const stat = readFileSync(join(sandbox.root, 'machines', machine, 'init.stat'), 'utf8');
  return Number(stat.split(' ', 1)[0]);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function machineAddresses(sandbox: SandboxDaemon): Promise<readonly string[]> {
  const { machines } = await sandbox.status();
  return machines.flatMap(({ addresses }) => addresses);
}

/** What the server at the address says. */
async function ask(address: string): Promise<string> {
  const socket = connect(5432, address);
  const pieces: string[] = [];
  for await (const piece of socket) {
    pieces.push(String(piece));
  }
  return pieces.join('');
}
