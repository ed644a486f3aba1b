/** Two small charms that play the other ends of the manager: an s3-integrator, and a database that knows version 0 only. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An integrator gives what its options say: keys in the databag (version 0), or in a secret (version 1). */
const INTEGRATOR = {
  metadata: `
name: s3-integrator
summary: Gives S3 settings
description: Plays an s3-integrator.
provides:
  s3-credentials: {interface: s3}
`,
  config: `
options:
  version: {type: int, default: 0, description: Of the interface}
  endpoint: {type: string, default: "", description: URL}
  bucket: {type: string, default: "", description: Name}
  path: {type: string, default: "", description: Prefix}
  keys: {type: secret, description: Secret with the keys}
`,
  // What people give is a secret of theirs; version 1 shares one of its own.
  code: `
const keysOf = () => JSON.parse(tool('secret-get', config.keys, '--refresh', '--format=json'));
for (const id of relationIds('s3-credentials')) {
  if (!config.keys) continue;
  const keys = keysOf();
  const pairs = Object.entries(keys).map(([name, value]) => name + '=' + value);
  const plain = ['endpoint', 'bucket', 'path'].map((name) => name + '=' + (config[name] ?? ''));
  if (config.version === 0) {
    tool('relation-set', '-r', id, '--app', ...plain, ...pairs, 'secret-extra=');
    continue;
  }
  let uri = JSON.parse(tool('relation-get', '-r', id, '--app', '--format=json', '-', app))['secret-extra'];
  if (uri) {
    tool('secret-set', uri, ...pairs);
  } else {
    uri = tool('secret-add', '--label', 'keys-' + id.replace(':', '-'), ...pairs).trim();
  }
  tool('secret-grant', uri, '-r', id);
  tool('relation-set', '-r', id, '--app', ...plain, 'secret-extra=' + uri, 'access-key=', 'secret-key=');
}
`,
};

/** A database answers each job as its options say, and speaks version 0 of the interface. */
const DATABASE = {
  metadata: `
name: plain-database
summary: Answers jobs
description: Plays a database charm that knows version 0 of database_backup.
provides:
  backups: {interface: database_backup}
`,
  config: `
options:
  status: {type: string, default: running, description: Of every job}
  artefact-path: {type: string, default: "", description: Of every backup}
`,
  code: `
for (const id of relationIds('backups')) {
  const names = JSON.parse(tool('relation-list', '-r', id, '--app', '--format=json'));
  const text = JSON.parse(tool('relation-get', '-r', id, '--app', '--format=json', '-', names)).jobs;
  const jobs = JSON.parse(text ?? '[]');
  const statuses = jobs.map((job) => ({
    'job-id': job['job-id'],
    'job-type': job['job-type'],
    'job-config': job['job-config'],
    'storage-interface': 's3',
    'storage-config': { ...job['storage-config'], 'access-key': '', 'secret-key': '' },
    status: config.status,
    ...(config['artefact-path'] ? { 'artefact-path': config['artefact-path'] } : {}),
  }));
  tool('relation-set', '-r', id, 'jobs=' + JSON.stringify(statuses));
}
`,
};

const PRELUDE = `
const { execFileSync } = require('node:child_process');
const tool = (name, ...args) => execFileSync(name, args, { encoding: 'utf8' });
const app = process.env.JUJU_UNIT_NAME.split('/')[0];
const config = JSON.parse(tool('config-get', '--format=json'));
const relationIds = (name) => JSON.parse(tool('relation-ids', name, '--format=json'));
if (process.env.JUJU_DISPATCH_PATH.endsWith('relation-broken')) process.exit(0);
tool('status-set', 'active');
`;

async function writeCharm(
  folder: string,
  name: string,
  { metadata, config, code }: typeof INTEGRATOR,
): Promise<string> {
  const charm = join(folder, name);
  await mkdir(charm, { recursive: true });
  await writeFile(join(charm, 'metadata.yaml'), metadata.trimStart());
  await writeFile(join(charm, 'config.yaml'), config.trimStart());
  const dispatch = `#!${process.execPath}\n${PRELUDE}${code}`;
  await writeFile(join(charm, 'dispatch'), dispatch, { mode: 0o755 });
  return charm;
}

/** Writes the charm below `folder`; answers with its path. */
export async function writeIntegrator(folder: string): Promise<string> {
  return await writeCharm(folder, 's3-integrator', INTEGRATOR);
}

/** Writes the charm below `folder`; answers with its path. */
export async function writePlainDatabase(folder: string): Promise<string> {
  return await writeCharm(folder, 'plain-database', DATABASE);
}
