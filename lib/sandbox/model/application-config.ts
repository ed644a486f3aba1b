/** Options with their values: what the user set, else the charm's defaults. */
import type { ConfigSetting } from '../api.ts';
import type { JsonRecord } from '../json.ts';
import type { Reader } from '../store/store.ts';
import type { CharmMetadata } from './charm-metadata.ts';
import { charmOfUnit } from './unit-charm.ts';

type Settings = Readonly<Record<string, ConfigSetting>>;

/** By the charm that the application has. */
export function applicationConfig(reader: Reader, application: string): Settings {
  const { charm, settings } = reader.require('application', application);
  return configOf(reader.require('charm', charm).metadata, settings);
}

/** By the charm that the unit has; before its upgrade with the settings of then. */
export function unitConfig(reader: Reader, unit: string): Settings {
  const { application } = reader.require('unit', unit);
  const { settings, formerSettings = {} } = reader.require('application', application);
  const charm = charmOfUnit(reader, unit);
  return configOf(reader.require('charm', charm).metadata, formerSettings[charm] ?? settings);
}

function configOf({ options }: CharmMetadata, settings: JsonRecord): Settings {
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
