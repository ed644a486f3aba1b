/** The cloud of a test's state. */
import type { CloudCredential, CloudSpec } from '../hook-tools/index.ts';

/** A cloud, with what a test cares about; the rest is absent or false. */
export interface CloudSpecFields extends Partial<Omit<CloudSpec, 'type' | 'name' | 'credential'>> {
  readonly type: string;
  readonly name: string;
  readonly credential?: Pick<CloudCredential, 'authType'> & Partial<CloudCredential>;
}

/** As credential-get prints it. */
export function printedCloudSpec(spec: CloudSpecFields): Readonly<Record<string, unknown>> {
  const { credential } = spec;
  return {
    type: spec.type,
    name: spec.name,
    region: spec.region,
    endpoint: spec.endpoint,
    'identity-endpoint': spec.identityEndpoint,
    'storage-endpoint': spec.storageEndpoint,
    credential: credential && {
      'auth-type': credential.authType,
      attrs: credential.attributes ?? {},
      redacted: credential.redacted ?? [],
    },
    cacertificates: spec.caCertificates,
    'skip-tls-verify': spec.skipTlsVerify ?? false,
    'is-controller-cloud': spec.isControllerCloud ?? false,
  };
}
