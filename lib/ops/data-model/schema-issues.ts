/** What a JSON Schema has against a value, in plain words that quote no value. */
import type { ErrorObject } from 'ajv';

/** One thing that is wrong. */
export interface SchemaIssue {
  /** JSON pointer to what is wrong, or to what is missing: `/jobs/0/id`. */
  readonly path: string;
  /** JSON pointer into the schema: `#/properties/jobs/items/required`. */
  readonly schemaPath: string;
  readonly reason: string;
}

// Longer names in a message would only hide what matters.
const MAX_KEY_LENGTH = 60;
// A reader needs the first few reasons; a hostile value could have thousands.
const MAX_ISSUES = 5;

/** The first few errors of a validation, each once. */
export function schemaIssues(errors: readonly ErrorObject[]): readonly SchemaIssue[] {
  const issues = new Map<string, SchemaIssue>();
  for (const error of errors) {
    const issue = describe(error);
    issues.set(`${issue.path}: ${issue.reason}`, issue);
    if (issues.size === MAX_ISSUES) {
      break;
    }
  }
  return [...issues.values()];
}

function describe(error: ErrorObject): SchemaIssue {
  const { params, schemaPath } = error;
  const isMissing = error.keyword === 'required';
  const missing = isMissing ? `/${String(params['missingProperty'])}` : '';
  const path = `${shorten(error.instancePath)}${missing}`;
  return { path, schemaPath, reason: isMissing ? 'is missing' : reasonOf(error) };
}

function reasonOf({ keyword, params, message }: ErrorObject): string {
  switch (keyword) {
    case 'additionalProperties':
      return `has the key ${quote(String(params['additionalProperty']))}, which is not allowed there`;
    case 'enum':
      return `must be one of ${listOf(params['allowedValues'])}`;
    case 'const':
      return `must be ${quote(String(params['allowedValue']))}`;
    case 'type':
      return `must be of type ${String(params['type'])}`;
    default:
      return message ?? 'is not valid';
  }
}

function listOf(values: unknown): string {
  return Array.isArray(values) ? values.map((value) => JSON.stringify(value)).join(', ') : '';
}

function quote(text: string): string {
  return JSON.stringify(shorten(text));
}

function shorten(text: string): string {
  return text.length > MAX_KEY_LENGTH ? `${text.slice(0, MAX_KEY_LENGTH)}…` : text;
}
