/** YAML that people type or keep in files, read as Juju (yaml.v2, YAML 1.1) reads it. */
import type { Tags } from 'yaml';
import { CommandError } from '../errors.ts';

/**
 * The value of one YAML document; times and `15:30` stay text. The parser is loaded on first use.
 * @throws CommandError naming `what` when the text is not YAML.
 */
export async function parseYaml(text: string, what: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    const value: unknown = parse(text, AS_JUJU);
    return value;
  } catch (error) {
    throw unreadable(error, what);
  }
}

/** The values of all documents in the text. @throws CommandError naming `what`. */
export async function parseYamlDocuments(text: string, what: string): Promise<readonly unknown[]> {
  const { parseAllDocuments } = await import('yaml');
  try {
    return [...parseAllDocuments(text, AS_JUJU)].map((document): unknown => {
      const [mistake] = document.errors;
      if (mistake !== undefined) {
        throw mistake;
      }
      return document.toJS();
    });
  } catch (error) {
    throw unreadable(error, what);
  }
}

const AS_JUJU = {
  schema: 'yaml-1.1',
  merge: true,
  // As in Juju, where options and parameters are called n or on.
  stringKeys: true,
  customTags: (tags: Tags) =>
    tags.filter((tag) => typeof tag === 'string' || !isTimeLike(tag.tag, formatOf(tag))),
} as const;

function unreadable(error: unknown, what: string): CommandError {
  const reason = Error.isError(error) ? (error.message.split('\n')[0] ?? '') : String(error);
  return new CommandError(`cannot parse ${what}: ${reason}`);
}

function formatOf(tag: object): unknown {
  return 'format' in tag ? tag.format : undefined;
}

function isTimeLike(tag: string, format: unknown): boolean {
  return tag === 'tag:yaml.org,2002:timestamp' || format === 'TIME';
}
