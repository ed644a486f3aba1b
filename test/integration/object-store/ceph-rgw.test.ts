/** The contract, and a whole snapshot, on a real S3 server: Ceph's gateway, over http and https. */
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { createS3ObjectStore, type S3Options } from '#object-store';
import { openSnapshot } from '#snapshots';
import { describeObjectStoreContract } from '../../contract/object-store-contract.ts';
import { describeStoreFaultsContract } from '../../contract/store-faults-contract.ts';
import { type SharedCephRgw, sharedCephRgw } from '../../helpers/ceph-rgw.ts';
import { aSnapshot } from '../../helpers/snapshots.ts';

let gateway: SharedCephRgw;
beforeAll(async () => {
  gateway = await sharedCephRgw();
}, 300_000);

/** Settings for a new bucket. */
async function aBucket(scheme: 'http' | 'https', bucket: string): Promise<S3Options> {
  const { endpoint, tlsEndpoint, accessKey, secretKey, caPem } = gateway;
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  return scheme === 'http'
    ? { bucket, endpoint, accessKey, secretKey }
    : { bucket, endpoint: tlsEndpoint, accessKey, secretKey, tlsCaChain: [caPem] };
}

for (const scheme of ['http', 'https'] as const) {
  describeObjectStoreContract({
    name: `Ceph RGW over ${scheme}`,
    create: async () => {
      const store = createS3ObjectStore(await aBucket(scheme, `contract-${scheme}`));
      return { store, close: async () => store.close() };
    },
  });
}

describeStoreFaultsContract({
  name: 'Ceph RGW',
  create: async () => {
    const store = createS3ObjectStore(await aBucket('http', 'store-faults'));
    return { store, close: async () => store.close() };
  },
});

describe('snapshots on Ceph RGW', () => {
  test('are complete, and the second shares what did not change', async () => {
    const store = createS3ObjectStore(await aBucket('https', 'snapshots'));
    await aSnapshot({ store });
    const second = await aSnapshot({ store, jobId: 'job-2' });
    expect(second.newBytes).toBeLessThan(5000);
    const snapshot = await openSnapshot(store, second.artefactPath);
    expect((await snapshot.verify()).files).toBe(8);
    store.close();
  });

  test('a wrong secret and a missing bucket are told apart', async () => {
    const good = await aBucket('http', 'errors');
    const outcomes = await Promise.all(
      [
        { ...good, secretKey: 'wrong' },
        { ...good, bucket: 'missing' },
      ].map(async (options) => {
        const store = createS3ObjectStore(options);
        const error = await store.get('k').catch((it: unknown) => it);
        store.close();
        return error;
      }),
    );
    expect(outcomes).toMatchObject([{ code: 'wrong-credentials' }, { code: 'no-such-bucket' }]);
  });
});
