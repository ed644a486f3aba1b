import { expect, test } from '@jest/globals';
import {
  parseProfile,
  profileFrom,
  withProfile,
} from '../../../charms/backup-manager/src/storage-profile.ts';
import { FakeStorage } from './fake-storage.ts';
import { storageConfig } from './makers.ts';

const { report } = new FakeStorage();
const config = { ...storageConfig, endpoint: 'http://s3.example.org' };

test('what differs from the settings is kept, and used with these settings only', () => {
  const profile = profileFrom(config, {
    ...report,
    usable: true,
    profile: { ...report.profile, region: 'eu', uriStyle: 'host' },
  });
  expect(withProfile(config, profile)).toEqual({ ...config, region: 'eu', 's3-uri-style': 'host' });
  const other = { ...config, bucket: 'other' };
  expect(withProfile(other, profile)).toBe(other);
  expect(parseProfile(JSON.stringify(profile))).toEqual(profile);
  expect(JSON.stringify(profile)).not.toContain('PLANTED');
});

test('settings that work as they are need none, nor do those that work in no way', () => {
  const asGiven = { ...report.profile, uriStyle: 'path' as const };
  expect(profileFrom(config, { ...report, usable: true, profile: asGiven })).toBeUndefined();
  expect(profileFrom(config, { ...report, usable: false })).toBeUndefined();
});

test.each([undefined, '', '{', '5', '{"settings":1}', '{"settings":"x","s3-uri-style":"dns"}'])(
  'text that is no profile is none: %j',
  (text) => {
    expect(parseProfile(text)).toBeUndefined();
  },
);
