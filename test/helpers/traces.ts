/** Looks for planted texts in files, object stores and running processes, as somebody curious would. */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What was looked at, and where the texts were. */
export interface Traces {
  readonly looked: number;
  /** Paths, with the texts found there. */
  readonly found: readonly string[];
}

/** Names and contents of all files below a directory. */
export async function tracesInFiles(
  directory: string,
  planted: readonly string[],
  isOfInterest: (path: string) => boolean = () => true,
): Promise<Traces> {
  const found: string[] = [];
  let looked = 0;
  const names = await readdir(directory, { recursive: true }).catch(() => []);
  for (const name of names) {
    const path = join(directory, name);
    const entry = await lstat(path).catch(() => undefined);
    if (entry?.isFile() === true && isOfInterest(path)) {
      looked += 1;
      const content = await readFile(path, 'latin1').catch(() => '');
      found.push(...hits(`${path}\n${content}`, planted).map((text) => `${path}: ${text}`));
    }
  }
  return { looked, found };
}

/** Arguments and environment of all processes but those named. */
export async function tracesInProcesses(
  planted: readonly string[],
  but: ReadonlySet<number>,
): Promise<Traces> {
  const found: string[] = [];
  let looked = 0;
  for (const name of await readdir('/proc')) {
    if (/^\d+$/.test(name) && !but.has(Number(name))) {
      looked += 1;
      for (const kind of ['cmdline', 'environ']) {
        const text = await readFile(`/proc/${name}/${kind}`, 'latin1').catch(() => '');
        found.push(...hits(text, planted).map((hit) => `${kind} of ${name}: ${hit}`));
      }
    }
  }
  return { looked, found };
}

/** Which of the texts occur, as they are or in Base64. */
export function hits(text: string, planted: readonly string[]): readonly string[] {
  return planted.filter(
    (one) => text.includes(one) || text.includes(Buffer.from(one).toString('base64')),
  );
}
