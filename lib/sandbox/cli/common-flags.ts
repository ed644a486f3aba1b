/** The flags that every command of Juju takes. */
import { booleanFlag, textFlag } from './arguments/flag-kinds.ts';

/** Flags that every command of Juju takes. Those about logging and browsers change nothing here. */
export const COMMON_FLAGS = {
  model: textFlag('Model to operate in', {
    aliases: ['m'],
    placeholder: '<model>',
  }),
  controller: textFlag('Controller to operate in; the sandbox has one', {
    aliases: ['c'],
    placeholder: '<controller>',
  }),
  help: booleanFlag('Show help on this command', { aliases: ['h'] }),
  debug: booleanFlag('Accepted for compatibility; changes nothing'),
  'show-log': booleanFlag('Accepted for compatibility; changes nothing'),
  'logging-config': textFlag('Accepted for compatibility; changes nothing'),
  verbose: booleanFlag('Show more verbose output'),
  quiet: booleanFlag('Show no informational output'),
  'no-browser-login': booleanFlag('Accepted for compatibility; changes nothing', {
    aliases: ['B'],
  }),
} as const;
