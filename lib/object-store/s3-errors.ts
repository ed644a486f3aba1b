/**
 * Turns whatever the SDK, the network or a server that is no S3 server throws into one plain sentence.
 * The original error is not kept: it may hold request headers, and those hold credentials.
 */
import { ObjectStoreError, type ObjectStoreErrorDetails, quoteKey } from './errors.ts';
import { redactSecrets } from './s3-credentials.ts';
import type { S3Options } from './s3-options.ts';
import { speaksTls } from './speaks-tls.ts';

export interface S3Failure {
  readonly verb: string;
  readonly key: string;
  readonly options: S3Options;
  /** Other keys in use, which no message may hold. */
  readonly secrets?: readonly string[];
  /** Whether the server let such a request pass before. */
  readonly wasAllowed?: boolean;
  /** URL of the proxy in between, without its credentials. */
  readonly proxy?: string | undefined;
  /** What the request needs, in the words of AWS; known from the verb unless told. */
  readonly permission?: string | undefined;
}

/** What is read from an error, whatever its class or realm. */
interface Symptoms {
  /** The S3 error code, or the name of the error. */
  readonly name: string;
  /** The system's or TLS library's error code. */
  readonly code: string;
  readonly status: number | undefined;
  readonly message: string;
  readonly region: string | undefined;
  readonly html: boolean;
}

type Diagnosis = Omit<ObjectStoreErrorDetails, 'key'> & { readonly reason: string };

/** For example `bucket "backups" at https://s3.example.com`. */
export function describeS3(options: S3Options): string {
  const where = options.endpoint ?? `AWS region ${options.region ?? 'us-east-1'}`;
  return `bucket ${JSON.stringify(options.bucket)} at ${where}`;
}

/** The ObjectStoreError for a failed request. */
export async function translateS3Error(
  error: unknown,
  failure: S3Failure,
): Promise<ObjectStoreError> {
  const symptoms = readSymptoms(error);
  const diagnosis =
    (await diagnoseScheme(symptoms, failure)) ??
    diagnoseProxy(symptoms, failure) ??
    diagnoseTls(symptoms) ??
    diagnoseNetwork(symptoms, failure) ??
    diagnoseService(symptoms, failure) ??
    diagnoseStatus(symptoms, failure);
  const { reason, ...details } = diagnosis;
  const what = failure.verb === 'list' ? '' : `${quoteKey(failure.key)} in `;
  const message = `cannot ${failure.verb} ${what}${describeS3(failure.options)}: ${reason}`;
  const { accessKey, secretKey, sessionToken = '' } = failure.options;
  const secrets = [accessKey, secretKey, sessionToken, ...(failure.secrets ?? [])];
  return new ObjectStoreError(redactSecrets(message, secrets), { ...details, key: failure.key });
}

/** The parts of SDK and system errors that matter here; any of them may be missing. */
interface ErrorShape {
  readonly name?: unknown;
  readonly Code?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly Region?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: {
    readonly statusCode?: number;
    readonly headers?: Readonly<Record<string, string>>;
  };
}

function readSymptoms(error: unknown): Symptoms {
  const it: ErrorShape = typeof error === 'object' && error !== null ? error : {};
  const headers = it.$response?.headers ?? {};
  const text = firstText(it.message);
  return {
    name: firstText(it.Code, it.name),
    code: firstText(it.code),
    status: readStatus(it),
    message: firstLine(text),
    region: firstText(it.Region, headers['x-amz-bucket-region']) || undefined,
    html: firstText(headers['content-type']).includes('html') || NO_XML.test(text),
  };
}

function readStatus(error: ErrorShape): number | undefined {
  return error.$metadata?.httpStatusCode ?? error.$response?.statusCode;
}

function firstLine(text: string): string {
  return text.replace(/\n.*/s, '').slice(0, 200);
}

/** What XML parsers say about other people's pages. */
const NO_XML = /deserialization|unexpected token|char '|<html|<!doctype/i;

