import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { minimalEnvironment, type RunResult, runProcess } from '#system';
import { clientFor, type Endpoint, outcomeOf } from './clients.ts';

const program = fileURLToPath(new URL('../../../lib/sandbox/bin/juju-s3.mjs', import.meta.url));
let data: string;

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'juju-s3-'));
});

afterEach(async () => {
  await jujuS3('stop');
  await rm(data, { recursive: true, force: true });
});

async function jujuS3(...args: readonly string[]): Promise<RunResult> {
  return await runProcess(process.execPath, [program, ...args, '--data', data], {
    acceptExitCodes: [0, 1, 2],
    env: minimalEnvironment(),
    timeoutMs: 30_000,
  });
}

async function startDetached(): Promise<Endpoint> {
  const { stdout } = await jujuS3('start', '--detach', '--bucket', 'bucket');
  return { endpoint: valueOf(stdout, 'endpoint'), ...(await keys()) };
}

async function keys(): Promise<{ accessKey: string; secretKey: string }> {
  const text = await readFile(join(data, 'credentials.yaml'), 'utf8');
  return { accessKey: valueOf(text, 'access-key'), secretKey: valueOf(text, 'secret-key') };
}

function valueOf(text: string, name: string): string {
  return new RegExp(`^${name}: (.+)$`, 'm').exec(text)?.[1] ?? '';
}

describe('juju-s3', () => {
  test('starts in the background with keys of its own, tells where it is, and stops', async () => {
    const endpoint = await startDetached();
    const client = clientFor(endpoint);
    const { Buckets } = await client.send(new ListBucketsCommand());
    expect(Buckets?.map(({ Name }) => Name)).toEqual(['bucket']);
    expect((await stat(join(data, 'credentials.yaml'))).mode & 0o777).toBe(0o600);
    expect((await jujuS3('status')).stdout).toContain(`endpoint: ${endpoint.endpoint}`);
    expect((await jujuS3('stop')).stdout).toBe('stopped\n');
    expect(await outcomeOf(client.send(new ListBucketsCommand()))).toMatch(/no answer/);
    expect((await jujuS3('status')).exitCode).toBe(1);
    client.destroy();
  });

  test('tells how to use the keys without showing the secret', async () => {
    const { secretKey } = await startDetached();
    const { stdout } = await jujuS3('credentials');
    expect(stdout).toContain(`juju add-secret s3-credentials --file ${data}/credentials.yaml`);
    expect(stdout).not.toContain(secretKey);
    expect(await readFile(join(data, 'server.log'), 'utf8')).not.toContain(secretKey);
  });

  test('refuses to start twice on the same data', async () => {
    await startDetached();
    for (const mode of [['--detach'], []]) {
      const second = await jujuS3('start', ...mode);
      expect(second.exitCode).toBe(1);
      expect(second.stderr).toContain('another S3 server is using it; stop that one');
    }
  });

  test('says what to do when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const { exitCode, stderr } = await jujuS3('start', '--detach', '--port', String(port));
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `cannot listen on 127.0.0.1:${port}: the port is taken; choose another`,
    );
    other.close();
  });

  test('calls wrong usage by another exit code', async () => {
    const { exitCode, stderr } = await jujuS3('begin');
    expect(exitCode).toBe(2);
    expect(stderr).toBe('ERROR unknown command "begin"; see "juju-s3 --help"\n');
  });

  test('ends in the foreground when it is asked to', async () => {
    const child = spawn(process.execPath, [program, 'start', '--data', data], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('killed in the middle of an upload keeps what was confirmed and nothing else', async () => {
    const endpoint = await startDetached();
    const client = clientFor(endpoint);
    const target = { Bucket: 'bucket', Key: 'object' };
    await client.send(new PutObjectCommand({ ...target, Body: 'confirmed' }));
    const pid = Number(valueOf((await jujuS3('status')).stdout, 'process'));
    const halfWay = Promise.withResolvers<void>();
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(4_000_000);
      halfWay.resolve();
      await Promise.withResolvers<never>().promise;
    }
    const { Readable } = await import('node:stream');
    const upload = outcomeOf(
      client.send(
        new PutObjectCommand({
          ...target,
          Body: Readable.from(endless()),
          ContentLength: 8_000_000,
        }),
      ),
    );
    await halfWay.promise;
    await waitFor(async () => (await readdir(join(data, 'incoming'))).length > 0);
    process.kill(pid, 'SIGKILL');
    expect(await upload).toMatch(/no answer/);
    client.destroy();
    const again = clientFor(await startDetached());
    const { Contents } = await again.send(new ListObjectsV2Command({ Bucket: 'bucket' }));
    expect(Contents).toMatchObject([{ Key: 'object', Size: 9 }]);
    const { Body } = await again.send(new GetObjectCommand(target));
    expect(await Body?.transformToString()).toBe('confirmed');
    expect(await readdir(join(data, 'incoming'))).toEqual([]);
    again.destroy();
  });
});

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
