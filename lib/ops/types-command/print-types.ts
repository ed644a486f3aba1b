/** Type trees → text, laid out as Biome and Prettier leave it, so that a formatter has nothing to do. */
import { propertyName, type TypeField, type TypeNode } from './type-node.ts';

const WIDTH = 100;

/** `export type NAME = …;`, with a final newline. */
export function printAlias(name: string, type: TypeNode): string {
  return `${layOut(`export type ${name} =`, ';', type, '')}\n`;
}

/** `before type after`, broken into lines where it must be. */
function layOut(before: string, after: string, type: TypeNode, indent: string): string {
  const inline = onOneLine(type);
  if (inline !== undefined && `${before} ${inline}${after}`.length <= WIDTH) {
    return `${before} ${inline}${after}`;
  }
  return type.kind === 'union' && !isHugged(type.members)
    ? `${before}${brokenUnion(type.members, `${indent}  `)}${after}`
    : `${before} ${broken(type, indent)}${after}`;
}

/** Undefined where it has an object, which always takes lines of its own. */
function onOneLine(type: TypeNode): string | undefined {
  switch (type.kind) {
    case 'text':
      return type.text;
    case 'object':
      return undefined;
    case 'array': {
      const items = onOneLine(type.items);
      return items === undefined ? undefined : arrayOf(type.items, items);
    }
    case 'union': {
      const members = type.members.map(onOneLine);
      return members.includes(undefined) ? undefined : members.join(' | ');
    }
    default:
      return type satisfies never;
  }
}

function broken(type: TypeNode, indent: string): string {
  switch (type.kind) {
    case 'text':
      return type.text;
    case 'object': {
      const fields = type.fields.map((field) => printField(field, `${indent}  `));
      return ['{', ...fields, `${indent}}`].join('\n');
    }
    case 'array':
      return brokenArray(type.items, indent);
    case 'union':
      return type.members.map((member) => broken(member, indent)).join(' | ');
    default:
      return type satisfies never;
  }
}

function brokenArray(items: TypeNode, indent: string): string {
  if (items.kind === 'union' && !isHugged(items.members)) {
    return `readonly (${brokenUnion(items.members, `${indent}  `)}\n${indent})[]`;
  }
  return arrayOf(items, broken(items, indent));
}

function arrayOf(items: TypeNode, printed: string): string {
  return items.kind === 'text' || items.kind === 'object'
    ? `readonly ${printed}[]`
    : `readonly (${printed})[]`;
}

/** Each member on a line, after a line break. */
function brokenUnion(members: readonly TypeNode[], indent: string): string {
  return members.map((member) => `\n${layOut(`${indent}|`, '', member, `${indent}  `)}`).join('');
}

/** `{ … } | null` stays together, and so does a type's name with null. */
function isHugged(members: readonly TypeNode[]): boolean {
  const others = members.filter((member) => member.kind !== 'object' && !isText(member, 'Nothing'));
  return others.length === members.length - 1 && others.every((member) => isText(member, 'null'));
}

function isText(type: TypeNode, text: string): boolean {
  return type.kind === 'text' && type.text === text;
}

function printField(field: TypeField, indent: string): string {
  const modifier = field.isReadonly === true ? 'readonly ' : '';
  const name = field.isIndex === true ? '[name: string]' : propertyName(field.name);
  const before = `${indent}${modifier}${name}${field.isOptional === true ? '?' : ''}:`;
  return `${comment(field.doc, indent)}${layOut(before, ';', field.type, indent)}`;
}

/** A docstring with its line break, its lines wrapped; nothing where there is nothing to say. */
function comment(doc: string | undefined, indent: string): string {
  const shown = (doc ?? '').toWellFormed().replaceAll(/[^\P{Cc}\n]/gu, ' ');
  const paragraphs = shown.replaceAll('*/', '* /').trim().split('\n');
  const lines = paragraphs.flatMap((line) => wrap(line, WIDTH - indent.length - 3));
  const [first, ...others] = lines;
  if (first === undefined || shown.trim() === '') {
    return '';
  }
  const single = `${indent}/** ${first} */`;
  if (others.length === 0 && single.length <= WIDTH) {
    return `${single}\n`;
  }
  const body = lines.map((line) => `${indent} * ${line}`.trimEnd());
  return `${[`${indent}/**`, ...body, `${indent} */`].join('\n')}\n`;
}

function wrap(paragraph: string, width: number): readonly string[] {
  const lines: string[] = [''];
  for (const word of paragraph.split(/\s+/).filter((one) => one !== '')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(word);
    } else {
      lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
    }
  }
  return lines;
}
