import type { OnReboot, RetryPolicy } from '@tinkerbell/events';
import { imageFault } from '../image-reference';
import { readTexts, readVolumes, type Unique } from '../read-fields';
import type { Place, YamlReader } from '../yaml-reader';
import { noHandlers, type GraphAction, type Handlers, type PlacedText } from './graph-template';
import {
  readDuration,
  readIdName,
  readNumber,
  readOneOf,
  readPlaced,
  readPlacedList,
  readPlacedMap,
  readWhole,
} from './read-fields';

const handlerKeys = [
  ...['name', 'image', 'if', 'timeout', 'command', 'environment', 'volumes', 'pid'],
  ...['retries', 'approval', 'destructive', 'onReboot', 'secrets'],
] as const;
const actionKeys = [...handlerKeys, 'needs', 'onFailure', 'onTimeout'];
const retryKeys = ['limit', 'delay', 'factor', 'maxDelay', 'exitCodes', 'onTimeout'] as const;
const onReboots = ['resume', 'restart', 'fail', 'ask'] as const;
export const environmentName = /^[^=\0\s]+$/;
const secretVariable = /^[A-Za-z_][A-Za-z0-9_]*$/;
const secretName = /^[a-z0-9-]{1,64}$/;
const maxRetries = 100;
const maxApprovalLength = 1_000;

/** `action`: of a task; `handler`: it runs after others; `last`: a handler of the whole workflow, which names its machine. */
export type Role = 'action' | 'handler' | 'last';

export function readGraphAction(reader: YamlReader, place: Place, role: Role, unique: Unique): GraphAction {
  const keys: readonly string[] =
    role === 'action' ? actionKeys : role === 'last' ? [...handlerKeys, 'worker'] : handlerKeys;
  const fields: Readonly<Record<string, Place>> = reader.record(place, keys) ?? {};
  const at = (key: string): Place => fields[key] ?? { path: `${place.path}.${key}`, node: null, offset: place.offset };
  const image = readPlaced(reader, at('image'));
  const fault = image.isOpen || image.text.includes('${{') ? undefined : imageFault(image.text);
  if (fault !== undefined) reader.fault(at('image'), `invalid action image: ${image.text} (${fault})`);
  const environment = readPlacedMap(reader, at('environment'), environmentName, 'environment variable name');
  const destructive = reader.flag(at('destructive'));
  const onReboot: OnReboot = readOneOf(reader, at('onReboot'), onReboots) ?? (destructive ? 'ask' : 'fail');
  const [onFailure, onTimeout] = [
    readHandlers(reader, at('onFailure'), unique),
    readHandlers(reader, at('onTimeout'), unique),
  ];
  return {
    name: readIdName(reader, at('name'), unique),
    place,
    image,
    worker: readPlaced(reader, at('worker')),
    needs: readPlacedList(reader, at('needs')),
    condition: reader.has(at('if')) ? readPlaced(reader, at('if')) : null,
    timeoutSeconds: readDuration(reader, at('timeout')),
    command: (reader.items(at('command')) ?? []).map((item) => readPlaced(reader, item)),
    environment,
    volumes: readVolumes(reader, at('volumes')),
    pid: readOneOf(reader, at('pid'), ['host']) ?? '',
    retry: readRetry(reader, at('retries')),
    approval: readApproval(reader, at('approval')),
    destructive,
    onReboot,
    secrets: readSecrets(reader, at('secrets'), environment),
    failureCommand: onFailure.command,
    timeoutCommand: onTimeout.command,
    handlers: { ...noHandlers, onFailure: onFailure.actions, onTimeout: onTimeout.actions },
  };
}

/** A list of texts is a command as in 0.1, a list of mappings are actions. */
function readHandlers(
  reader: YamlReader,
  place: Place,
  unique: Unique,
): { readonly command: readonly string[]; readonly actions: readonly GraphAction[] } {
  const items = reader.items(place) ?? [];
  const areActions = items.some((item) => reader.isMapping(item));
  if (!areActions) return { command: readTexts(reader, place), actions: [] };
  return { command: [], actions: readActions(reader, place, 'handler', unique) };
}

export function readActions(reader: YamlReader, place: Place, role: Role, unique: Unique): readonly GraphAction[] {
  return (reader.items(place) ?? []).map((item) => readGraphAction(reader, item, role, unique));
}

export function readHandlerLists(
  reader: YamlReader,
  fields: Readonly<Record<keyof Handlers, Place>>,
  role: Role,
  uniqueOf: () => Unique,
): Handlers {
  return {
    onFailure: readActions(reader, fields.onFailure, role, uniqueOf()),
    onTimeout: readActions(reader, fields.onTimeout, role, uniqueOf()),
    finally: readActions(reader, fields.finally, role, uniqueOf()),
  };
}

/** `3`, or a mapping. */
function readRetry(reader: YamlReader, place: Place): RetryPolicy | null {
  if (!reader.has(place)) return null;
  const policy = { delaySeconds: 10, factor: 2, maxDelaySeconds: 300, exitCodes: null, onTimeout: false };
  if (!reader.isMapping(place)) return { limit: readWhole(reader, place, 1, maxRetries) ?? 1, ...policy };
  const fields = reader.record(place, retryKeys);
  if (!fields) return null;
  if (!reader.has(fields.limit)) reader.fault(place, 'limit is missing: write how many tries may follow the first');
  const codes = reader.items(fields.exitCodes) ?? [];
  if (codes.length === 0 && reader.has(fields.exitCodes)) {
    reader.fault(fields.exitCodes, 'no exit code is worth another try: leave exitCodes out for all of them');
  }
  const delaySeconds = reader.has(fields.delay) ? readDuration(reader, fields.delay, 86_400) : policy.delaySeconds;
  const maxDelay = reader.has(fields.maxDelay) ? readDuration(reader, fields.maxDelay, 86_400) : policy.maxDelaySeconds;
  return {
    limit: readWhole(reader, fields.limit, 1, maxRetries) ?? 1,
    delaySeconds,
    factor: readNumber(reader, fields.factor, 1, 100) ?? policy.factor,
    maxDelaySeconds: Math.max(maxDelay, delaySeconds),
    exitCodes: codes.length === 0 ? null : codes.map((code) => readWhole(reader, code, 1, 255) ?? 1),
    onTimeout: reader.flag(fields.onTimeout),
  };
}

/** `true`, or what the person who approves reads; '' stands for a text that is made of the action's id. */
function readApproval(reader: YamlReader, place: Place): PlacedText | null {
  if (!reader.has(place)) return null;
  const said = readPlaced(reader, place);
  if (said.text === 'false') return null;
  if (said.text === 'true') return { ...said, text: '' };
  if (said.text.length > maxApprovalLength) {
    reader.fault(place, `approval has ${said.text.length} characters, more than ${maxApprovalLength}`);
  }
  return said;
}

function readSecrets(
  reader: YamlReader,
  place: Place,
  environment: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string>> {
  const secrets = readPlacedMap(reader, place, secretVariable, 'environment variable name');
  for (const [variable, { text, place: at, isOpen }] of Object.entries(secrets)) {
    if (!secretName.test(text) && !isOpen) {
      reader.fault(at, `the name of a secret is 1 to 64 of a-z 0-9 -, got ${JSON.stringify(text)}`);
    }
    if (Object.hasOwn(environment, variable)) {
      reader.fault(at, `${variable} is in environment too: take it out of one of them`);
    }
  }
  return Object.fromEntries(Object.entries(secrets).map(([variable, { text }]) => [variable, text]));
}
