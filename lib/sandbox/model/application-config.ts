/** An application's options with their values: what the user set, else the charm's defaults. */
import type { ConfigSetting } from '../api.ts';
import type { Reader } from '../store/store.ts';

export function applicationConfig(
  reader: Reader,
  application: string,
): Readonly<Record<string, ConfigSetting>> {
  const { charm, settings } = reader.require('application', application);
  const { options } = reader.require('charm', charm).metadata;
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => {
      const value = settings[name];
      const source =
        value !== undefined ? 'user' : option.default !== undefined ? 'default' : 'unset';
      const effective = value ?? option.default;
      return [
        name,
        { ...option, source, ...(effective === undefined ? {} : { value: effective }) },
      ];
    }),
  );
}
