import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from '@jest/globals';
import type { Fault, FinishedRequest } from '#sandbox';
import { Gate } from '../../helpers/gate.ts';
import { clientFor, outcomeOf, startServer } from './clients.ts';

const target = { Bucket: 'bucket', Key: 'key' };
const body = Buffer.alloc(2_000_000, 'a');

/** What a read of a stored object gives when it meets the fault. */
async function readWith(fault: Fault): Promise<string> {
  await using served = await startServer({
    faults: ({ operation }) => (operation === 'GetObject' ? fault : undefined),
  });
  const client = clientFor(served.server);
  try {
    await client.send(new PutObjectCommand({ ...target, Body: body }));
    const answer = await client.send(new GetObjectCommand(target));
    const bytes = await answer.Body?.transformToByteArray();
    return `200 with ${bytes?.length}`;
  } catch (error) {
    return (error as Error).name;
  } finally {
    client.destroy();
  }
}

describe('a fault', () => {
  test.each<[Fault, string | RegExp]>([
    [{ kind: 'status', status: 500 }, 'InternalError'],
    [{ kind: 'status', status: 503 }, 'SlowDown'],
    [{ kind: 'status', status: 404, code: 'NoSuchKey' }, 'NoSuchKey'],
    [{ kind: 'delay', ms: 1 }, '200 with 2000000'],
    [{ kind: 'reset' }, /Error/],
    [{ kind: 'truncate', afterBytes: 1_000_000 }, /Error/],
    // The SDK checks the checksum that the object was stored with.
    [{ kind: 'corrupt', offset: 1_500_000 }, /Error/],
  ])('%j is what a client sees', async (fault, expected) => {
    expect(await readWith(fault)).toMatch(expected);
  });

  test('that loses the answer leaves the work done', async () => {
    await using served = await startServer({
      faults: ({ operation }) => (operation === 'PutObject' ? { kind: 'lose-answer' } : undefined),
    });
    const client = clientFor(served.server);
    expect(
      await outcomeOf(client.send(new PutObjectCommand({ ...target, Body: 'hello' }))),
    ).toMatch(/no answer/);
    expect(await outcomeOf(client.send(new HeadObjectCommand(target)))).toBe('200');
    client.destroy();
  });

  test('that holds a request lets it through when it is time', async () => {
    const gate = new Gate();
    await using served = await startServer({
      faults: ({ operation }) => (operation === 'PutObject' ? gate.pass() : undefined),
    });
    const client = clientFor(served.server);
    const put = async (Key: string): Promise<string> =>
      await outcomeOf(client.send(new PutObjectCommand({ ...target, Key, Body: 'hello' })));
    const head = async (Key: string): Promise<string> =>
      await outcomeOf(client.send(new HeadObjectCommand({ ...target, Key })));
    gate.shut(1);
    expect(await put('first')).toBe('200');
    const second = put('second');
    await gate.reached;
    expect([await head('first'), await head('second')]).toEqual(['200', '404 NotFound']);
    gate.open();
    expect([await second, await head('second')]).toEqual(['200', '200']);
    client.destroy();
  });

  test('that holds a request for ever keeps no server from closing', async () => {
    const gate = new Gate();
    const served = await startServer({ faults: () => gate.pass() });
    const client = clientFor(served.server);
    gate.shut();
    const put = outcomeOf(client.send(new PutObjectCommand({ ...target, Body: 'hello' })));
    await gate.reached;
    await served[Symbol.asyncDispose]();
    expect(await put).toMatch(/no answer/);
    client.destroy();
  });

  test('strikes only the requests chosen, which are all told of', async () => {
    const seen: FinishedRequest[] = [];
    let failures = 0;
    await using served = await startServer({
      faults: ({ key }) =>
        key === 'key' && ++failures === 1 ? { kind: 'status', status: 503 } : undefined,
      onRequest: (request) => seen.push(request),
    });
    const client = clientFor(served.server);
    const put = (): Promise<string> =>
      outcomeOf(client.send(new PutObjectCommand({ ...target, Body: 'hello' })));
    expect([await put(), await put()]).toEqual(['503 SlowDown', '200']);
    expect(seen).toMatchObject([
      { operation: 'PutObject', bucket: 'bucket', key: 'key', status: 503, errorCode: 'SlowDown' },
      { operation: 'PutObject', status: 200, errorCode: undefined },
    ]);
    client.destroy();
  });
});
