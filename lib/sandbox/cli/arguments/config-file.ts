/** Files with settings of applications: `{application: {key: value}}`. */
import type { JsonRecord } from '../../api.ts';
import { CommandError, quoted } from '../errors.ts';
import type { CommandIo } from '../io.ts';
import { isTree } from './action-params.ts';
import { readTextFile } from './files.ts';
import { parseYaml } from './yaml-input.ts';

/** The settings of one application; of the first in the file when no name is given. */
export async function readConfigFile(
  file: string,
  application: string | undefined,
  io: CommandIo,
): Promise<JsonRecord> {
  const document = await parseYaml(await readTextFile(file, io), file);
  if (!isTree(document)) {
    throw new CommandError(
      `cannot use ${file} as configuration: it has to be a map of applications`,
    );
  }
  const own = application === undefined ? Object.values(document)[0] : document[application];
  if (!isTree(own)) {
    throw new CommandError(
      `cannot use ${file} as configuration: no settings for ${quoted(application ?? '')} in it`,
    );
  }
  return own as JsonRecord;
}
