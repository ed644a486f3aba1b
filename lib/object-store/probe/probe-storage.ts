/**
 * Finds out what an S3 endpoint can do and what these credentials may do, by doing it to a few tiny objects of its own.
 * Where the endpoint works in another style or region than asked for, it says which.
 */
import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { type Clock, systemClock } from '#system';
import type { ObjectStoreError } from '../errors.ts';
import { isUnsupported } from '../s3-answers.ts';
import { connectS3, type S3Connection } from '../s3-client.ts';
import { CredentialsKeeper } from '../s3-credentials.ts';
import { translateS3Error } from '../s3-errors.ts';
import type { S3Options } from '../s3-options.ts';
import type { Environment } from '../s3-proxy.ts';
import type { ProbeFinding, ProbeName, StorageProfile, StorageReport } from './report.ts';
import { type ProbeContext, type ProbeStep, probeKeys, STEPS, Surprise } from './steps.ts';

export interface ProbeOptions {
  /** Where in the bucket: a key prefix that ends in `/`, or empty. */
  readonly prefix?: string;
  readonly signal?: AbortSignal;
  /** Times the deadline, too. */
  readonly clock?: Clock;
  /** Where proxies are looked for; that of the process unless told. */
  readonly environment?: Environment;
}

const TIMEOUTS = { connectMs: 4000, idleMs: 5000 };
const CLEANUP_MS = 2000;
/** For everything but the removal; what is not done by then counts as failed. Together below 10 s. */
const DEADLINE_MS = 7500;
const TOLERABLE_SKEW_MS = 60_000;
/** S3 refuses requests whose clock is off by more. */
const REFUSED_SKEW_MS = 15 * 60_000;

/**
 * Never throws for what the server does or refuses; that is in the report. Writes below a name of its own and removes
 * what it wrote, where it may.
 * @throws the reason of `signal` when aborted
 */
export async function probeStorage(
  options: S3Options,
  tuning: ProbeOptions = {},
): Promise<StorageReport> {
  const started = performance.now();
  using deadline = new Deadline(DEADLINE_MS, tuning.clock ?? systemClock);
  const signal = AbortSignal.any([
    deadline.signal,
    ...(tuning.signal === undefined ? [] : [tuning.signal]),
  ]);
  let attempt = await probeOnce(options, tuning, signal);
  for (const other of alternatives(options, attempt.refusal)) {
    if (attempt.refusal === undefined) {
      break;
    }
    // Tried in turn: the first that works is taken.
    // oxlint-disable-next-line no-await-in-loop
    const again = await probeOnce(other, tuning, signal);
    attempt = again.refusal === undefined ? again : attempt;
  }
  tuning.signal?.throwIfAborted();
  return { ...reportOf(attempt), elapsedMs: Math.round(performance.now() - started) };
}

/** A signal that aborts when the time is over, unless disposed of before. */
class Deadline {
  readonly #over = new AbortController();
  readonly #disposed = new AbortController();

  constructor(ms: number, clock: Clock) {
    clock.sleep(ms, this.#disposed.signal).then(
      () => this.#over.abort(new Error('no answer in time')),
      // Disposed of.
      () => undefined,
    );
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  [Symbol.dispose](): void {
    this.#disposed.abort();
  }
}

interface Attempt {
  readonly options: S3Options;
  readonly findings: readonly ProbeFinding[];
  /** Why not even the first request was answered as it should be. */
  readonly refusal: ObjectStoreError | undefined;
  readonly clockSkewMs: number | undefined;
}

async function probeOnce(
  options: S3Options,
  { prefix = '', clock = systemClock, environment }: ProbeOptions,
  signal: AbortSignal,
): Promise<Attempt> {
  const credentials = new CredentialsKeeper(options, { clock });
  const connection = await connectS3({ options, timeouts: TIMEOUTS, credentials, environment });
  const skew = watchClock(connection, clock);
  const context: ProbeContext = {
    connection,
    bucket: options.bucket,
    prefix: `${prefix}storage-probe-${randomUUID()}/`,
    signal,
  };
  try {
    const { findings, refusal } = await runSteps(context, options);
    const clockSkewMs = skew();
    const clockFound = clockFinding(clockSkewMs, { isReached: refusal?.code !== 'unreachable' });
    return { options, findings: [...findings, clockFound], refusal, clockSkewMs };
  } finally {
    connection.client.destroy();
  }
}

async function runSteps(
  context: ProbeContext,
  options: S3Options,
): Promise<{ findings: ProbeFinding[]; refusal: ObjectStoreError | undefined }> {
  const findings: ProbeFinding[] = [];
  let refusal: ObjectStoreError | undefined;
  for (const step of STEPS) {
    const isPointless = findings.some(({ outcome }) => outcome === 'failed');
    // Each step builds on what the ones before it wrote.
    // oxlint-disable-next-line no-await-in-loop
    const { finding, error } = isPointless ? skipped(step) : await runStep(step, context, options);
    findings.push(finding);
    refusal ??= step.name === 'list' ? error : undefined;
  }
  if (findings.some(({ name, outcome }) => name === 'delete' && outcome === 'skipped')) {
    await tidyUp(context);
  }
  return { findings, refusal };
}

interface StepResult {
  readonly finding: ProbeFinding;
  readonly error?: ObjectStoreError | undefined;
}

async function runStep(
  step: ProbeStep,
  context: ProbeContext,
  options: S3Options,
): Promise<StepResult> {
  const { name, permission, without } = step;
  const started = performance.now();
  const finish = (rest: Omit<ProbeFinding, 'name' | 'ms'>): ProbeFinding => ({
    name,
    ...(permission === undefined ? {} : { permission }),
    ...rest,
    ms: Math.round(performance.now() - started),
  });
  try {
    const detail = await step.run(context);
    return { finding: finish({ outcome: 'ok', ...(detail === undefined ? {} : { detail }) }) };
  } catch (error) {
    const outcome = without === undefined ? 'failed' : 'limited';
    const consequence = without === undefined ? '' : `; ${without}`;
    if (error instanceof Surprise || isUnsupported(error)) {
      const what = error instanceof Surprise ? error.message : 'the server does not support it';
      return { finding: finish({ outcome, detail: `${what}${consequence}` }) };
    }
    const failure = await explain(error, step, context, options);
    return {
      finding: finish({
        outcome,
        detail: `${failure.message}${consequence}`,
        code: failure.code,
        ...(failure.hint === undefined ? {} : { hint: failure.hint }),
      }),
      error: failure,
    };
  }
}

async function explain(
  error: unknown,
  { verb, permission }: ProbeStep,
  { prefix, signal }: ProbeContext,
  options: S3Options,
): Promise<ObjectStoreError> {
  const symptom = signal.aborted
    ? Object.assign(new Error('no answer in time'), { name: 'TimeoutError' })
    : error;
  return await translateS3Error(symptom, { verb, key: prefix, options, permission });
}

function skipped({ name, permission }: ProbeStep): StepResult {
  const needs = permission === undefined ? {} : { permission };
  return { finding: { name, outcome: 'skipped', ...needs, ms: 0 } };
}

/** Nothing of a probe stays behind if it can be helped; what refuses to go is a few bytes. */
async function tidyUp({
  connection: { sdk, client },
  bucket,
  prefix,
}: ProbeContext): Promise<void> {
  const abortSignal = AbortSignal.timeout(CLEANUP_MS);
  await Promise.allSettled(
    probeKeys(prefix).map(async (Key) => {
      await client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key }), { abortSignal });
    }),
  );
}