function firstText(...values: readonly unknown[]): string {
  return values.find((value): value is string => typeof value === 'string' && value !== '') ?? '';
}

/** http spoken to a https port, or the other way round. */
async function diagnoseScheme(
  symptoms: Symptoms,
  failure: S3Failure,
): Promise<Diagnosis | undefined> {
  const endpoint = failure.options.endpoint ?? 'https://';
  if (endpoint.startsWith('https:')) {
    return isPlainAnswer(symptoms) ? schemeDiagnosis('https', 'http') : undefined;
  }
  const suspicious = /ECONNRESET|EPIPE|^HPE_/.test(symptoms.code) || symptoms.status === 400;
  if (/plain HTTP request was sent to HTTPS|HTTP request to an HTTPS/i.test(symptoms.message)) {
    return schemeDiagnosis('http', 'https');
  }
  const mayLook = suspicious && symptoms.name !== 'SlowDown' && failure.proxy === undefined;
  return mayLook && (await speaksTls(endpoint)) ? schemeDiagnosis('http', 'https') : undefined;
}

function isPlainAnswer({ code, message }: Symptoms): boolean {
  const plain = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNEXPECTED_MESSAGE|HTTP_REQUEST/;
  return plain.test(code) || /wrong version number|packet length/i.test(message);
}

function schemeDiagnosis(spoken: string, expected: string): Diagnosis {
  return {
    code: 'invalid-configuration',
    reason: `the endpoint says ${spoken}:// but the server there speaks ${expected}`,
    hint: `change the endpoint to begin with ${expected}://, or correct its port`,
  };
}

const TLS_REASONS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed and not trusted here',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an authority that is not trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes from an authority not trusted here',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate comes from an authority not trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate comes from an authority not trusted here',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
  CERT_SIGNATURE_FAILURE: 'the signature of its certificate is wrong',
  CERT_REVOKED: 'its certificate was revoked',
};

/** Whether it may be one that trusting more authorities would mend. */
export function isUntrusted(error: unknown): boolean {
  return TLS_REASONS[readSymptoms(error).code]?.includes('trusted') === true;
}

function diagnoseTls(symptoms: Symptoms): Diagnosis | undefined {
  const reason = TLS_REASONS[symptoms.code];
  if (reason === undefined) {
    return undefined;
  }
  const hint = reason.includes('trusted')
    ? 'put the certificate of its authority into tls-ca-chain'
    : 'renew the certificate of the server, or correct the endpoint or the clock of this machine';
  return { code: 'untrusted-certificate', reason, hint };
}

const NETWORK_REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the host name cannot be resolved just now',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'no answer in time',
  ECONNRESET: 'the connection was reset',
  ECONNABORTED: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ERR_STREAM_PREMATURE_CLOSE: 'the answer broke off',
  EPROTO: 'the TLS handshake failed',
};

/** Answers of the proxy itself, to CONNECT (ERR_PROXY_TUNNEL) or to a plain request. */
function diagnoseProxy(symptoms: Symptoms, { proxy }: S3Failure): Diagnosis | undefined {
  const isTunnel = symptoms.code === 'ERR_PROXY_TUNNEL';
  const status = isTunnel ? tunnelStatus(symptoms) : symptoms.status;
  if (proxy === undefined || (!isTunnel && status !== 407)) {
    return undefined;
  }
  if (status === 407) {
    return {
      code: 'unreachable',
      reason: `the proxy ${proxy} asks for a user and a password`,
      hint: 'put them into the URL of the proxy in the model configuration, or except the storage in juju-no-proxy',
    };
  }
  return {
    code: 'unreachable',
    reason: `the proxy ${proxy} does not connect to the endpoint${status === undefined ? '' : ` (status ${status})`}`,
    hint: 'let the proxy pass connections to the endpoint, or except it in juju-no-proxy',
    transient: status === undefined || status >= 500,
    unanswered: true,
  };
}

