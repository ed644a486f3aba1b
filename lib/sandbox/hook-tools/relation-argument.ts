/** The `-r` flag: which relation a tool is about. */
import type { RelationDocument } from '../model/documents.ts';
import type { FlagSpec } from './flags.ts';
import type { ToolCall } from './tool.ts';
import { usageError } from './tool-error.ts';

export const RELATION_FLAG = {
  relation: { kind: 'text', aliases: ['r'] },
} as const satisfies Readonly<Record<string, FlagSpec>>;

/** The relation of `-r N` or `-r endpoint:N`, else that of the hook; undefined for neither. */
export function findRelation(call: ToolCall): RelationDocument | undefined {
  const text = call.flags.text('relation');
  const id = text === undefined || text === '' ? call.context.relation?.id : parseId(text);
  if (id === undefined) {
    return undefined;
  }
  const relation = call.context.findRelation(id);
  if (relation === undefined) {
    throw usageError(
      `invalid value ${JSON.stringify(text ?? String(id))} for option -r: relation not found`,
    );
  }
  return relation;
}

/** @throws ToolError (2) when there is no relation to be about. */
export function requireRelation(call: ToolCall): RelationDocument {
  const relation = findRelation(call);
  if (relation === undefined) {
    throw usageError('no relation id specified');
  }
  return relation;
}

function parseId(text: string): number {
  const match = /^(?:[^:]+:)?(\d+)$/.exec(text);
  if (match?.[1] === undefined) {
    throw usageError(`invalid value ${JSON.stringify(text)} for option -r: invalid relation id`);
  }
  return Number(match[1]);
}
