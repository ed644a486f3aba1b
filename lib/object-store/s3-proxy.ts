/** Which HTTP proxy, if any, lies between this process and an endpoint. Pure. */
import { BlockList, isIP } from 'node:net';
import { ObjectStoreError } from './errors.ts';
import type { S3Options } from './s3-options.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The URL of the proxy for the endpoint of these options, credentials included; undefined without one.
 * Looks at Juju's own variables first (model configuration `juju-http-proxy`, `juju-https-proxy`, `juju-no-proxy`), then at
 * the usual ones. As in Juju itself (Go's net/http), entries of NO_PROXY are hosts, domains (`.example.com` for what is below),
 * addresses, CIDR ranges or `*`, with an optional port; the loopback is never asked for through a proxy.
 * @throws ObjectStoreError `invalid-configuration` when the proxy's URL cannot be used
 */
export function proxyFor(options: S3Options, environment: Environment): string | undefined {
  const url = new URL(options.endpoint ?? awsEndpoint(options));
  const isPlain = url.protocol === 'http:';
  const { name, value } = firstSet(environment, isPlain ? 'http_proxy' : 'https_proxy');
  if (value === undefined || isExempt(hostOf(options, url), portOf(url), environment)) {
    return undefined;
  }
  return readProxy(name, value);
}

/** A proxy's URL as messages may show it. */
export function withoutCredentials(proxy: string): string {
  return new URL(proxy).origin;
}

function awsEndpoint(options: S3Options): string {
  return `https://s3.${options.region ?? 'us-east-1'}.amazonaws.com`;
}

/** The host that is really asked for: with host style the bucket is part of it. */
function hostOf(options: S3Options, url: URL): string {
  const host = url.hostname.replaceAll(/^\[|\]$/g, '').toLowerCase();
  const style = options.uriStyle ?? (options.endpoint === undefined ? 'host' : 'path');
  return style === 'host' && isIP(host) === 0 ? `${options.bucket}.${host}` : host;
}

function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === 'http:' ? 80 : 443);
}

function firstSet(
  environment: Environment,
  name: 'http_proxy' | 'https_proxy' | 'no_proxy',
): { readonly name: string; readonly value: string | undefined } {
  const upper = name.toUpperCase();
  const names = [`JUJU_CHARM_${upper}`, name, upper];
  const found = names.find((it) => (environment[it] ?? '').trim() !== '');
  return {
    name: found ?? name,
    value: found === undefined ? undefined : environment[found]?.trim(),
  };
}

function readProxy(name: string, value: string): string {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw new ObjectStoreError(`cannot use the proxy of ${name}: it is no URL of an HTTP proxy`, {
      code: 'invalid-configuration',
      hint: 'set it to a URL such as http://proxy.example.com:3128, or except the storage in no-proxy',
    });
  }
  return url.href;
}

function isExempt(host: string, port: number, environment: Environment): boolean {
  if (host === 'localhost' || isLoopback(host)) {
    return true;
  }
  const entries = (firstSet(environment, 'no_proxy').value ?? '').toLowerCase().split(/[\s,]+/);
  return entries.some((entry) => entry !== '' && matches(entry, host, port));
}

function isLoopback(host: string): boolean {
  return isIP(host) !== 0 && (isWithin(host, '127.0.0.0/8') || isWithin(host, '::1/128'));
}

function matches(entry: string, host: string, port: number): boolean {
  if (entry === '*') {
    return true;
  }
  if (entry.includes('/')) {
    return isWithin(host, entry);
  }
  const { name, only } = splitPort(entry);
  if (only !== undefined && only !== port) {
    return false;
  }
  if (isIP(name) !== 0) {
    return isIP(host) !== 0 && isWithin(host, `${name}/${isIP(name) === 4 ? 32 : 128}`);
  }
  const domain = name.replace(/^\*?\./, '');
  return (host === domain && domain === name) || host.endsWith(`.${domain}`);
}

function splitPort(entry: string): { readonly name: string; readonly only: number | undefined } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry);
  const plain = isIP(entry) === 0 ? /^([^:]+):(\d+)$/.exec(entry) : null;
  const [, name = entry, only] = bracketed ?? plain ?? [];
  return { name, only: only === undefined ? undefined : Number(only) };
}

/** Whether an address lies in a CIDR range; false for what is neither. */
function isWithin(address: string, range: string): boolean {
  const [network = '', bits = ''] = range.split('/');
  const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
  const size = Number(bits);
  const isRange =
    isIP(network) !== 0 && /^\d+$/.test(bits) && size <= (family === 'ipv4' ? 32 : 128);
  if (!isRange || isIP(address) === 0) {
    return false;
  }
  const list = new BlockList();
  list.addSubnet(network, size, family);
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
