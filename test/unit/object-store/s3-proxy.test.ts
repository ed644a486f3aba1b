import { describe, expect, test } from '@jest/globals';
import { type Environment, proxyFor } from '../../../lib/object-store/s3-proxy.ts';

const PROXY = 'http://proxy.example.com:3128/';

function chosen(
  endpoint: string | undefined,
  environment: Environment,
  rest: object = {},
): string | undefined {
  const keys = { accessKey: 'a', secretKey: 's' };
  return proxyFor({ bucket: 'backups', endpoint, ...keys, ...rest }, environment);
}

describe('the proxy for an endpoint', () => {
  test('is that of its scheme; none where none is set', () => {
    const environment = { http_proxy: 'http://plain:1', https_proxy: 'http://tls:2' };
    expect(chosen('http://s3.example.com', environment)).toBe('http://plain:1/');
    expect(chosen('https://s3.example.com', environment)).toBe('http://tls:2/');
    expect(chosen(undefined, environment)).toBe('http://tls:2/');
    expect(chosen('https://s3.example.com', {})).toBeUndefined();
    expect(chosen('https://s3.example.com', { https_proxy: ' ', HTTPS_PROXY: '' })).toBeUndefined();
  });

  test.each([
    ['JUJU_CHARM_HTTPS_PROXY', { https_proxy: 'http://other', HTTPS_PROXY: 'http://other' }],
    ['https_proxy', { JUJU_CHARM_HTTPS_PROXY: '', HTTPS_PROXY: 'http://other' }],
    ['HTTPS_PROXY', { JUJU_CHARM_HTTPS_PROXY: '', https_proxy: '' }],
  ])('is taken from %s', (name, others) => {
    expect(chosen('https://s3.example.com', { ...others, [name]: PROXY })).toBe(PROXY);
  });

  test('may come without its scheme, and with a user', () => {
    expect(chosen('https://s3', { https_proxy: '10.0.0.1:3128' })).toBe('http://10.0.0.1:3128/');
    const withUser = { https_proxy: 'https://me:secret@proxy' };
    expect(chosen('https://s3', withUser)).toBe('https://me:secret@proxy/');
  });

  test.each(['socks5://proxy:1080', 'http://', 'http://bad host'])(
    'is refused when it is %j, without repeating it',
    (value) => {
      const environment = { JUJU_CHARM_HTTPS_PROXY: value };
      expect(() => chosen('https://s3', environment)).toThrow(
        expect.objectContaining({
          code: 'invalid-configuration',
          message: 'cannot use the proxy of JUJU_CHARM_HTTPS_PROXY: it is no URL of an HTTP proxy',
          hint: expect.stringContaining('http://proxy.example.com:3128'),
        }),
      );
    },
  );

  test.each(['http://localhost:9000', 'http://127.0.0.1', 'https://127.1.2.3', 'https://[::1]:9'])(
    'is never asked for the loopback: %s',
    (endpoint) => {
      expect(chosen(endpoint, { http_proxy: PROXY, https_proxy: PROXY })).toBeUndefined();
    },
  );
});

describe('NO_PROXY', () => {
  const cases: readonly (readonly [entry: string, endpoint: string, isExempt: boolean])[] = [
    ['*', 'https://s3.example.com', true],
    ['s3.example.com', 'https://s3.example.com', true],
    ['S3.Example.COM', 'https://s3.example.com', true],
    ['example.com', 'https://s3.example.com', true],
    ['.example.com', 'https://s3.example.com', true],
    ['*.example.com', 'https://s3.example.com', true],
    ['.s3.example.com', 'https://s3.example.com', false],
    ['ample.com', 'https://s3.example.com', false],
    ['s3.example.com:443', 'https://s3.example.com', true],
    ['s3.example.com:9000', 'https://s3.example.com:9000', true],
    ['s3.example.com:9000', 'https://s3.example.com', false],
    ['10.1.2.3', 'https://10.1.2.3', true],
    ['10.1.2.3:80', 'http://10.1.2.3', true],
    ['10.0.0.0/8', 'https://10.1.2.3', true],
    ['10.0.0.0/8', 'https://11.1.2.3', false],
    ['10.0.0.0/99', 'https://10.1.2.3', false],
    ['10.0.0.0/8', 'https://s3.example.com', false],
    ['fd00::/8', 'https://[fd12::1]', true],
    ['fd12::1', 'https://[fd12::1]:9000', true],
    ['[fd12::1]:9000', 'https://[fd12::1]:9000', true],
    ['[fd12::1]:9000', 'https://[fd12::1]:9001', false],
    ['nonsense/,:,[', 'https://s3.example.com', false],
    ['127.0.0.1,localhost,::1, .example.com', 'https://s3.example.com', true],
  ];

  test.each(cases)('%j and %s: exempt %p', (entry, endpoint, isExempt) => {
    const environment = { http_proxy: PROXY, https_proxy: PROXY, JUJU_CHARM_NO_PROXY: entry };
    expect(chosen(endpoint, environment)).toBe(isExempt ? undefined : PROXY);
  });

  test('in host style is asked for the name with the bucket', () => {
    const environment = { https_proxy: PROXY, no_proxy: 'backups.s3.example.com' };
    expect(chosen('https://s3.example.com', environment, { uriStyle: 'host' })).toBeUndefined();
    expect(chosen('https://s3.example.com', environment)).toBe(PROXY);
    const aws = { https_proxy: PROXY, no_proxy: 'backups.s3.eu-west-1.amazonaws.com' };
    expect(chosen(undefined, aws, { region: 'eu-west-1' })).toBeUndefined();
  });
});
