/** What secret tools take: URIs, contents, life times. */
import type { SecretContent } from '../api-secrets.ts';
import type { RotatePolicy, SecretDocument } from '../model/documents.ts';
import { mayManage, parseSecretUri, SECRET_KEY } from '../model/secrets.ts';
import type { FlagSpec } from './flags.ts';
import { readCharmFile, readValuesFile } from './key-values.ts';
import type { ToolCall } from './tool.ts';
import { ToolError, usageError } from './tool-error.ts';

export const CONTENT_FLAGS = {
  owner: { kind: 'text' },
  label: { kind: 'text' },
  description: { kind: 'text' },
  rotate: { kind: 'text' },
  expire: { kind: 'text' },
  file: { kind: 'text' },
} as const satisfies Readonly<Record<string, FlagSpec>>;

const POLICIES: ReadonlySet<string> = new Set([
  'never',
  'hourly',
  'daily',
  'weekly',
  'monthly',
  'quarterly',
  'yearly',
]);

const MAX_CONTENT_BYTES = 1_000_000;

/** The id of the URI given first. @throws ToolError (2). */
export function requireSecretId(uri: string | undefined): string {
  if (uri === undefined || uri === '') {
    throw usageError('missing secret URI');
  }
  const id = parseSecretUri(uri);
  if (id === undefined) {
    throw usageError(`secret URI ${JSON.stringify(uri)} not valid`);
  }
  return id;
}

/** A secret this unit may change. @throws ToolError where it is unknown or another's. */
export function requireManaged({ context }: ToolCall, id: string): SecretDocument {
  const secret = context.findSecret(id);
  if (secret === undefined) {
    throw new ToolError(`secret ${JSON.stringify(id)} not found`);
  }
  if (!mayManage(secret, context.unit, context.isLeader())) {
    const isOwnApp =
      secret.owner.kind === 'application' && secret.owner.name === context.application;
    throw new ToolError(isOwnApp ? 'this unit is not the leader' : 'permission denied');
  }
  return secret;
}

/** Contents of `key=value`, `key#base64=value`, `key#file=path` and `--file`; values in base64. */
export function parseContent(call: ToolCall, args: readonly string[]): SecretContent {
  const content: Record<string, string> = {};
  for (const [key, value] of Object.entries(readValuesFile(call))) {
    content[checkedKey(key)] = encode(value);
  }
  for (const arg of args) {
    const equals = arg.indexOf('=');
    if (equals <= 0) {
      throw usageError(`key value ${JSON.stringify(arg)} not valid`);
    }
    const [key = '', form] = arg.slice(0, equals).split('#');
    const value = arg.slice(equals + 1);
    content[checkedKey(key)] = valueIn(call, form, value);
  }
  refuseLarge(content);
  return content;
}

function valueIn(call: ToolCall, form: string | undefined, value: string): string {
  switch (form) {
    case undefined:
      return encode(value);
    case 'base64':
      return value;
    case 'file':
      return readCharmFile(call, value).toString('base64');
    default:
      throw usageError(`key value ${JSON.stringify(`#${form}`)} not valid`);
  }
}

function checkedKey(key: string): string {
  if (!SECRET_KEY.test(key)) {
    throw usageError(`key ${JSON.stringify(key)} not valid`);
  }
  return key;
}

function refuseLarge(content: SecretContent): void {
  let total = 0;
  for (const [key, value] of Object.entries(content)) {
    total += value.length;
    if (value.length > MAX_CONTENT_BYTES) {
      throw usageError(
        `base64 encoded secret content for key ${JSON.stringify(key)} too large: ${value.length} bytes`,
      );
    }
  }
  if (total > MAX_CONTENT_BYTES) {
    throw usageError(`base64 encoded secret content too large: ${total} bytes`);
  }
}

function encode(value: string): string {
  return Buffer.from(value, 'utf8').toString('base64');
}

export function rotatePolicy({ flags }: ToolCall): RotatePolicy | undefined {
  const text = flags.text('rotate');
  if (text !== undefined && !isPolicy(text)) {
    throw usageError(`rotate policy ${JSON.stringify(text)} not valid`);
  }
  return text;
}

function isPolicy(text: string): text is RotatePolicy {
  return POLICIES.has(text);
}

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** `--expire` as ISO time: a Go duration from now, or a time. @throws ToolError (2). */
export function expiry({ flags, context }: ToolCall): string | undefined {
  const text = flags.text('expire');
  if (text === undefined || text === '') {
    return undefined;
  }
  const now = context.services.clock.now().getTime();
  const time = durationMs(text);
  return time === undefined ? parseTime(text) : new Date(now + time).toISOString();
}

function durationMs(text: string): number | undefined {
  const duration = /^(-?)((?:\d+(?:\.\d+)?(?:h|ms|m|s))+)$/.exec(text);
  if (duration?.[1] === '-') {
    throw usageError(`negative expire duration ${JSON.stringify(text)} not valid`);
  }
  if (duration?.[2] === undefined) {
    return undefined;
  }
  return [...duration[2].matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)]
    .map(([, amount, unit = '']) => Number(amount) * (UNITS[unit] ?? 0))
    .reduce((sum, part) => sum + part, 0);
}

function parseTime(text: string): string {
  const isTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/.test(text);
  // Without a zone it is UTC.
  const time = new Date(isTime && /\d$/.test(text) ? `${text}Z` : text);
  if (!isTime || Number.isNaN(time.getTime())) {
    throw usageError(`expire time or duration ${JSON.stringify(text)} not valid`);
  }
  return time.toISOString();
}
