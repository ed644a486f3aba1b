/** Text on its way to and from hook tools: argument limits and YAML that every parser reads. */

// Linux MAX_ARG_STRLEN is 131 072 bytes with the final NUL (execve(2)).
export const MAX_ARGUMENT_BYTES = 131_071;

/** Free text as one argument: without NUL, which none can hold, and cut where it is too long. */
export function argumentText(text: string): string {
  const [first = '', ...rest] = splitText(spellNul(text), MAX_ARGUMENT_BYTES - ELLIPSIS.length);
  return rest.length === 0 ? first : `${first}${ELLIPSIS}`;
}

/** Free text as arguments, as many as it takes; empty pieces, which Juju refuses, are left out. */
export function argumentTexts(text: string): readonly string[] {
  return splitText(spellNul(text), MAX_ARGUMENT_BYTES).filter((piece) => piece !== '');
}

const ELLIPSIS = '...';

/** NUL cannot be in an argument. */
export function spellNul(text: string): string {
  return text.replaceAll('\0', '\\0');
}

/** Pieces of at most `maxBytes` in UTF-8, cut after a newline where one is near, never in a character. */
export function splitText(text: string, maxBytes: number): readonly string[] {
  const pieces: string[] = [];
  let rest = Buffer.from(text, 'utf8');
  while (rest.length > maxBytes) {
    const cut = cutPosition(rest, maxBytes);
    pieces.push(rest.subarray(0, cut).toString('utf8'));
    rest = rest.subarray(cut);
  }
  return [...pieces, rest.toString('utf8')];
}

function cutPosition(bytes: Buffer, maxBytes: number): number {
  const newline = bytes.lastIndexOf(0x0a, maxBytes - 1);
  if (newline > maxBytes / 2) {
    return newline + 1;
  }
  let cut = maxBytes;
  // Bytes 10xxxxxx continue a character.
  while (((bytes[cut] ?? 0) & 0xc0) === 0x80) {
    cut -= 1;
  }
  return cut;
}

/** A string map as YAML in the JSON style; Juju reads it with go-yaml. */
export function stringMapYaml(map: Readonly<Record<string, string>>): string {
  return Object.entries(map)
    .map(([key, value]) => `${yamlString(key)}: ${yamlString(value)}\n`)
    .join('');
}

function yamlString(text: string): string {
  // go-yaml refuses these characters raw, though JSON does not ask to escape them.
  return JSON.stringify(text).replaceAll(
    // oxlint-disable-next-line no-control-regex -- control characters are what this is about
    /[\u007f-\u009f\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
