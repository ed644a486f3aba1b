import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type CephRgw, startCephRgw } from '../../helpers/ceph-rgw.ts';
import { createCertificate } from '../../helpers/certificate.ts';
import { startServer } from './clients.ts';
import { converse, type Transcript } from './conversation.ts';

let ceph: CephRgw;
let theirs: Transcript;
let ours: Transcript;

beforeAll(async () => {
  ceph = await startCephRgw();
  theirs = await converse(ceph);
  ours = await converseWithOurs();
}, 240_000);

afterAll(async () => await ceph.stop());

async function converseWithOurs(): Promise<Transcript> {
  const scratch = await mkdtemp(join(tmpdir(), 's3-certificate-'));
  const { certPem: cert, keyPem: key } = await createCertificate(scratch);
  await using plain = await startServer();
  await using secure = await startServer({ tls: { cert, key } });
  const { endpoint, accessKey, secretKey } = plain.server;
  const tlsEndpoint = secure.server.endpoint;
  try {
    return await converse({ endpoint, tlsEndpoint, accessKey, secretKey, caPem: cert });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

// Where Ceph 16 does not do what S3 documents, our server keeps to the documentation.
const DECLARED_DIFFERENCES = {
  'upload with parts out of order': { ceph: '200', ours: '400 InvalidPartOrder' },
  'parts of a missing upload': { ceph: '404 NoSuchKey', ours: '404 NoSuchUpload' },
};

test('the S3 server of the sandbox answers a whole conversation as Ceph does, save what is declared', () => {
  const differences = Object.keys({ ...ours, ...theirs })
    .filter((step) => !isDeepStrictEqual(ours[step], theirs[step]))
    .map((step) => [step, { ceph: theirs[step], ours: ours[step] }]);
  expect(Object.keys(ours).length).toBeGreaterThan(60);
  expect(Object.fromEntries(differences)).toEqual(DECLARED_DIFFERENCES);
});

test('and the conversation went as one with S3 does, in what backups rely on', () => {
  expect(ours).toMatchObject({
    'put where something is': '412 PreconditionFailed',
    'put of other bytes than signed': '400 XAmzContentSHA256Mismatch',
    'put of a stream of unknown length': '411 MissingContentLength',
    'first bytes': ['206', 'hello'],
    'beyond the end': ['416 InvalidRange', ''],
    'a wrong secret key': '403 SignatureDoesNotMatch',
    'an unknown access key': '403 InvalidAccessKeyId',
    'a clock an hour behind': '403 RequestTimeTooSkewed',
    'list of a missing bucket': '404 NoSuchBucket',
    'missing object': ['404 NoSuchKey', ''],
    'uploads left after that': 0,
  });
});
