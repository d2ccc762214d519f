import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { InvalidError, NotFoundError, parseIp, parseMac, presentHardware } from '@tinkerbell/domain';
import type { HardwareRow } from '@tinkerbell/projections';
import { HardwareCommands } from '../hardware/hardware-commands';
import { callerOf } from '../http/caller-of';
import type { HttpRequest, HttpResponse } from '../http/http-message';
import { sendNdjson } from '../http/ndjson';
import { ReadSide, rowsOf } from '../read-side';
import { done, textField } from './gateway';

/** The REST gateway of the originals: same routes, same answers; errors are ours. */
@Controller('v1/hardware')
export class HardwareV1Controller {
  constructor(
    private readonly commands: HardwareCommands,
    private readonly reads: ReadSide,
  ) {}

  @Post()
  @HttpCode(200)
  async push(@Body() body: unknown, @Req() request: HttpRequest): Promise<unknown> {
    const { id } = await this.commands.push(body, callerOf(request));
    return done('hardware data pushed successfully', id);
  }

  @Post('mac')
  @HttpCode(200)
  byMac(@Body() body: unknown): unknown {
    const mac = textField(body, 'mac');
    const parsed = parseMac(mac);
    if (parsed === undefined) throw new InvalidError('mac', `${JSON.stringify(mac)} is not a MAC address`);
    return present(this.reads.hardware.find(`mac:${parsed}`), mac);
  }

  @Post('ip')
  @HttpCode(200)
  byIp(@Body() body: unknown): unknown {
    const ip = textField(body, 'ip');
    const parsed = parseIp(ip);
    if (parsed === undefined) throw new InvalidError('ip', `${JSON.stringify(ip)} is not an IP address`);
    return present(this.reads.hardware.find(`ip:${parsed.address}`), ip);
  }

  @Get()
  all(@Res() response: HttpResponse): Promise<void> {
    const { hardware } = this.reads;
    return sendNdjson(response, async function* () {
      for await (const row of rowsOf(hardware, ({ id }) => id)) yield presentHardware(row.hardware);
    });
  }

  @Get(':id')
  byId(@Param('id') id: string): unknown {
    return present(this.reads.hardware.get(id.toLowerCase()), id);
  }

  @Delete(':id')
  async delete(@Param('id') id: string, @Req() request: HttpRequest): Promise<unknown> {
    await this.commands.delete(id.toLowerCase(), callerOf(request));
    return done('hardware deleted successfully', id);
  }
}

function present(row: HardwareRow | undefined, wanted: string): unknown {
  if (!row) throw new NotFoundError('hardware', wanted);
  return presentHardware(row.hardware);
}
