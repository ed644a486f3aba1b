/**
 * A throw-away Ceph object gateway, the real S3 server of the integration tests: one monitor, one
 * store in memory and one gateway from the distribution's packages, all below a temporary directory.
 * It takes about ten seconds to start. Nothing here passes silently where Ceph cannot run.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  HintError,
  identifyProcess,
  isProcessAlive,
  type ProcessIdentity,
  readFileIfExists,
  runProcess,
  systemClock,
} from '#system';
import { ensureDebianPackages } from '#tooling';
import { type CephPorts, cephConfiguration, cephDirectories } from './ceph-configuration.ts';
import { createCertificate } from './certificate.ts';
import { freePorts } from './free-ports.ts';
import { shared } from './shared-things.ts';

export interface CephRgw extends AsyncDisposable {
  readonly directory: string;
  /** Over http. */
  readonly endpoint: string;
  /** Over https, with a certificate that only `caPem` vouches for. */
  readonly tlsEndpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly caPem: string;
  /** Ends its processes and removes all it stored. Idempotent. */
  stop(): Promise<void>;
}

const PACKAGES = ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph-common', 'openssl'];
/** In the order in which they are to be ended: the clients first. */
const DAEMONS = ['client.rgw', 'osd.0', 'mon.a'];
const COMMAND_TIMEOUT_MS = 120_000;
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

/**
 * Installs the packages where they are missing (as root), and starts a gateway.
 * @throws HintError when the packages cannot be installed, or the gateway does not come up
 */
