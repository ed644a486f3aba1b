import { describe, expect, test } from '@jest/globals';
import {
  type ChecksumAlgorithm,
  createChecksum,
} from '../../../lib/sandbox/s3-server/protocol/checksums.ts';
import { parseXml, textOf } from '../../../lib/sandbox/s3-server/protocol/parse-xml.ts';
import { encodePath, parseTarget } from '../../../lib/sandbox/s3-server/protocol/uri.ts';
import { xmlDocument } from '../../../lib/sandbox/s3-server/protocol/xml.ts';
import * as fc from '../../helpers/fast-check.ts';

describe('XML', () => {
  test('any text written is read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const written = xmlDocument('Delete', [['Object', [['Key', text]]]]);
        const [object] = parseXml(written, 'Delete').children;
        expect(object && textOf(object, 'Key')).toBe(text);
      }),
    );
  });

  test.each([
    ['nothing', ''],
    ['no XML', 'hello'],
    ['another root', '<Other></Other>'],
    ['two roots', '<Delete></Delete><Delete></Delete>'],
    ['an element left open', '<Delete><Object></Delete>'],
    ['an element closed twice', '<Delete></Delete></Delete>'],
    ['a document type', '<!DOCTYPE x [<!ENTITY a "b">]><Delete></Delete>'],
    ['an entity of its own', '<Delete>&a;</Delete>'],
    ['a lonely ampersand', '<Delete>a & b</Delete>'],
    ['a hundred levels', '<Delete>'.repeat(100) + '</Delete>'.repeat(100)],
  ])('%s is malformed', (_, text) => {
    expect(() => parseXml(text, 'Delete')).toThrow(
      expect.objectContaining({ code: 'MalformedXML' }),
    );
  });
});

describe('a request target', () => {
  test('gives back any key it was made of', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 }), (key) => {
        const target = parseTarget(`/bucket/${encodePath(key)}?list-type=2&prefix=a%2Bb+c`);
        expect(target).toMatchObject({ bucket: 'bucket', key });
        expect(target.query).toEqual([
          ['list-type', '2'],
          ['prefix', 'a+b c'],
        ]);
      }),
    );
  });

  test('is not normalised', () => {
    expect(parseTarget('/bucket/a/../b//c/.').key).toBe('a/../b//c/.');
  });

  test.each(['/bucket/%', '/bucket/%ff', '/bucket?x=%zz'])('%s is no URI', (url) => {
    expect(() => parseTarget(url)).toThrow(expect.objectContaining({ code: 'InvalidURI' }));
  });

  test('holds keys of 1024 bytes, and no longer ones', () => {
    expect(parseTarget(`/bucket/${'k'.repeat(1024)}`).key).toHaveLength(1024);
    expect(() => parseTarget(`/bucket/${encodePath('é'.repeat(513))}`)).toThrow(
      expect.objectContaining({ code: 'KeyTooLongError' }),
    );
  });
});

describe('a checksum', () => {
  // The check values of the catalogue of parametrised CRC algorithms, and of FIPS 180.
  test.each<[ChecksumAlgorithm, string]>([
    ['crc32', 'cbf43926'],
    ['crc32c', 'e3069283'],
    ['crc64nvme', 'ae8b14860a799888'],
    ['sha1', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
    ['sha256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
  ])('%s of "123456789", in two steps, is the known one', (algorithm, hex) => {
    const checksum = createChecksum(algorithm);
    checksum.update(Buffer.from('1234'));
    checksum.update(Buffer.from('56789'));
    expect(checksum.digest().toString('hex')).toBe(hex);
  });
});
