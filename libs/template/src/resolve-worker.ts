import { InvalidError, NotFoundError, parseIpv4, parseMac } from '@tinkerbell/domain';

/** Finds the hardware that a task's `worker` means; its id is the worker's id. */
export interface FindWorker {
  /** `aa-bb-cc-dd-ee-ff` */
  byMac(mac: string): string | undefined;
  byIp(address: string): string | undefined;
  /** The hardware record of a worker, for `device.hardware` in a template; undefined when there is none. */
  hardware?(workerId: string): unknown;
}

/** The address is well formed and no hardware has it. */
export class NoWorkerError extends NotFoundError {
  constructor(
    readonly worker: string,
    readonly task: string,
  ) {
    super('hardware', worker);
    this.message = `no worker found: no hardware has the address ${worker} of task ${task}`;
  }
}

/** The id of the machine with this address. Throws InvalidError (`invalid worker address: …`) and NoWorkerError. */
export function workerIdOf(find: FindWorker, address: string, task: string, path: string): string {
  const mac = parseMac(address);
  const isIp = parseIpv4(address) !== undefined;
  if (mac === undefined && !isIp) throw new InvalidError(path, `invalid worker address: ${address}`);
  const id = mac === undefined ? find.byIp(address) : find.byMac(mac);
  if (id === undefined) throw new NoWorkerError(address, task);
  return id;
}
