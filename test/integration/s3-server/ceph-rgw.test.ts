import { readdir, readFile } from 'node:fs/promises';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { identifyProcess, isProcessAlive, type ProcessIdentity, readFileIfExists } from '#system';
import { startCephRgw } from '../../helpers/ceph-rgw.ts';
import { clientFor, outcomeOf, tlsClientFor } from './clients.ts';

test('a throw-away Ceph gateway serves http and https, and nothing of it is left when it is stopped', async () => {
  const ceph = await startCephRgw();
  const plain = clientFor(ceph);
  const secure = tlsClientFor({ ...ceph, endpoint: ceph.tlsEndpoint }, ceph.caPem);
  expect(await outcomeOf(plain.send(new ListBucketsCommand()))).toBe('200');
  expect(await outcomeOf(secure.send(new ListBucketsCommand()))).toBe('200');
  const running = await gatewayProcesses(new URL(ceph.endpoint).port);
  expect(running.length).toBeGreaterThanOrEqual(3);
  await ceph.stop();
  await ceph.stop();
  expect(await outcomeOf(plain.send(new ListBucketsCommand()))).toMatch(/no answer/);
  expect(running.filter(isProcessAlive)).toEqual([]);
  plain.destroy();
  secure.destroy();
}, 120_000);

/** The processes whose configuration makes a gateway listen on this port; others may run beside it. */
async function gatewayProcesses(port: string): Promise<ProcessIdentity[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = [];
  for (const pid of pids) {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const configuration = commandLine.split('\0').find((word) => word.endsWith('/ceph.conf'));
    const text = configuration === undefined ? undefined : await readFileIfExists(configuration);
    const identity = identifyProcess(Number(pid));
    if (identity !== undefined && text?.includes(`endpoint=127.0.0.1:${port} `) === true) {
      found.push(identity);
    }
  }
  return found;
}
