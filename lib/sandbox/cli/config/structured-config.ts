/** `juju config`: the document of all options, and single values. */
import type { ApplicationConfig, ConfigSetting, JsonValue } from '../../api.ts';
import { sortedEntries } from '../../go-output/natural-sort.ts';
import type { OutputValue } from '../../go-output/values.ts';

/** The document that `juju config APP` prints. */
export function structuredConfig(config: ApplicationConfig): OutputValue {
  return {
    application: config.application,
    'application-config': {
      trust: {
        default: false,
        description: 'Does this application have access to trusted credentials',
        source: config.trust ? 'user' : 'default',
        type: 'bool',
        value: config.trust,
      },
    },
    charm: config.charm,
    settings: Object.fromEntries(
      sortedEntries(config.settings).map(([name, option]) => [name, structuredOption(option)]),
    ),
  };
}

function structuredOption(option: ConfigSetting): OutputValue {
  return {
    default: option.default,
    description: option.description,
    source: option.source,
    type: option.type,
    value: option.value,
  };
}

/** The value of one option; undefined when there is no such option, null when it has no value. */
export function configValue(config: ApplicationConfig, key: string): JsonValue | undefined {
  if (key === 'trust') {
    return config.trust;
  }
  const option = config.settings[key];
  return option === undefined ? undefined : (option.value ?? null);
}
