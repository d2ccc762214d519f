import { Controller, Get, Req } from '@nestjs/common';
import { formatMac } from '@tinkerbell/domain';
import type { HttpRequest } from './http/http-message';
import { listOf } from './http/paging';
import { Query } from './http/query';
import { ReadSide } from './read-side';

@Controller('api')
export class MachinesApiController {
  constructor(private readonly reads: ReadSide) {}

  @Get('machines')
  machines(@Req() request: HttpRequest): unknown {
    return listOf(
      this.reads.machines,
      ({ id }) => id,
      Query.of(request),
      (row) => ({ ...row, mac: formatMac(row.mac) }),
    );
  }

  @Get('leases')
  leases(@Req() request: HttpRequest): unknown {
    return listOf(
      this.reads.leases,
      ({ mac }) => mac,
      Query.of(request),
      (row) => ({ ...row, mac: formatMac(row.mac) }),
    );
  }
}
