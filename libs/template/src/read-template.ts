import { imageFault } from './image-reference';
import { maxActions, maxTimeoutSeconds } from './limits';
import type { Template, TemplateAction, TemplateTask } from './template';
import { readEnvironment, readName, readTexts, readVolumes, uniqueNames, type Unique } from './read-fields';
import type { Place, YamlReader } from './yaml-reader';

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

/** Checks every rule and reports what breaks one; the template is only of use when there are no faults. */
export function readTemplate(reader: YamlReader, root: Place): Template {
  const fields = reader.record(root, topKeys);
  if (!fields) return { name: '', globalTimeoutSeconds: 0, tasks: [] };
  const name = readName(reader, fields.name);
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
  if (!fields) return { ...emptyAction, imagePlace: place };
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
    imagePlace: fields.image,
    timeoutSeconds: reader.seconds(fields.timeout, maxTimeoutSeconds) ?? 0,
    command: readTexts(reader, fields.command),
    onTimeout: readTexts(reader, fields['on-timeout']),
    onFailure: readTexts(reader, fields['on-failure']),
    volumes: readVolumes(reader, fields.volumes),
    environment: readEnvironment(reader, fields.environment),
    pid: pid?.text ?? '',
  };
}

const emptyAction: Omit<TemplateAction, 'imagePlace'> = {
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