/** Notes the time the server says it is; answers to errors say it too. */
function watchClock({ client }: S3Connection, clock: Clock): () => number | undefined {
  let skewMs: number | undefined;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers = {} } = result.response as { headers?: Readonly<Record<string, string>> };
      const time = Date.parse(headers['date'] ?? '');
      skewMs ??= Number.isNaN(time) ? undefined : time - clock.now().getTime();
      return result;
    },
    // The last before the wire: it sees answers before the SDK turns them into errors.
    { step: 'deserialize', priority: 'low', name: 'watchClock' },
  );
  return () => skewMs;
}

function clockFinding(
  skewMs: number | undefined,
  { isReached }: { readonly isReached: boolean },
): ProbeFinding {
  const away = Math.abs(skewMs ?? 0);
  if (skewMs === undefined && !isReached) {
    return { name: 'clock', outcome: 'skipped', ms: 0 };
  }
  if (skewMs === undefined) {
    return {
      name: 'clock',
      outcome: 'limited',
      detail: 'the server does not tell its time',
      ms: 0,
    };
  }
  if (away <= TOLERABLE_SKEW_MS) {
    return { name: 'clock', outcome: 'ok', ms: 0 };
  }
  return {
    name: 'clock',
    outcome: away > REFUSED_SKEW_MS ? 'failed' : 'limited',
    detail: `the clock of the server is ${Math.round(away / 1000)} s ${skewMs > 0 ? 'ahead of' : 'behind'} that of this machine; from 900 s on it refuses requests`,
    hint: 'set the clock of both machines, for example with "timedatectl set-ntp true"',
    code: 'clock-skew',
    ms: 0,
  };
}

const STYLE_CODES: readonly string[] = [
  'no-such-bucket',
  'not-found',
  'not-an-s3-endpoint',
  'storage-failed',
  'untrusted-certificate',
  'unreachable',
  'wrong-credentials',
];

/** Other ways to speak to the same bucket that may work, given how this one failed. */
function alternatives(options: S3Options, refusal: ObjectStoreError | undefined): S3Options[] {
  if (refusal === undefined) {
    return [];
  }
  if (refusal.code === 'wrong-region') {
    return refusal.region === undefined ? [] : [{ ...options, region: refusal.region }];
  }
  return STYLE_CODES.includes(refusal.code) ? otherStyle(options) : [];
}

function otherStyle(options: S3Options): S3Options[] {
  if (styleOf(options) === 'host') {
    return [{ ...options, uriStyle: 'path' }];
  }
  // An address has no subdomains.
  const host = URL.parse(options.endpoint ?? 'https://amazonaws.com')?.hostname ?? '';
  return isIP(host.replaceAll(/^\[|\]$/g, '')) === 0 ? [{ ...options, uriStyle: 'host' }] : [];
}

function styleOf(options: S3Options): 'path' | 'host' {
  return options.uriStyle ?? (options.endpoint === undefined ? 'host' : 'path');
}

function reportOf({ options, findings, clockSkewMs }: Attempt): Omit<StorageReport, 'elapsedMs'> {
  const isOk = (name: ProbeName): boolean =>
    findings.some((finding) => finding.name === name && finding.outcome === 'ok');
  const profile: StorageProfile = {
    uriStyle: styleOf(options),
    region: options.region ?? 'us-east-1',
    conditionalWrites: isOk('conditional-write'),
    batchDelete: isOk('batch-delete'),
    multipart: isOk('multipart'),
    checksPayload: isOk('payload-check'),
  };
  return {
    usable: findings.every(({ outcome }) => outcome === 'ok' || outcome === 'limited'),
    findings,
    profile,
    clockSkewMs,
  };
}
