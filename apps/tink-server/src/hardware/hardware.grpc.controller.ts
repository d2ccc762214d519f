import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { InvalidError, NotFoundError, parseIp, parseMac } from '@tinkerbell/domain';
import type { HardwareRow } from '@tinkerbell/projections';
import { Observable, concatMap, from, map } from 'rxjs';
import { GrpcErrorFilter } from '../grpc/grpc-error.filter';
import { serviceName } from '../grpc/grpc-listener';
import { ReadSide, rowsOf } from '../read-side';
import { HardwareCommands } from './hardware-commands';
import { hardwareMessage } from './hardware.presenter';

interface GetRequest {
  readonly mac: string;
  readonly ip: string;
  readonly id: string;
}

const service = serviceName('hardware', 'HardwareService');
const caller = { actor: 'user' };

@Controller()
@UseFilters(GrpcErrorFilter)
export class HardwareGrpcController {
  constructor(
    private readonly commands: HardwareCommands,
    private readonly reads: ReadSide,
  ) {}

  @GrpcMethod(service, 'Push')
  async push({ data }: { readonly data: unknown }): Promise<object> {
    await this.commands.push(data, caller);
    return {};
  }

  @GrpcMethod(service, 'ByMAC')
  byMac({ mac }: GetRequest): unknown {
    const parsed = parseMac(mac);
    if (parsed === undefined) throw new InvalidError('mac', `${JSON.stringify(mac)} is not a MAC address`);
    return message(this.reads.hardware.find(`mac:${parsed}`), mac);
  }

  @GrpcMethod(service, 'ByIP')
  byIp({ ip }: GetRequest): unknown {
    const parsed = parseIp(ip);
    if (parsed === undefined) throw new InvalidError('ip', `${JSON.stringify(ip)} is not an IP address`);
    return message(this.reads.hardware.find(`ip:${parsed.address}`), ip);
  }

  @GrpcMethod(service, 'ByID')
  byId({ id }: GetRequest): unknown {
    return message(this.reads.hardware.get(checkedId(id)), id);
  }

  @GrpcMethod(service, 'All')
  all(): Observable<unknown> {
    return from(rowsOf(this.reads.hardware, ({ id }) => id)).pipe(map(({ hardware }) => hardwareMessage(hardware)));
  }

  /** Sends the record at every change of it. */
  @GrpcMethod(service, 'DeprecatedWatch')
  watch({ id }: GetRequest): Observable<unknown> {
    const wanted = checkedId(id);
    return new Observable<readonly HardwareRow[]>((subscriber) =>
      this.reads.hardware.onChange((changed) =>
        subscriber.next(changed.flatMap(({ key, row }) => (key === wanted && row ? [row] : []))),
      ),
    ).pipe(
      concatMap((rows) => rows),
      map(({ hardware }) => hardwareMessage(hardware)),
    );
  }

  @GrpcMethod(service, 'Delete')
  async delete({ id }: { readonly id: string }): Promise<object> {
    await this.commands.delete(checkedId(id), caller);
    return {};
  }
}

function checkedId(id: string): string {
  if (id === '') throw new InvalidError('id', 'id must be set to a UUID');
  return id.toLowerCase();
}

function message(row: HardwareRow | undefined, wanted: string): unknown {
  if (!row) throw new NotFoundError('hardware', wanted);
  return hardwareMessage(row.hardware);
}
