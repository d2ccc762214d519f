import { Body, Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { InvalidError, parseIp, parseMac } from '@tinkerbell/domain';
import { callerOf } from '../http/caller-of';
import { checked } from '../http/checked.dto';
import type { HttpRequest } from '../http/http-message';
import { LeaseEndDto } from './lease-end.dto';
import { type Ended, LeaseEnding } from './lease-ending';

/** A lease, or a quarantine, is over by the word of an operator. */
@Controller('api/leases')
export class LeaseEndApiController {
  constructor(private readonly ending: LeaseEnding) {}

  @Post(':ip/end')
  @HttpCode(200)
  end(@Param('ip') text: string, @Body() body: unknown, @Req() request: HttpRequest): Promise<Ended> {
    const { pool, seen, dryRun } = checked(LeaseEndDto, body, 'request');
    const ip = parseIp(text)?.address;
    if (ip === undefined) throw new InvalidError('ip', `ip must be an IP address, got ${JSON.stringify(text)}`);
    const mac = (seen?.mac && parseMac(seen.mac)) || null;
    return this.ending.end(ip, { pool, seen: seen && { ...seen, mac }, dryRun }, callerOf(request));
  }
}
