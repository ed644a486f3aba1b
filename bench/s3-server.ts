/**
 * How fast the sandbox's S3 server takes and gives objects of 8 MiB over loopback, and what that costs
 * it. The client is a plain one in a process of its own, so that the figures are the server's.
 *
 *     node bench/s3-server.ts [SECONDS]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createS3Server } from '#sandbox';
import { canonicalRequest, sha256Hex } from '../lib/sandbox/s3-server/sigv4/canonical-request.ts';
import { Signer } from '../lib/sandbox/s3-server/sigv4/signer.ts';

const OBJECT_BYTES = 8 * 1024 * 1024;
const PARALLEL = 4;
const KEYS = 32;
const CREDENTIALS = { accessKey: 'BENCH', secretKey: 'bench-secret' };

interface Measurement {
  readonly operation: string;
  readonly megabytesPerSecond: number;
  /** Cores that the server's process kept busy. */
  readonly serverCores: number;
}

type PayloadForm = 'signed' | 'unsigned';

/** The server's side: its own process, which tells its processor time when asked. */
async function serve(directory: string): Promise<void> {
  const server = await createS3Server({ directory, ...CREDENTIALS, buckets: ['bench'] });
  process.on('message', () => process.send?.({ cpu: process.cpuUsage() }));
  process.on('disconnect', () => void server.close());
  process.send?.({ port: server.port });
}

async function runBench(seconds: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 's3-bench-'));
  const child = fork(import.meta.filename, {
    env: { ...process.env, BENCH_SERVER_DIRECTORY: directory },
  });
  try {
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    const client = new BenchClient(port);
    // The first write of a file costs the machine more than any later one; that is not what we measure.
    await measure('warm-up', 1, child, (key) => client.put(key, 'unsigned'));
    const results = [
      await measure('PUT, signed payload', seconds, child, (key) => client.put(key, 'signed')),
      await measure('PUT, unsigned payload', seconds, child, (key) => client.put(key, 'unsigned')),
      await measure('GET', seconds, child, (key) => client.get(key)),
    ];
    report(results);
  } finally {
    child.disconnect();
    await once(child, 'exit');
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(
  operation: string,
  seconds: number,
  server: ChildProcess,
  act: (key: string) => Promise<void>,
): Promise<Measurement> {
  const cpuBefore = await cpuSeconds(server);
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  let objects = 0;
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      while (performance.now() < endsAt) {
        await act(`object-${objects++ % KEYS}`);
      }
    }),
  );
  const elapsed = (performance.now() - startedAt) / 1000;
  return {
    operation,
    megabytesPerSecond: (objects * OBJECT_BYTES) / 1e6 / elapsed,
    serverCores: ((await cpuSeconds(server)) - cpuBefore) / elapsed,
  };
}

async function cpuSeconds(server: ChildProcess): Promise<number> {
  server.send('cpu');
  const [{ cpu }] = (await once(server, 'message')) as [{ cpu: NodeJS.CpuUsage }];
  return (cpu.user + cpu.system) / 1e6;
}

function report(results: readonly Measurement[]): void {
  const processor = cpus()[0]?.model ?? 'unknown processor';
  console.log(`${cpus().length} cores (${processor}), Node ${process.version}`);
  console.log(`objects of 8 MiB, ${PARALLEL} at a time, http over loopback\n`);
  console.table(
    Object.fromEntries(
      results.map(({ operation, megabytesPerSecond, serverCores }) => [
        operation,
        {
          'MB/s': Math.round(megabytesPerSecond),
          'server cores': Number(serverCores.toFixed(2)),
          'MB per core second': Math.round(megabytesPerSecond / serverCores),
        },
      ]),
    ),
  );
  console.log(JSON.stringify({ processor, node: process.version, results }));
}

/** Signs and sends, and computes nothing else: the body's hash is known beforehand. */
class BenchClient {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #body = randomBytes(OBJECT_BYTES);
  readonly #hash = sha256Hex(this.#body);

  constructor(port: number) {
    this.#port = port;
  }

  async put(key: string, form: PayloadForm): Promise<void> {
    await this.#send('PUT', key, form === 'signed' ? this.#hash : 'UNSIGNED-PAYLOAD', this.#body);
  }

  async get(key: string): Promise<void> {
    const received = await this.#send('GET', key, sha256Hex(''));
    if (received !== OBJECT_BYTES) {
      throw new Error(`received ${received} bytes instead of ${OBJECT_BYTES}`);
    }
  }

  async #send(method: string, key: string, hash: string, body?: Buffer): Promise<number> {
    const path = `/bench/${key}`;
    const call = request({
      port: this.#port,
      host: '127.0.0.1',
      agent: this.#agent,
      method,
      path,
      headers: {
        ...this.#sign(method, path, hash),
        ...(body === undefined ? {} : { 'content-length': body.length }),
      },
    });
    call.end(body);
    const [response] = await once(call, 'response');
    let received = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      received += chunk.length;
    }
    if (response.statusCode !== 200) {
      throw new Error(`${method} ${path} was answered ${response.statusCode}`);
    }
    return received;
  }

  #sign(method: string, path: string, payloadHash: string): Record<string, string> {
    const timestamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const day = timestamp.slice(0, 8);
    const headers = {
      host: `127.0.0.1:${this.#port}`,
      'x-amz-content-sha256': payloadHash,
      'x-amz-date': timestamp,
    };
    const signedHeaders = Object.keys(headers);
    const signature = new Signer(CREDENTIALS.secretKey, {
      day,
      region: 'us-east-1',
      timestamp,
    }).signRequest(
      canonicalRequest({ method, path, query: [], headers, signedHeaders, payloadHash }),
    );
    const credential = `${CREDENTIALS.accessKey}/${day}/us-east-1/s3/aws4_request`;
    return {
      ...headers,
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`,
    };
  }
}

// Below the class, which exists only from its line on.
if (process.env['BENCH_SERVER_DIRECTORY'] === undefined) {
  await runBench(Number(process.argv[2] ?? 5));
} else {
  await serve(process.env['BENCH_SERVER_DIRECTORY']);
}
