import { rootCertificates } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import { ObjectStoreError, parseS3Options } from '#object-store';

const MINIMAL = { bucket: 'backups', 'access-key': 'AK', 'secret-key': 'very-secret' };
const [PEM = '', OTHER = ''] = rootCertificates;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('storage settings', () => {
  test('the required keys are enough, and mean AWS', () => {
    expect(parseS3Options(MINIMAL)).toEqual({
      bucket: 'backups',
      accessKey: 'AK',
      secretKey: 'very-secret',
      uriStyle: 'host',
    });
  });

  test('with an endpoint the bucket is part of the path, unless told otherwise', () => {
    const endpoint = 'https://s3.example.com:9000/';
    expect(parseS3Options({ ...MINIMAL, endpoint })).toMatchObject({
      endpoint: 'https://s3.example.com:9000',
      uriStyle: 'path',
    });
    for (const style of ['host', 'virtual', 'HOST']) {
      const options = parseS3Options({ ...MINIMAL, endpoint, 's3-uri-style': style });
      expect(options.uriStyle).toBe('host');
    }
  });

  test('an endpoint without scheme is taken for https', () => {
    const { endpoint } = parseS3Options({ ...MINIMAL, endpoint: 's3.example.com' });
    expect(endpoint).toBe('https://s3.example.com');
  });

  test('empty text counts as not set, unknown keys are ignored', () => {
    const options = parseS3Options({ ...MINIMAL, region: '', endpoint: ' ', path: '/p', x: 1 });
    expect(options).toEqual(parseS3Options(MINIMAL));
  });

  test('region and storage class are kept', () => {
    const extra = { region: 'eu-west-1', 'storage-class': 'STANDARD_IA' };
    expect(parseS3Options({ ...MINIMAL, ...extra })).toMatchObject({
      region: 'eu-west-1',
      storageClass: 'STANDARD_IA',
    });
  });

  test.each([
    ['a list of PEM', [PEM, OTHER]],
    ['one text with two', `${PEM}\n${OTHER}`],
    ['base64 of PEM', [base64(PEM), base64(OTHER)]],
    ['base64 of both, with an empty one', ['', base64(`${PEM}\n${OTHER}`)]],
  ])('certificates come as %s', (_, chain) => {
    expect(parseS3Options({ ...MINIMAL, 'tls-ca-chain': chain }).tlsCaChain).toEqual([PEM, OTHER]);
  });

  test.each([
    ['bucket', { bucket: undefined }],
    ['bucket', { bucket: 'a/b' }],
    ['bucket', { bucket: 7 }],
    ['access-key', { 'access-key': '' }],
    ['secret-key', { 'secret-key': undefined }],
    ['endpoint', { endpoint: 'ftp://x' }],
    ['endpoint', { endpoint: 'https://' }],
    ['endpoint', { endpoint: 'https://user:very-secret@x' }],
    ['s3-uri-style', { 's3-uri-style': 'sideways' }],
    ['region', { region: 5 }],
    ['tls-ca-chain', { 'tls-ca-chain': ['nonsense'] }],
    ['tls-ca-chain', { 'tls-ca-chain': [PEM.replace('M', 'A'.repeat(9))] }],
    ['tls-ca-chain', { 'tls-ca-chain': 5 }],
    ['tls-ca-chain', { 'tls-ca-chain': [5] }],
  ])('a bad %s is named, and no secret with it', (key, change) => {
    const parse = (): unknown => parseS3Options({ ...MINIMAL, ...change });
    expect(parse).toThrow(ObjectStoreError);
    expect(parse).toThrow(key);
    expect(parse).not.toThrow('very-secret');
  });
});
