import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { formatMac } from '@tinkerbell/domain';
import { AsOf } from './history/as-of';
import { BootHistory } from './history/boot-history';
import { findMachine, findMachineOrMac } from './history/find-machine';
import { LeaseHistory } from './history/lease-history';
import { LeasePools } from './history/lease-pools';
import type { HttpRequest, HttpResponse } from './http/http-message';
import { listOf } from './http/paging';
import { sendNdjson } from './http/ndjson';
import { Query } from './http/query';
import { MachineLogs } from './machine-logs';

const withColons = <Row extends { readonly mac: string | null }>(row: Row): Row => ({
  ...row,
  mac: row.mac && formatMac(row.mac),
});

@Controller('api')
export class MachinesApiController {
  constructor(
    private readonly asOf: AsOf,
    private readonly history: LeaseHistory,
    private readonly pools: LeasePools,
    private readonly boots: BootHistory,
    private readonly logs: MachineLogs,
  ) {}

  @Get('machines')
  async machines(@Req() request: HttpRequest): Promise<unknown> {
    const query = Query.of(request);
    return listOf((await this.asOf.reads(query)).machines, ({ id }) => id, query, withColons);
  }

  /** By id, MAC, IP address or host name. */
  @Get('machines/:name')
  async machine(@Param('name') name: string, @Req() request: HttpRequest): Promise<unknown> {
    return withColons(findMachine(await this.asOf.reads(Query.of(request)), name));
  }

  /** All, or with `?of=` those of one machine, of both address families: by IP address, MAC, client id, hardware id or host name. */
  @Get('leases')
  async leases(@Req() request: HttpRequest): Promise<unknown> {
    const query = Query.of(request);
    const of = query.text('of');
    if (of !== undefined) return this.history.ofMachine(of, query);
    return listOf((await this.asOf.reads(query)).leases, ({ ip }) => ip, query, withColons);
  }

  /** What each pool has left, and who serves it. */
  @Get('lease-pools')
  leasePools(@Req() request: HttpRequest): Promise<unknown> {
    return this.pools.pools(Query.of(request));
  }

  /** Which boots answers for each lease pool, and the DHCP servers that are none of ours. */
  @Get('dhcp-servers')
  dhcpServers(@Req() request: HttpRequest): Promise<unknown> {
    return this.pools.servers(Query.of(request));
  }

  /** Boot attempts of one machine, newest first; `?limit=`, 10. By id, MAC, IP address or host name. */
  @Get('machines/:name/boots')
  bootsOf(@Param('name') name: string, @Req() request: HttpRequest): Promise<unknown> {
    return this.boots.of(name, Query.of(request));
  }

  /** What it sent by syslog. By id, MAC, IP address or host name; any MAC, for a machine without a record. */
  @Get('machines/:name/logs')
  async logsOf(@Param('name') name: string, @Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    const query = Query.of(request);
    const [follow, since] = [query.flag('follow'), query.time('since')];
    const machine = findMachineOrMac(await this.asOf.reads(query), name);
    return sendNdjson(response, (signal) => this.logs.lines(machine, { since, follow, signal }), { follow });
  }

  /** One lease: by IP address, MAC, client id, hardware id or host name. */
  @Get('leases/:name')
  lease(@Param('name') name: string, @Req() request: HttpRequest): Promise<unknown> {
    return this.history.one(name, Query.of(request));
  }

  /** Tenures of a machine or an address, oldest first. By MAC, IP address, hardware id or host name. */
  @Get('leases/:name/history')
  tenures(@Param('name') name: string, @Req() request: HttpRequest): Promise<unknown> {
    return this.history.tenures(name, Query.of(request));
  }

  @Get('leases/:ip/holder')
  holder(@Param('ip') ip: string, @Req() request: HttpRequest): Promise<unknown> {
    return this.history.holder(ip, Query.of(request));
  }
}
