/** The licences of the npm packages in a bundle, which ask to be passed on with it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from './project.ts';

interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** One text for all, by name; of a package that ships no licence file, the name of its licence. */
export async function licencesOf(packages: ReadonlySet<string>): Promise<string> {
  const sections = await Promise.all([...packages].toSorted().map(sectionOf));
  return sections.join(`\n${'-'.repeat(80)}\n\n`);
}

async function sectionOf(folder: string): Promise<string> {
  const directory = join(projectRoot, folder);
  const about = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as PackageFile;
  const title = `${about.name} ${about.version} (${about.license ?? 'licence not stated'})\n`;
  const names = (await readdir(directory)).filter((name) => /^(?:licen[cs]e|notice)/i.test(name));
  const texts = await Promise.all(
    names.toSorted().map(async (name) => await readFile(join(directory, name), 'utf8')),
  );
  return [title, ...texts.map((text) => `${text.trimEnd()}\n`)].join('\n');
}
