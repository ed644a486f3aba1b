import { describe, expect, test } from '@jest/globals';
import { createRedactor } from '../../../lib/backup-runner/redact.ts';

const storage = {
  bucket: 'backups',
  endpoint: 'https://user:s3cr3t-word@s3.example.com',
  path: 'company',
  'access-key': 'AKIA-EXAMPLE',
  'secret-key': 'a/b+c"d\\e',
  attributes: ['sse-customer-key: kkk-111'],
};
const engine = {
  engine: 'postgresql',
  port: '5433',
  backupRole: { name: 'backup', password: 'pw-7' },
};

describe('a redactor', () => {
  const redact = createRedactor(storage, engine);

  test('takes out what gives access, wherever it stands in a text', () => {
    const text = 'key AKIA-EXAMPLE and a/b+c"d\\e, header sse-customer-key: kkk-111, role pw-7';
    expect(redact(text)).toBe('key [redacted] and [redacted], header [redacted], role [redacted]');
  });

  test('knows secrets as they are written in URLs and in JSON', () => {
    expect(redact(`?s=${encodeURIComponent('a/b+c"d\\e')}`)).toBe('?s=[redacted]');
    expect(redact(JSON.stringify({ s: 'a/b+c"d\\e' }))).toBe('{"s":"[redacted]"}');
    expect(redact('https://user:s3cr3t-word@s3.example.com/x')).not.toContain('s3cr3t-word');
  });

  test('leaves alone what says where data are', () => {
    const text = 'bucket backups at company on s3.example.com, postgresql at 5433 as backup';
    expect(redact(text)).toBe(text);
  });

  test('is not torn apart by secrets too short to be any', () => {
    expect(createRedactor({ 'secret-key': 'a' }, undefined)('a banana')).toBe('a banana');
  });
});
