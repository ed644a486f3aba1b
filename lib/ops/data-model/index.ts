/** Typed data in databags, config and params of actions, checked by JSON Schemas. */
export { type DataCodec, textCodec } from './codec.ts';
export { DataModel, type DataModelOptions } from './data-model.ts';
export { DataModelError, type DataProblem, InvalidDataModelError } from './errors.ts';
export { type SchemaIssue, schemaIssues } from './schema-issues.ts';
export type { JsonSchema } from './schema-keys.ts';