function tunnelStatus({ message }: Symptoms): number | undefined {
  const status = /HTTP\/1\.\d (\d+)/.exec(message)?.[1];
  return status === undefined ? undefined : Number(status);
}

function diagnoseNetwork(symptoms: Symptoms, { proxy }: S3Failure): Diagnosis | undefined {
  const timeout = symptoms.name === 'TimeoutError' ? 'no answer in time' : undefined;
  const aborted = symptoms.message === 'aborted' ? 'the answer broke off' : undefined;
  const reason = NETWORK_REASONS[symptoms.code] ?? timeout ?? aborted;
  if (reason === undefined) {
    return undefined;
  }
  const code = symptoms.code === '' ? '' : ` (${symptoms.code})`;
  return {
    code: 'unreachable',
    reason: `${reason}${code}${proxy === undefined ? '' : `, through the proxy ${proxy}`}`,
    hint: `check the endpoint, its port, ${proxy === undefined ? '' : 'the proxy, '}the network and the firewall between`,
    transient: true,
    unanswered: true,
  };
}

const PERMISSIONS: Readonly<Record<string, string>> = {
  read: 's3:GetObject',
  write: 's3:PutObject',
  delete: 's3:DeleteObject',
  list: 's3:ListBucket',
  'look up': 's3:GetObject and s3:ListBucket',
};

/** What the S3 error codes mean; each returns its diagnosis for the request at hand. */
const SERVICE_ERRORS: Readonly<
  Record<string, (symptoms: Symptoms, failure: S3Failure) => Diagnosis>
> = {
  InvalidAccessKeyId: () => wrongCredentials('the server does not know the access key'),
  SignatureDoesNotMatch: () => wrongCredentials('the secret key does not belong to the access key'),
  InvalidToken: () => wrongCredentials('the server does not accept the credentials'),
  ExpiredToken: () => wrongCredentials('the credentials have expired'),
  AccessDenied: accessDenied,
  AllAccessDisabled: accessDenied,
  AccountProblem: accessDenied,
  NoSuchBucket: (_, { options }) => ({
    code: 'no-such-bucket',
    reason: 'there is no such bucket',
    hint: `create bucket ${JSON.stringify(options.bucket)}, or correct the bucket setting`,
  }),
  InvalidBucketName: () => ({
    code: 'invalid-configuration',
    reason: 'this is not a valid bucket name',
    hint: 'correct the bucket setting',
  }),
  NoSuchKey: () => ({
    code: 'not-found',
    reason: 'no such object',
    hint: 'check the path, and that nobody deleted the object',
  }),
  RequestTimeTooSkewed: () => ({
    code: 'clock-skew',
    reason: 'the clocks of this machine and of the server differ too much',
    hint: 'set the clock of both machines, for example with "timedatectl set-ntp true"',
  }),
  PermanentRedirect: wrongRegion,
  TemporaryRedirect: wrongRegion,
  AuthorizationHeaderMalformed: wrongRegion,
  IllegalLocationConstraintException: wrongRegion,
  QuotaExceeded: storageFull,
  XMinioStorageFull: storageFull,
  InsufficientStorage: storageFull,
  SlowDown: unavailable,
  InternalError: unavailable,
  ServiceUnavailable: unavailable,
  RequestTimeout: unavailable,
  RequestTimeoutException: unavailable,
  Throttling: unavailable,
  ThrottlingException: unavailable,
  TooManyRequests: unavailable,
  OperationAborted: unavailable,
  ConditionalRequestConflict: unavailable,
};

function diagnoseService(symptoms: Symptoms, failure: S3Failure): Diagnosis | undefined {
  return diagnoseRetention(symptoms) ?? SERVICE_ERRORS[symptoms.name]?.(symptoms, failure);
}

