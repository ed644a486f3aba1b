/** A charm in plain shell that shows what happens to it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILES: Readonly<Record<string, string>> = {
  'metadata.yaml': `
name: tiny
summary: A charm in shell
description: Answers when spoken to.
provides:
  service: {interface: tiny}
requires:
  upstream: {interface: tiny, limit: 1}
peers:
  friends: {interface: tiny-friends}
`,
  'config.yaml': `
options:
  port: {type: int, default: 8080, description: Where to listen}
  fail: {type: boolean, default: false, description: Makes config-changed fail}
  motd: {type: string, description: What to say}
  token: {type: secret, description: A user secret}
`,
  'actions.yaml': `
echo:
  description: Gives back what it gets
  params:
    text: {type: string, default: nothing}
    count: {type: integer}
refuse: {description: Fails with a message}
crash: {description: Ends with code 3}
slow: {description: Takes a while}
reveal: {description: Reads the user secret}
`,
  dispatch: `#!/bin/bash
set -e
case "$JUJU_DISPATCH_PATH" in
  hooks/install) status-set maintenance installing ;;
  hooks/config-changed)
    if [ "$(config-get fail)" = True ]; then echo "told to fail" >&2; exit 1; fi
    juju-log "listening on $(config-get port)"
    status-set active "port $(config-get port)" ;;
  hooks/service-relation-joined) relation-set url="http://$JUJU_UNIT_NAME" ;;
  hooks/upstream-relation-created) if [ "$(is-leader)" = True ]; then relation-set --app wish=more; fi ;;
  hooks/upstream-relation-changed)
    if [ -n "$JUJU_REMOTE_UNIT" ]; then status-set active "upstream is $(relation-get url)"; fi ;;
  actions/echo)
    action-log "echoing"
    action-set text="$(action-get text)" nested.count="$(action-get count)"
    echo written; echo warned >&2 ;;
  actions/refuse) action-fail "as you wish" ;;
  actions/crash) echo oops >&2; exit 3 ;;
  actions/slow) action-log begun; sleep 30 ;;
  actions/reveal) word=$(secret-get "$(config-get token)" word); action-set token="$word" ;;
esac
`,
};

/** Writes the charm below `folder` and answers with its path. */
export function writeShellCharm(folder: string): string {
  const charm = join(folder, 'tiny');
  mkdirSync(charm);
  for (const [name, text] of Object.entries(FILES)) {
    writeFileSync(join(charm, name), text.trimStart(), {
      mode: name === 'dispatch' ? 0o755 : 0o644,
    });
  }
  return charm;
}
