/**
 * `assumes` of metadata.yaml.
 * https://github.com/juju/charm/blob/v12/assumes/parser.go
 */
import { ModelError } from '../errors.ts';
import type { JsonValue } from '../json.ts';
import type { Assumption } from '../model/assumes.ts';
import { isRecord } from './yaml-document.ts';

const FEATURE = /^[a-z](?:[a-z0-9]|-[a-z0-9])*$/;
const VERSIONED =
  /^(?<feature>[a-z](?:[a-z0-9]|-[a-z0-9])*)\s*(?<operator>>=|<)\s*(?<number>\d+(?:\.\d+){0,2})$/;

/** @throws ModelError with Juju's message where an expression is none. */
export function parseAssumes(value: JsonValue | undefined): readonly Assumption[] {
  if (value === undefined || value === null) {
    return [];
  }
  return listOf(value, 'assumes').map(parseAssumption);
}

function parseAssumption(value: JsonValue): Assumption {
  if (typeof value === 'string') {
    return parseFeature(value.trim());
  }
  const [kind, ...others] = isRecord(value) ? Object.keys(value) : [];
  if ((kind !== 'any-of' && kind !== 'all-of') || others.length > 0 || !isRecord(value)) {
    throw new ModelError('parsing "assumes": expected an "any-of" or "all-of" block');
  }
  return { kind, parts: listOf(value[kind] ?? null, kind).map(parseAssumption) };
}

function parseFeature(text: string): Assumption {
  if (FEATURE.test(text)) {
    return { kind: 'feature', feature: text };
  }
  const { feature, operator, number } = VERSIONED.exec(text)?.groups ?? {};
  if (feature === undefined || number === undefined) {
    throw new ModelError(
      `parsing "assumes": malformed feature request expression ${JSON.stringify(text)}; expected "feature-name", "feature-name >= version" or "feature-name < version"`,
    );
  }
  return {
    kind: 'feature',
    feature,
    version: { operator: operator === '<' ? '<' : '>=', number },
  };
}

function listOf(value: JsonValue, what: string): readonly JsonValue[] {
  if (!Array.isArray(value)) {
    throw new ModelError(`parsing "assumes": ${what} has to be a list`);
  }
  return value as readonly JsonValue[];
}
