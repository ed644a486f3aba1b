/** credential-get. */
import { callJson, type HookToolRunner } from './runner.ts';
import { optionalString, plainMap, stringList, stringMap } from './values.ts';

export interface CloudCredential {
  /** `access-key`, `userpass`, `certificate`, … */
  readonly authType: string;
  /** Secret. By the names the cloud uses: `access-key`, `secret-key`, … */
  readonly attributes: Readonly<Record<string, string>>;
  /** Names of attributes Juju left out. */
  readonly redacted: readonly string[];
}

/** The cloud the model is in, and the credential Juju uses there. */
export interface CloudSpec {
  /** `ec2`, `openstack`, `lxd`, … */
  readonly type: string;
  readonly name: string;
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
  readonly identityEndpoint: string | undefined;
  readonly storageEndpoint: string | undefined;
  readonly credential: CloudCredential | undefined;
  /** PEM. */
  readonly caCertificates: readonly string[];
  readonly skipTlsVerify: boolean;
  /** Whether the controller is in this cloud too. */
  readonly isControllerCloud: boolean;
}

/** @throws CloudAccessError unless the application is trusted (`juju trust`). */
export function credentialGet(tools: HookToolRunner): CloudSpec {
  const spec = plainMap(callJson(tools, { tool: 'credential-get', args: [] }));
  return {
    type: optionalString(spec['type']) ?? '',
    name: optionalString(spec['name']) ?? '',
    region: optionalString(spec['region']),
    endpoint: optionalString(spec['endpoint']),
    identityEndpoint: optionalString(spec['identity-endpoint']),
    storageEndpoint: optionalString(spec['storage-endpoint']),
    credential: parseCredential(spec['credential']),
    caCertificates: stringList(spec['cacertificates']),
    skipTlsVerify: spec['skip-tls-verify'] === true,
    isControllerCloud: spec['is-controller-cloud'] === true,
  };
}

function parseCredential(value: unknown): CloudCredential | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  const credential = plainMap(value);
  return {
    authType: optionalString(credential['auth-type']) ?? '',
    attributes: stringMap(credential['attrs']),
    redacted: stringList(credential['redacted']),
  };
}
