/** Operations on buckets as a whole. */
import { xmlDocument } from '../protocol/xml.ts';
import { type Exchange, type Reply, readDocument } from './exchange.ts';
import { OWNER } from './owner.ts';

export function listBuckets(exchange: Exchange): Reply {
  const buckets = exchange.store.buckets();
  return {
    status: 200,
    xml: xmlDocument('ListAllMyBucketsResult', [
      ['Owner', OWNER],
      [
        'Buckets',
        buckets.map(
          ({ name, createdAt }) =>
            [
              'Bucket',
              [
                ['Name', name],
                ['CreationDate', createdAt],
              ],
            ] as const,
        ),
      ],
    ]),
  };
}

/** One that exists already is a success, as in S3's first region and in Ceph. */
export async function createBucket(exchange: Exchange): Promise<Reply> {
  // A location constraint may come; every place is the same here.
  await readDocument(exchange);
  await exchange.store.createBucket(exchange.bucket, exchange.now);
  return { status: 200, headers: { location: `/${exchange.bucket}` } };
}

export function headBucket(exchange: Exchange): Reply {
  exchange.store.bucket(exchange.bucket);
  return { status: 200, headers: { 'x-amz-bucket-region': exchange.region } };
}

export function deleteBucket(exchange: Exchange): Reply {
  exchange.store.deleteBucket(exchange.bucket);
  return { status: 204 };
}

/** S3's first region has no name here. */
export function getBucketLocation(exchange: Exchange): Reply {
  exchange.store.bucket(exchange.bucket);
  const region = exchange.region === 'us-east-1' ? '' : exchange.region;
  return { status: 200, xml: xmlDocument('LocationConstraint', []).replace('></', `>${region}</`) };
}