export async function startCephRgw(): Promise<CephRgw> {
  await ensureDebianPackages(PACKAGES);
  const directory = await mkdtemp(join(tmpdir(), 'ceph-rgw-'));
  const stop = async (): Promise<void> => await stopCeph(directory);
  try {
    return { ...(await start(directory)), stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    const log = await readFileIfExists(join(directory, 'log', 'client.rgw.log'));
    await stop();
    throw new HintError(`cannot start a Ceph gateway in ${directory}`, {
      code: 'ceph-not-started',
      hint: `look at the cause${log === undefined ? '' : `, and at the end of its log: ${log.slice(-1000)}`}`,
      cause: error,
    });
  }
}

export type SharedCephRgw = Omit<CephRgw, 'stop' | typeof Symbol.asyncDispose>;

/** The gateway of this run of tests, for those with buckets of their own; it ends with the run. */
export async function sharedCephRgw(): Promise<SharedCephRgw> {
  return await shared('ceph', startCephRgw);
}

/** @param runDirectory of a run of tests, which may have started none */
export async function stopSharedCephRgw(runDirectory: string): Promise<void> {
  const text = await readFileIfExists(join(runDirectory, 'ceph.json'));
  if (text !== undefined) {
    await stopCeph((JSON.parse(text) as SharedCephRgw).directory);
  }
}

async function start(directory: string): Promise<SharedCephRgw> {
  for (const name of cephDirectories) {
    await mkdir(join(directory, name));
  }
  const [http = 0, https = 0, monitor = 0] = await freePorts(3);
  const ports = { http, https, monitor };
  const certificate = await createCertificate(directory);
  const clusterId = randomUUID();
  await writeFile(
    join(directory, 'ceph.conf'),
    cephConfiguration({ directory, ports, clusterId, certificate }),
  );
  await startMonitor(directory, ports, clusterId);
  await startStore(directory);
  const { accessKey, secretKey } = newKeys();
  await createUser(directory, { uid: 'test', accessKey, secretKey });
  await ceph(directory, 'radosgw', ['-n', 'client.rgw']);
  await waitForGateway(http);
  return {
    directory,
    endpoint: `http://127.0.0.1:${http}`,
    tlsEndpoint: `https://127.0.0.1:${https}`,
    accessKey,
    secretKey,
    caPem: certificate.certPem,
  };
}

async function startMonitor(directory: string, ports: CephPorts, clusterId: string): Promise<void> {
  const keyring = join(directory, 'keyring');
  const monmap = join(directory, 'monmap');
  const address = `[v1:127.0.0.1:${ports.monitor}]`;
  const keys = [
    ['mon.', 'mon', 'allow *'],
    ['client.admin', 'mon', 'allow *', 'osd', 'allow *', 'mgr', 'allow *'],
    ['client.rgw', 'mon', 'allow rw', 'osd', 'allow rwx'],
  ];
  await run('ceph-authtool', ['--create-keyring', keyring]);
  for (const [name = '', ...capabilities] of keys) {
    const pairs = capabilities.map((word, index) => (index % 2 === 0 ? ['--cap', word] : [word]));
    await run('ceph-authtool', [keyring, '--gen-key', '-n', name, ...pairs.flat()]);
  }
  await run('monmaptool', ['--create', '--addv', 'a', address, '--fsid', clusterId, monmap]);
  const monitor = ['-i', 'a', '--mon-data', join(directory, 'mon')];
  await ceph(directory, 'ceph-mon', [
    '--mkfs',
    ...monitor,
    '--monmap',
    monmap,
    '--keyring',
    keyring,
  ]);
  await ceph(directory, 'ceph-mon', [...monitor, '--public-addrv', address]);
}

async function startStore(directory: string): Promise<void> {
  const id = randomUUID();
  const store = ['-i', '0', '--osd-data', join(directory, 'osd')];
  await ceph(directory, 'ceph', ['osd', 'new', id]);
  await ceph(directory, 'ceph-osd', [...store, '--mkfs', '--osd-uuid', id]);
  await ceph(directory, 'ceph-osd', store);
  await ceph(directory, 'ceph', [
    'osd',
    'crush',
    'add',
    'osd.0',
    '1.0',
    'host=localhost',
    'root=default',
  ]);
}

export interface CephUser {
  readonly uid: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/** Another user, who may do nothing in the buckets of others but what their policies allow. */
export async function addCephUser({ directory }: Pick<CephRgw, 'directory'>): Promise<CephUser> {
  const user = { uid: `user-${randomUUID()}`, ...newKeys() };
  await createUser(directory, user);
  return user;
}

function newKeys(): Pick<CephUser, 'accessKey' | 'secretKey'> {
  return {
    accessKey: `TEST${randomBytes(8).toString('hex').toUpperCase()}`,
    secretKey: randomBytes(20).toString('hex'),
  };
}

async function createUser(
  directory: string,
  { uid, accessKey, secretKey }: CephUser,
): Promise<void> {
  const creation = `-n client.rgw user create --uid=${uid} --display-name=${uid}`.split(' ');
  // Keys of a gateway that lives for one test; there is no other way to choose them.
  const keys = [`--access-key=${accessKey}`, `--secret=${secretKey}`];
  await ceph(directory, 'radosgw-admin', [...creation, ...keys]);
}

async function waitForGateway(port: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < START_TIMEOUT_MS; waitedMs += POLL_MS) {
    if (await answers(port)) {
      return;
    }
    await systemClock.sleep(POLL_MS);
  }
  throw new Error(`the gateway did not answer on port ${port}`);
}

async function answers(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('error', () => resolve(false));
  });
}

async function stopCeph(directory: string): Promise<void> {
  for (const daemon of DAEMONS) {
    const identity = await daemonProcess(directory, daemon);
    if (identity !== undefined) {
      process.kill(identity.pid, 'SIGKILL');
      while (isProcessAlive(identity)) {
        await systemClock.sleep(POLL_MS);
      }
    }
  }
  await rm(directory, { recursive: true, force: true });
}

// A pid file may outlive its process, and the number be another's by now: the command line tells.
async function daemonProcess(
  directory: string,
  daemon: string,
): Promise<ProcessIdentity | undefined> {
  const pid = Number(await readFileIfExists(join(directory, 'run', `${daemon}.pid`)));
  const identity = pid > 0 ? identifyProcess(pid) : undefined;
  if (identity === undefined) {
    return undefined;
  }
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.includes(join(directory, 'ceph.conf')) ? identity : undefined;
}

async function ceph(directory: string, command: string, args: readonly string[]): Promise<void> {
  await run(command, ['-c', join(directory, 'ceph.conf'), ...args]);
}

async function run(command: string, args: readonly string[]): Promise<void> {
  await runProcess(command, args, { timeoutMs: COMMAND_TIMEOUT_MS });
}
