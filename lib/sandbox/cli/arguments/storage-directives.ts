/** `name=[pool,][count,][size]` on the command line. */
import type { StorageDirective } from '../../api-storage.ts';
import { parseStorageDirectives } from '../../model/storage-directive.ts';
import { UsageError } from '../errors.ts';

/** The directives by name. @throws UsageError with Juju's message. */
export function readDirectives(
  args: readonly string[],
  options: { readonly valueRequired: boolean },
): Record<string, StorageDirective> {
  try {
    return parseStorageDirectives(args, options);
  } catch (error) {
    throw new UsageError(Error.isError(error) ? error.message : String(error));
  }
}
