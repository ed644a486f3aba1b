/** get-config, set-config, model-config, expose. */
import type { Calls, ModelConfig } from '../../api.ts';
import { convertOption } from '../../charm-archive/config-options.ts';
import { scalarText } from '../../charm-archive/yaml-document.ts';
import { ModelError } from '../../errors.ts';
import type { JsonValue } from '../../json.ts';
import { applicationConfig } from '../../model/application-config.ts';
import { MODEL } from '../../model/documents.ts';
import { type CallContext, requireApplication } from './call-context.ts';

export function getConfig(
  { services }: CallContext,
  { application: name }: Calls['get-config']['params'],
): Calls['get-config']['result'] {
  const application = requireApplication(services.store, name);
  return {
    application: name,
    charm: services.store.require('charm', application.charm).metadata.name,
    trust: application.trust,
    settings: applicationConfig(services.store, name),
  };
}

/** All or nothing; a change of nothing causes no config-changed. */
export function setConfig(
  { services }: CallContext,
  { application: name, values = {}, reset = [] }: Calls['set-config']['params'],
): Calls['set-config']['result'] {
  services.store.transact((transaction) => {
    const application = requireApplication(transaction, name);
    const { options } = transaction.require('charm', application.charm).metadata;
    const settings: Record<string, JsonValue> = { ...application.settings };
    let { trust } = application;
    for (const key of reset) {
      if (key !== 'trust' && options[key] === undefined) {
        throw new ModelError(`unknown option ${JSON.stringify(key)}`);
      }
      delete settings[key];
      trust = key === 'trust' ? false : trust;
    }
    for (const [key, value] of Object.entries(values)) {
      if (key === 'trust') {
        trust = value === true || value === 'true';
      } else {
        settings[key] = convertOption(options, key, value);
      }
    }
    const changed = trust !== application.trust || !sameSettings(settings, application.settings);
    transaction.patch('application', name, {
      settings,
      trust,
      ...(changed ? { configVersion: application.configVersion + 1 } : {}),
    });
  });
  return {};
}

function sameSettings(
  a: Readonly<Record<string, JsonValue>>,
  b: Readonly<Record<string, JsonValue>>,
): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
}

const MODEL_DEFAULTS: Readonly<Record<string, JsonValue>> = {
  'automatically-retry-hooks': true,
  'update-status-hook-interval': '5m',
  'logging-config': '<root>=INFO',
  'http-proxy': '',
  'https-proxy': '',
  'ftp-proxy': '',
  'no-proxy': '',
  'juju-http-proxy': '',
  'juju-https-proxy': '',
  'juju-ftp-proxy': '',
  'juju-no-proxy': '127.0.0.1,localhost,::1',
};

export function modelConfig(
  { services }: CallContext,
  { values = {}, reset = [] }: Calls['model-config']['params'],
): ModelConfig {
  if (Object.keys(values).length > 0 || reset.length > 0) {
    services.store.transact((transaction) => {
      const config: Record<string, JsonValue> = {
        ...transaction.require('model', MODEL).config,
      };
      for (const key of reset) {
        delete config[key];
      }
      for (const [key, value] of Object.entries(values)) {
        config[key] = convertModelOption(key, value);
      }
      transaction.patch('model', MODEL, { config });
    });
  }
  const { config, name, uuid } = services.store.require('model', MODEL);
  const all: Readonly<Record<string, JsonValue>> = { name, uuid, ...MODEL_DEFAULTS, ...config };
  return Object.fromEntries(
    Object.entries(all).map(([key, value]) => [
      key,
      { value, source: config[key] === undefined ? 'default' : 'model' } as const,
    ]),
  );
}

function convertModelOption(key: string, value: JsonValue): JsonValue {
  if (MODEL_DEFAULTS[key] === undefined) {
    throw new ModelError(
      `model option ${JSON.stringify(key)} has no effect in the sandbox`,
      'refused',
    );
  }
  if (typeof MODEL_DEFAULTS[key] !== 'boolean') {
    return scalarText(value);
  }
  if (!['true', 'false'].includes(scalarText(value))) {
    throw new ModelError(`${key}: expected bool, got ${JSON.stringify(value)}`);
  }
  return scalarText(value) === 'true';
}

export function expose(
  { services }: CallContext,
  { application, exposed }: Calls['expose']['params'],
): Calls['expose']['result'] {
  requireApplication(services.store, application);
  services.store.transact((transaction) =>
    transaction.patch('application', application, { exposed }),
  );
  return {};
}
