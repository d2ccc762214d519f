import { imageFault } from './image-reference';
import { maxActions, maxNameLength, maxTimeoutSeconds } from './limits';
import type { Template, TemplateAction, TemplateTask } from './template';
import type { Place, Text, YamlReader } from './yaml-reader';

const topKeys = ['version', 'name', 'id', 'global_timeout', 'tasks'] as const;
const taskKeys = ['name', 'worker', 'volumes', 'environment', 'actions'] as const;
const actionKeys = [
  'name',
  'image',
  'timeout',
  'command',
  'on-timeout',
  'on-failure',
  'volumes',
  'environment',
  'pid',
] as const;
/** What Docker takes behind the second colon of a bind. */
const volumeModes = /^(?:ro|rw|z|Z|nocopy|r?shared|r?slave|r?private|consistent|cached|delegated)$/;
const volumeSource = /^(?:\/.*|[a-zA-Z0-9][\w.-]*)$/s;

/** Checks every rule and reports what breaks one; the template is only of use when there are no faults. */
export function readTemplate(reader: YamlReader, root: Place): Template {
  const fields = reader.record(root, topKeys);
  if (!fields) return { name: '', globalTimeoutSeconds: 0, tasks: [] };
  const name = readName(reader, fields.name);
  const version = reader.text(fields.version);
  if (version && !version.isOpen && version.text !== '0.1') {
    reader.fault(fields.version, `invalid template version: ${version.text}`);
  }
  reader.text(fields.id);
  const globalTimeoutSeconds = reader.seconds(fields.global_timeout, maxTimeoutSeconds) ?? 0;
  const places = reader.items(fields.tasks);
  if (places?.length === 0) reader.fault(fields.tasks, 'template must have at least one task defined');
  const unique = uniqueNames(reader, 'two tasks in a template cannot have same name');
  const tasks = (places ?? []).map((place) => readTask(reader, place, unique));
  const total = tasks.reduce((sum, { actions }) => sum + actions.length, 0);
  if (total > maxActions) reader.fault(fields.tasks, `the tasks have ${total} actions, more than ${maxActions}`);
  return { name, globalTimeoutSeconds, tasks };
}

type Unique = (place: Place, name: Text | undefined) => void;

function readTask(reader: YamlReader, place: Place, unique: Unique): TemplateTask {
  const fields = reader.record(place, taskKeys);
  if (!fields) return { name: '', worker: '', volumes: [], environment: {}, actions: [] };
  const name = readName(reader, fields.name, unique);
  const worker = reader.text(fields.worker);
  if (worker && !worker.isOpen && worker.text === '') reader.fault(fields.worker, 'worker cannot be empty');
  const volumes = readVolumes(reader, fields.volumes);
  const environment = readEnvironment(reader, fields.environment);
  const uniqueAction = uniqueNames(reader, 'two actions in a task cannot have same name');
  const actions = (reader.items(fields.actions) ?? []).map((item) => readAction(reader, item, uniqueAction));
  return { name, worker: worker?.text ?? '', volumes, environment, actions };
}

function readAction(reader: YamlReader, place: Place, unique: Unique): TemplateAction {
  const fields = reader.record(place, actionKeys);
  if (!fields) return emptyAction;
  const name = readName(reader, fields.name, unique);
  const image = reader.text(fields.image);
  const fault = image && !image.isOpen ? imageFault(image.text) : undefined;
  if (fault !== undefined) reader.fault(fields.image, `invalid action image: ${image?.text} (${fault})`);
  const pid = reader.text(fields.pid);
  if (pid && !pid.isOpen && pid.text !== '' && pid.text !== 'host') {
    reader.fault(fields.pid, `pid must be host or absent, got ${pid.text}`);
  }
  return {
    name,
    image: image?.text ?? '',
    timeoutSeconds: reader.seconds(fields.timeout, maxTimeoutSeconds) ?? 0,
    command: readTexts(reader, fields.command),
    onTimeout: readTexts(reader, fields['on-timeout']),
    onFailure: readTexts(reader, fields['on-failure']),
    volumes: readVolumes(reader, fields.volumes),
    environment: readEnvironment(reader, fields.environment),
    pid: pid?.text ?? '',
  };
}

const emptyAction: TemplateAction = {
  name: '',
  image: '',
  timeoutSeconds: 0,
  command: [],
  onTimeout: [],
  onFailure: [],
  volumes: [],
  environment: {},
  pid: '',
};

/** The original says 200 and refuses the 200th character; here 200 are allowed. */
function readName(reader: YamlReader, place: Place, unique?: Unique): string {
  const name = reader.text(place);
  if (!name || name.isOpen) return name?.text ?? '';
  if (name.text === '') reader.fault(place, 'name cannot be empty');
  else if (Array.from(name.text).length > maxNameLength) {
    reader.fault(
      place,
      `name cannot have more than ${maxNameLength} characters: ${name.text.slice(0, maxNameLength)}…`,
    );
  } else if (/[\0-\x1f\x7f]/.test(name.text)) reader.fault(place, 'name cannot have control characters');
  else unique?.(place, name);
  return name.text;
}

function uniqueNames(reader: YamlReader, message: string): Unique {
  const seen = new Set<string>();
  return (place, name) => {
    if (!name) return;
    if (seen.has(name.text)) reader.fault(place, `${message}: ${name.text}`);
    seen.add(name.text);
  };
}

function readTexts(reader: YamlReader, place: Place): readonly string[] {
  return (reader.items(place) ?? []).map((item) => checkedText(reader, item)?.text ?? '');
}

/** A NUL would end a C string. */
function checkedText(reader: YamlReader, place: Place): Text | undefined {
  const said = reader.text(place);
  if (said?.text.includes('\0') !== true) return said;
  reader.fault(place, 'contains a NUL character');
  return undefined;
}

/** `host:container[:modes]`: an absolute path or a volume's name, an absolute path, modes by commas. */
function readVolumes(reader: YamlReader, place: Place): readonly string[] {
  return (reader.items(place) ?? []).map((item) => {
    const said = checkedText(reader, item);
    if (!said || said.isOpen) return said?.text ?? '';
    const fault = volumeFault(said.text);
    if (fault !== undefined) reader.fault(item, `invalid volume ${JSON.stringify(said.text)}: ${fault}`);
    return said.text;
  });
}

function volumeFault(volume: string): string | undefined {
  const [source = '', target, modes, ...rest] = volume.split(':');
  if (target === undefined || rest.length > 0) return 'it must be host:container or host:container:mode';
  if (!volumeSource.test(source)) return `${JSON.stringify(source)} is neither an absolute path nor a name`;
  if (!target.startsWith('/')) return `${JSON.stringify(target)} is not an absolute path`;
  if (/^\/+(?:\.\/*)*$/.test(target)) return 'it would hide the whole container';
  const wrong = modes?.split(',').find((mode) => !volumeModes.test(mode));
  return wrong === undefined ? undefined : `${JSON.stringify(wrong)} is not a mode such as ro`;
}

function readEnvironment(reader: YamlReader, place: Place): Readonly<Record<string, string>> {
  const entries = (reader.entries(place) ?? []).map(([key, value]) => {
    if (!/^[^=\0\s]+$/.test(key)) reader.fault(value, `invalid environment variable name ${JSON.stringify(key)}`);
    return [key, checkedText(reader, value)?.text ?? ''] as const;
  });
  return Object.fromEntries(entries);
}
