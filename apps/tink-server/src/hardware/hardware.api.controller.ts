import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { InvalidError, parseIp, parseMac, presentHardware } from '@tinkerbell/domain';
import type { HardwareRow } from '@tinkerbell/projections';
import { callerOf } from '../http/caller-of';
import type { HttpRequest } from '../http/http-message';
import { listOf } from '../http/paging';
import { Query } from '../http/query';
import { AsOf } from '../history/as-of';
import { HardwareCommands } from './hardware-commands';

@Controller('api/hardware')
export class HardwareApiController {
  constructor(
    private readonly commands: HardwareCommands,
    private readonly asOf: AsOf,
  ) {}

  @Get()
  async list(@Req() request: HttpRequest): Promise<unknown> {
    const query = Query.of(request);
    const matches = filterOf(query);
    return listOf(
      (await this.asOf.reads(query)).hardware,
      ({ id }) => id,
      query,
      (row) => (matches(row) ? present(row) : undefined),
    );
  }

  @Get(':id')
  async get(@Param('id') id: string, @Req() request: HttpRequest): Promise<unknown> {
    const reads = await this.asOf.reads(Query.of(request));
    const row = reads.hardware.get(id.toLowerCase());
    if (!row) throw reads.missing('hardware', id.toLowerCase());
    return present(row);
  }

  @Post()
  @HttpCode(200)
  push(@Body() body: unknown, @Req() request: HttpRequest): unknown {
    const ifPosition = Query.of(request).whole('ifPosition', 0, Number.MAX_SAFE_INTEGER);
    return this.commands.push(body, callerOf(request), ifPosition);
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
