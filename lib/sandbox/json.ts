/** JSON as a type, for the files of the sandbox. */
export type { JsonRecord, JsonValue } from '#system';
