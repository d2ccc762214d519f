import { maxActions } from '../limits';
import { readName, readVolumes, uniqueNames, type Unique } from '../read-fields';
import type { Place, YamlReader } from '../yaml-reader';
import { noHandlers, type GraphTask, type GraphTemplate } from './graph-template';
import { environmentName, readActions, readHandlerLists } from './read-action';
import { readDuration, readIdName, readPlaced, readPlacedList, readPlacedMap } from './read-fields';

const topKeys = ['version', 'name', 'timeout', 'tasks', 'onFailure', 'onTimeout', 'finally'] as const;
const taskKeys = [
  ...(['name', 'worker', 'matrix', 'needs', 'parallel', 'if', 'volumes', 'environment', 'actions'] as const),
  ...(['onFailure', 'onTimeout', 'finally'] as const),
] as const;
/** Ids of the workflow's own handlers begin with these. */
const taken: readonly string[] = ['onFailure', 'onTimeout', 'finally'];

/** Checks every rule that can be checked one part at a time; what refers to what is the graph's matter. */
export function readGraph(reader: YamlReader, root: Place): GraphTemplate {
  const fields = reader.record(root, topKeys);
  if (!fields) return { name: '', timeoutSeconds: 0, tasks: [], handlers: noHandlers, place: root };
  const name = readName(reader, fields.name);
  const timeoutSeconds = readDuration(reader, fields.timeout);
  const places = reader.items(fields.tasks);
  if (places?.length === 0) reader.fault(fields.tasks, 'a template needs at least one task');
  const unique = uniqueNames(reader, 'two tasks in a template cannot have same name');
  const tasks = (places ?? []).map((place) => readTask(reader, place, unique));
  const handlers = readHandlerLists(reader, fields, 'last', () =>
    uniqueNames(reader, 'two handlers cannot have same name'),
  );
  const total = tasks.reduce((sum, { actions, matrix }) => sum + actions.length * Math.max(matrix.length, 1), 0);
  if (total > maxActions) reader.fault(fields.tasks, `the tasks have ${total} actions, more than ${maxActions}`);
  return { name, timeoutSeconds, tasks, handlers, place: root };
}

function readTask(reader: YamlReader, place: Place, unique: Unique): GraphTask {
  const fields = reader.record(place, taskKeys);
  const absent = { text: '', place, isOpen: true };
  if (!fields) {
    const nothing = { matrix: [], needs: [], parallel: false, condition: null, volumes: [], environment: {} };
    return { name: absent, place, worker: absent, ...nothing, actions: [], handlers: noHandlers };
  }
  const name = readIdName(reader, fields.name, unique);
  if (taken.includes(name.text)) {
    reader.fault(
      fields.name,
      `${name.text} is what the workflow's own handlers are called: give the task another name`,
    );
  }
  const [hasWorker, hasMatrix] = [reader.has(fields.worker), reader.has(fields.matrix)];
  const worker = readPlaced(reader, fields.worker);
  if (hasWorker && hasMatrix)
    reader.fault(fields.matrix, 'a task has either a worker or a matrix: take one of them out');
  else if (!hasMatrix && worker.text === '' && !worker.isOpen) {
    reader.fault(
      fields.worker,
      'worker cannot be empty: write the machine, e.g. "{{ .device_1 }}", or a matrix of devices',
    );
  }
  const matrix = readPlacedList(reader, fields.matrix);
  if (hasMatrix && matrix.length === 0) reader.fault(fields.matrix, 'the matrix has no devices: name at least one');
  checkDevices(reader, matrix);
  const uniqueAction = uniqueNames(reader, 'two actions in a task cannot have same name');
  const actions = readActions(reader, fields.actions, 'action', uniqueAction);
  if (actions.length === 0) reader.fault(fields.actions, 'a task needs at least one action');
  return {
    name,
    place,
    worker,
    matrix,
    needs: readPlacedList(reader, fields.needs),
    parallel: reader.flag(fields.parallel),
    condition: reader.has(fields.if) ? readPlaced(reader, fields.if) : null,
    volumes: readVolumes(reader, fields.volumes),
    environment: readPlacedMap(reader, fields.environment, environmentName, 'environment variable name'),
    actions,
    handlers: readHandlerLists(reader, fields, 'handler', () => uniqueAction),
  };
}

function checkDevices(reader: YamlReader, matrix: GraphTask['matrix']): void {
  const seen = new Set<string>();
  for (const { text, place, isOpen } of matrix) {
    if (isOpen) continue;
    if (seen.has(text)) reader.fault(place, `${text} is in the matrix twice`);
    seen.add(text);
    if (text === '' || text === 'same' || /[/[\]]/.test(text)) {
      reader.fault(place, `a device in a matrix cannot be called ${JSON.stringify(text)}`);
    }
  }
}
