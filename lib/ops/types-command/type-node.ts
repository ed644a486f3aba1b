/** TypeScript types as a tree, as far as metadata need them. */

export type TypeNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'object'; readonly fields: readonly TypeField[] }
  | { readonly kind: 'array'; readonly items: TypeNode }
  | { readonly kind: 'union'; readonly members: readonly TypeNode[] };

export interface TypeField {
  /** The property, or `[name: string]`. */
  readonly name: string;
  readonly type: TypeNode;
  readonly isIndex?: boolean;
  readonly isOptional?: boolean;
  readonly isReadonly?: boolean;
  /** Text for people, of any number of lines. */
  readonly doc?: string;
}

/** A type of one word or one literal, as it is written. */
export function text(written: string): TypeNode {
  return { kind: 'text', text: written };
}

/** An object type; one without fields has no properties at all. */
export function object(fields: readonly TypeField[]): TypeNode {
  return fields.length === 0 ? text('Nothing') : { kind: 'object', fields };
}

/** A read-only array. */
export function array(items: TypeNode): TypeNode {
  return { kind: 'array', items };
}

/** Any of the members: nested unions become one, what occurs twice is kept once. */
export function union(members: readonly TypeNode[]): TypeNode {
  const flat = members.flatMap((member) => (member.kind === 'union' ? member.members : [member]));
  const known = new Map(flat.map((member) => [JSON.stringify(member), member]));
  const distinct = [...known.values()];
  const [only] = distinct;
  if (distinct.some(isUnknown)) {
    return text('unknown');
  }
  if (only === undefined) {
    return text('never');
  }
  return distinct.length === 1 ? only : { kind: 'union', members: distinct };
}

/** The words among `names` the type is made of. */
export function wordsUsed(node: TypeNode, names: readonly string[]): readonly string[] {
  return names.filter((name) => usesWord(node, name));
}

function usesWord(node: TypeNode, name: string): boolean {
  switch (node.kind) {
    case 'text':
      return node.text === name;
    case 'object':
      return node.fields.some(({ type }) => usesWord(type, name));
    case 'array':
      return usesWord(node.items, name);
    case 'union':
      return node.members.some((member) => usesWord(member, name));
    default:
      return node satisfies never;
  }
}

/** A string literal with the quotes the formatter prefers; what cannot be seen is escaped. */
export function quoted(value: string): string {
  const singles = value.split("'").length;
  const doubles = value.split('"').length;
  const quote = singles > doubles ? '"' : "'";
  const body = Array.from(value, (character) => escaped(character, quote)).join('');
  return `${quote}${body}${quote}`;
}

/** A property name: in quotes only where it must be. Formatters differ on quotes around other letters. */
export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name).replaceAll(/[^ -~]/g, codeUnits);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '\\': String.raw`\\`,
};

function escaped(character: string, quote: string): string {
  if (character === quote) {
    return `\\${character}`;
  }
  const isPlain = /^[ -~\u00a1-\u00ac\u00ae-\u024f]$/.test(character) && character !== '\\';
  return isPlain ? character : (ESCAPES[character] ?? codeUnits(character));
}

function codeUnits(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    const code = character.charCodeAt(index).toString(16).padStart(4, '0');
    return String.raw`\u` + code;
  }).join('');
}

function isUnknown(node: TypeNode): boolean {
  return node.kind === 'text' && node.text === 'unknown';
}
