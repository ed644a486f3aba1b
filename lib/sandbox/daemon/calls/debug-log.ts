/** The log, filtered, from the past and as it goes on. */
import type { DebugLogParams, LogLine } from '../../api.ts';
import { unitTag } from '../../model/names.ts';
import type { CallContext } from './call-context.ts';

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];
const DEFAULT_LINES = 10;

export async function* debugLog(
  { services }: CallContext,
  params: DebugLogParams,
  signal: AbortSignal,
): AsyncGenerator<LogLine, void> {
  const matches = createFilter(params);
  // Listening begins before the past is read, and both happen in one tick: nothing is lost or seen twice.
  const arrived: LogLine[] = [];
  let wake = noop;
  const unfollow = services.log.follow((line) => {
    if (matches(line)) {
      arrived.push(line);
      wake();
    }
  });
  signal.addEventListener('abort', () => {
    wake();
  });
  try {
    let left = params.limit ?? Number.POSITIVE_INFINITY;
    const past = services.log.read().filter(matches);
    const lines = params.lines ?? DEFAULT_LINES;
    const begin = params.replay === true ? past : past.slice(Math.max(0, past.length - lines));
    for (const line of begin.slice(0, left)) {
      left -= 1;
      yield line;
    }
    while (params.follow === true && left > 0 && !signal.aborted) {
      for (const line of arrived.splice(0).slice(0, left)) {
        left -= 1;
        yield line;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (arrived.length > 0 || signal.aborted || left <= 0) {
          resolve();
        }
      });
    }
  } finally {
    unfollow();
  }
}

function noop(): void {
  // Nobody waits yet.
}

function createFilter(params: DebugLogParams): (line: LogLine) => boolean {
  const least = params.level === undefined ? 0 : LEVELS.indexOf(params.level.toUpperCase());
  return (line) =>
    LEVELS.indexOf(line.level) >= least &&
    isWanted(params.include, params.exclude, (pattern) => matchesEntity(line.entity, pattern)) &&
    isWanted(params.includeModules, params.excludeModules, (prefix) =>
      matchesModule(line.module, prefix),
    );
}

function isWanted(
  include: readonly string[] | undefined,
  exclude: readonly string[] | undefined,
  matches: (pattern: string) => boolean,
): boolean {
  const included = include === undefined || include.length === 0 || include.some(matches);
  return included && !(exclude ?? []).some(matches);
}

/** `unit-app-0`, `app/0`, `unit-app-*`, `app` for all its units. */
function matchesEntity(entity: string, pattern: string): boolean {
  const tag = pattern.includes('/') ? unitTag(pattern) : pattern;
  if (tag.includes('*')) {
    const source = tag.split('*').map((part) => part.replaceAll(/[^\w-]/g, String.raw`\$&`));
    return new RegExp(`^${source.join('.*')}$`).test(entity);
  }
  return entity === tag || new RegExp(`^unit-${tag.replaceAll(/[^\w-]/g, '')}-\\d+$`).test(entity);
}

function matchesModule(module: string, prefix: string): boolean {
  return module === prefix || module.startsWith(`${prefix}.`);
}
