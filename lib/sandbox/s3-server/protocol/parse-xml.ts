/**
 * Reads the XML documents that S3 clients send: elements, text and character references.
 * Attributes are skipped; document types, the door of most XML attacks, are refused.
 */
import { S3Error } from './s3-error.ts';

export interface XmlElement {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
}

interface OpenElement {
  readonly name: string;
  text: string;
  readonly children: XmlElement[];
}

const TOKEN = /<\?[^>]*\?>|<!--[\s\S]*?-->|<(\/?)([\w.:-]+)((?:\s[^<>]*?)?)(\/?)>|([^<]+)/gy;
const MAX_DEPTH = 16;

/**
 * The root element, which must be called `root`.
 * @throws S3Error MalformedXML
 */
export function parseXml(source: string, root: string): XmlElement {
  const top: OpenElement = { name: '', text: '', children: [] };
  const open: OpenElement[] = [top];
  let end = 0;
  for (const token of source.matchAll(TOKEN)) {
    end = token.index + token[0].length;
    takeToken(open, token);
  }
  const [element, ...others] = top.children;
  const wellFormed = end === source.length && open.length === 1 && top.text.trim() === '';
  if (!wellFormed || element?.name !== root || others.length > 0) {
    throw malformed();
  }
  return element;
}

/** The first child element of that name, or undefined. */
export function childOf(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name);
}

/** The text of the first child element of that name, or undefined. */
export function textOf(element: XmlElement, name: string): string | undefined {
  return childOf(element, name)?.text;
}

function takeToken(open: OpenElement[], token: RegExpExecArray): void {
  const [, closing, name, , selfClosing, text] = token;
  const current = open.at(-1);
  if (current === undefined) {
    throw malformed();
  }
  if (text !== undefined) {
    current.text += unescapeXml(text);
  } else if (name !== undefined && closing === '/') {
    closeElement(open, name);
  } else if (name !== undefined) {
    open.push({ name, text: '', children: [] });
    if (selfClosing === '/') {
      closeElement(open, name);
    }
  }
  if (open.length > MAX_DEPTH) {
    throw malformed();
  }
}

function closeElement(open: OpenElement[], name: string): void {
  const closed = open.pop();
  const parent = open.at(-1);
  if (closed?.name !== name || parent === undefined) {
    throw malformed();
  }
  parent.children.push(closed);
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

function unescapeXml(text: string): string {
  return text.replaceAll(/&([^;&]*);?/g, (whole, name: string) => {
    const character = ENTITIES[name] ?? referencedCharacter(name);
    if (character === undefined || !whole.endsWith(';')) {
      throw malformed();
    }
    return character;
  });
}

function referencedCharacter(name: string): string | undefined {
  const match = /^#(?:x([\da-f]{1,6})|(\d{1,7}))$/i.exec(name);
  if (match === null) {
    return undefined;
  }
  const code = match[1] === undefined ? Number(match[2]) : Number.parseInt(match[1], 16);
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

function malformed(): S3Error {
  return new S3Error(
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}