/** AWS and Ceph say AccessDenied, MinIO InvalidRequest: only the message tells a lock from a missing permission. */
function diagnoseRetention({ name, message }: Symptoms): Diagnosis | undefined {
  const isRefusal = ['AccessDenied', 'InvalidRequest', 'ObjectLocked'].includes(name);
  const asksForHash = /Content-MD5/i.test(message);
  return isRefusal &&
    !asksForHash &&
    /object.?lock|\bWORM\b|legal hold|under retention|is protected/i.test(message)
    ? {
        code: 'retained',
        reason: 'the storage keeps it under a retention rule (object lock)',
        hint: 'nothing is lost but space: delete it again when its retention has ended',
      }
    : undefined;
}

const BUSY: ReadonlySet<number> = new Set([408, 429]);
const MOVED: ReadonlySet<number> = new Set([301, 307]);
const FORBIDDEN: ReadonlySet<number> = new Set([401, 403]);

/** Without a known code the status has to do. */
function diagnoseStatus(symptoms: Symptoms, failure: S3Failure): Diagnosis {
  const status = symptoms.status ?? 0;
  if (status === 507) {
    return storageFull();
  }
  if (status >= 500 || BUSY.has(status)) {
    return unavailable(symptoms);
  }
  if (MOVED.has(status)) {
    return wrongRegion(symptoms, failure);
  }
  if (symptoms.html) {
    return notAnS3Endpoint(status);
  }
  if (FORBIDDEN.has(status)) {
    return accessDenied(symptoms, failure);
  }
  return status === 404 ? missing(failure) : unknownFailure(symptoms);
}

function notAnS3Endpoint(status: number): Diagnosis {
  return {
    code: 'not-an-s3-endpoint',
    reason: `the answer is not that of an S3 server${status === 0 ? '' : ` (status ${status})`}`,
    hint: 'correct the endpoint: it must be the address of the S3 service, not of a web page or console',
  };
}

function missing(failure: S3Failure): Diagnosis {
  return {
    code: failure.verb === 'list' ? 'no-such-bucket' : 'not-found',
    reason: 'there is no such bucket or object',
    hint: 'check the bucket and path settings',
  };
}

function unknownFailure(symptoms: Symptoms): Diagnosis {
  const answer = symptoms.status === undefined ? '' : ` (status ${symptoms.status})`;
  return {
    code: 'storage-failed',
    reason: `${symptoms.name === '' ? 'Error' : symptoms.name}${answer}: ${symptoms.message}`,
    hint: 'look into the log of the storage server',
  };
}

function wrongCredentials(reason: string): Diagnosis {
  return {
    code: 'wrong-credentials',
    reason,
    hint: 'correct access-key and secret-key in the storage credentials',
  };
}

function accessDenied(_: Symptoms, failure: S3Failure): Diagnosis {
  const permission = failure.permission ?? PERMISSIONS[failure.verb] ?? 'access';
  return {
    code: 'access-denied',
    reason: 'access denied',
    hint: `give this access key the permission ${permission} on the bucket`,
    // Permissions take a while to spread over a big store, and gateways stumble: what went once may go again.
    transient: failure.wasAllowed === true,
  };
}

function wrongRegion(symptoms: Symptoms, failure: S3Failure): Diagnosis {
  const used = failure.options.region ?? 'us-east-1';
  const right = symptoms.region;
  return {
    code: 'wrong-region',
    reason: `the bucket is not in region ${JSON.stringify(used)}${right === undefined ? '' : ` but in ${JSON.stringify(right)}`}`,
    hint: `set region to ${right === undefined ? 'that of the bucket' : JSON.stringify(right)}`,
    region: right,
  };
}

function storageFull(): Diagnosis {
  return {
    code: 'storage-full',
    reason: 'the storage is full',
    hint: 'free space, raise the quota, or delete old backups',
  };
}

function unavailable(symptoms: Symptoms): Diagnosis {
  const answer = symptoms.status === undefined ? '' : ` (status ${symptoms.status})`;
  return {
    code: 'unavailable',
    reason: `the server is overloaded or failing: ${symptoms.name}${answer}`,
    hint: 'try again later; if it stays, look into the log of the storage server',
    transient: true,
  };
}
