/**
 * YAML as Go's yaml.v2 prints it, which is what scripts written for Juju have seen: lists not indented
 * below their key, double quotes where the text would read as another type, single quotes where it
 * could not stand plain, literal blocks for several lines. Long lines are not folded.
 */
import { definedEntries, isMap, type OutputValue, Timestamp } from './values.ts';

/** The value as a YAML document; keys keep the order they have (see `sortKeys`). */
export function toYaml(value: OutputValue): string {
  return `${render(value, 0)}\n`;
}

function render(value: OutputValue, depth: number): string {
  if (Array.isArray(value)) {
    return renderList(value, depth);
  }
  return isMap(value) ? renderMap(value, depth) : renderScalar(value, depth);
}

function renderList(items: readonly OutputValue[], depth: number): string {
  if (items.length === 0) {
    return '[]';
  }
  const pad = '  '.repeat(depth);
  return items.map((item) => `${pad}- ${render(item, depth + 1).replace(/^ +/, '')}`).join('\n');
}

function renderMap(map: Readonly<Record<string, OutputValue>>, depth: number): string {
  const entries = definedEntries(map);
  if (entries.length === 0) {
    return '{}';
  }
  const pad = '  '.repeat(depth);
  return entries.map(([key, item]) => `${pad}${quoteKey(key)}:${member(item, depth)}`).join('\n');
}

function member(item: OutputValue, depth: number): string {
  if (Array.isArray(item) && item.length > 0) {
    return `\n${renderList(item, depth)}`;
  }
  if (isMap(item) && definedEntries(item).length > 0) {
    return `\n${renderMap(item, depth + 1)}`;
  }
  return ` ${render(item, depth + 1)}`;
}

function renderScalar(value: OutputValue, depth: number): string {
  if (typeof value === 'string') {
    return value.includes('\n') ? renderLines(value, depth) : quoteText(value);
  }
  return value instanceof Timestamp ? value.text : JSON.stringify(value ?? null);
}

/** A literal block where the text allows one. */
function renderLines(text: string, depth: number): string {
  if (
    /^\n+$| \n|[^\n\t\u0020-\u007E\u0085\u00A0-\uFFFF]|\n*$ /.test(text) ||
    /\s$/.test(text.replace(/\n+$/, ''))
  ) {
    return JSON.stringify(text);
  }
  const body = text.replace(/\n+$/, '');
  const trailing = text.length - body.length;
  const chomping = ['-', ''][trailing] ?? '+';
  const pad = '  '.repeat(Math.max(depth, 1));
  // A block that starts with a space or an empty line has to say how far it is indented.
  const hint = /^[ \n]/.test(text) ? '2' : '';
  const lines = body.split('\n').map((line) => (line === '' ? '' : pad + line));
  return `|${hint}${chomping}\n${lines.join('\n')}${'\n'.repeat(Math.max(trailing - 1, 0))}`;
}

function quoteKey(key: string): string {
  return key.includes('\n') ? JSON.stringify(key) : quoteText(key);
}

function quoteText(text: string): string {
  if (
    readsAsAnotherType(text) ||
    /[^\t\u0020-\u007E\u0085\u00A0-\uFFFF]|\u2028|\u2029|\uFEFF/.test(text)
  ) {
    return JSON.stringify(text);
  }
  return mayStandPlain(text) ? text : `'${text.replaceAll("'", "''")}'`;
}

function mayStandPlain(text: string): boolean {
  return !(
    /^[#,[\]{}&*!|>'"%@`]/.test(text) ||
    /^[-?:](?:\s|$)/.test(text) ||
    /^(?:---|\.\.\.)/.test(text) ||
    /:(?:\s|$)|\s#/.test(text) ||
    /^\s|\s$/.test(text) ||
    text.includes('\t')
  );
}

const KEYWORDS =
  /^(?:|~|\.|null|Null|NULL|<<|[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|true|True|TRUE|false|False|FALSE)$/;
const NUMBERS: readonly RegExp[] = [
  /^[-+]?(?:0[bB][01]+|0[xX][\da-fA-F]+|0[oO][0-7]+|\d+)$/,
  /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/,
  /^[-+]?\.(?:inf|Inf|INF)$/,
  /^\.(?:nan|NaN|NAN)$/,
];
// As YAML 1.1 has it: 15:04:05.
const BASE_60 = /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/;
const TIMESTAMP =
  /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d*)?(?:Z|[-+]\d\d:\d\d)| \d{1,2}:\d{1,2}:\d{1,2}(?:\.\d*)?)?$/;

function readsAsAnotherType(text: string): boolean {
  // Underlines count for nothing in what begins with a sign or a digit, and are no part of `.5`.
  const number = /^[-+\d]/.test(text) ? text.replaceAll('_', '') : text;
  return (
    KEYWORDS.test(text) ||
    TIMESTAMP.test(text) ||
    BASE_60.test(text) ||
    NUMBERS.some((pattern) => pattern.test(number))
  );
}
