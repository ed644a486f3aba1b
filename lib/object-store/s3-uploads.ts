/** Multipart uploads that somebody began and nobody ended: their parts cost space and are in no listing of objects. */
import type * as Sdk from '@aws-sdk/client-s3';
import type { OperationOptions } from './object-store.ts';
import { statusOf } from './s3-answers.ts';
import type { S3Session } from './s3-session.ts';

/**
 * Aborts the uploads below the prefix that began before `olderThan`; younger ones may be under way.
 * @returns how many went
 * @throws ObjectStoreError, for example `access-denied` naming the missing permission
 */
export async function sweepUploads(
  session: S3Session,
  bucket: string,
  sweep: { readonly prefix: string; readonly olderThan: Date } & OperationOptions,
): Promise<number> {
  let aborted = 0;
  for await (const { Key, UploadId, Initiated } of uploadsBelow(session, bucket, sweep)) {
    if (Key !== undefined && Initiated !== undefined && Initiated < sweep.olderThan) {
      const purpose = {
        verb: 'delete',
        key: Key,
        permission: 's3:AbortMultipartUpload',
        signal: sweep.signal,
      };
      await session.request(purpose, async ({ sdk, client }, send) => {
        const command = new sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId });
        await client.send(command, send).catch(unlessGone);
      });
      aborted += 1;
    }
  }
  return aborted;
}

async function* uploadsBelow(
  session: S3Session,
  bucket: string,
  { prefix, signal }: { readonly prefix: string } & OperationOptions,
): AsyncIterable<Sdk.MultipartUpload> {
  const permission = 's3:ListBucketMultipartUploads';
  const purpose = { verb: 'list', key: prefix, permission, signal };
  let from: Pick<Sdk.ListMultipartUploadsRequest, 'KeyMarker' | 'UploadIdMarker'> = {};
  let isTruncated = true;
  while (isTruncated) {
    const query = { Bucket: bucket, Prefix: prefix, ...from };
    const page: Sdk.ListMultipartUploadsCommandOutput = await session.request(
      purpose,
      async ({ sdk, client }, send) =>
        await client.send(new sdk.ListMultipartUploadsCommand(query), send),
    );
    yield* page.Uploads ?? [];
    from = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    isTruncated = page.IsTruncated === true;
  }
}

/** Somebody ended it meanwhile. */
function unlessGone(error: unknown): void {
  if (statusOf(error) !== 404) {
    throw error;
  }
}
