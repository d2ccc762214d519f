import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { InvalidError, NotFoundError, parseIp, parseMac, presentHardware } from '@tinkerbell/domain';
import type { HardwareRow } from '@tinkerbell/projections';
import { callerOf } from '../http/caller-of';
import type { HttpRequest } from '../http/http-message';
import { listOf } from '../http/paging';
import { Query } from '../http/query';
import { ReadSide } from '../read-side';
import { HardwareCommands } from './hardware-commands';

@Controller('api/hardware')
export class HardwareApiController {
  constructor(
    private readonly commands: HardwareCommands,
    private readonly reads: ReadSide,
  ) {}

  @Get()
  list(@Req() request: HttpRequest): unknown {
    const query = Query.of(request);
    const matches = filterOf(query);
    return listOf(
      this.reads.hardware,
      ({ id }) => id,
      query,
      (row) => (matches(row) ? present(row) : undefined),
    );
  }

  @Get(':id')
  get(@Param('id') id: string): unknown {
    const row = this.reads.hardware.get(id.toLowerCase());
    if (!row) throw new NotFoundError('hardware', id);
    return present(row);
  }

  @Post()
  @HttpCode(200)
  push(@Body() body: unknown, @Req() request: HttpRequest): unknown {
    return this.commands.push(body, callerOf(request));
  }

  @Delete(':id')
  delete(@Param('id') id: string, @Req() request: HttpRequest): unknown {
    return this.commands.delete(id.toLowerCase(), callerOf(request));
  }
}

function present({ hardware, createdAt, updatedAt, position }: HardwareRow): unknown {
  return { hardware: presentHardware(hardware), createdAt, updatedAt, position };
}

function filterOf(query: Query): (row: HardwareRow) => boolean {
  const [mac, ip] = [query.text('mac'), query.text('ip')];
  const parsedMac = mac === undefined ? undefined : parseMac(mac);
  const parsedIp = ip === undefined ? undefined : parseIp(ip)?.address;
  if (mac !== undefined && !parsedMac) throw new InvalidError('mac', `${JSON.stringify(mac)} is not a MAC address`);
  if (ip !== undefined && !parsedIp) throw new InvalidError('ip', `${JSON.stringify(ip)} is not an IP address`);
  return ({ hardware }) =>
    (!parsedMac || hardware.network.interfaces.some(({ dhcp }) => dhcp.mac === parsedMac)) &&
    (!parsedIp || hardware.network.interfaces.some(({ dhcp }) => dhcp.ip?.address === parsedIp));
}
