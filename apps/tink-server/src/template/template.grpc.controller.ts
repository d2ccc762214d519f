import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { InvalidError, NotFoundError } from '@tinkerbell/domain';
import type { TemplateRow } from '@tinkerbell/projections';
import { filter, from, map, type Observable } from 'rxjs';
import { GrpcErrorFilter } from '../grpc/grpc-error.filter';
import { serviceName } from '../grpc/grpc-listener';
import { ReadSide, rowsOf } from '../read-side';
import { TemplateCommands } from './template-commands';
import { nameMatcher, templateMessage } from './template.presenter';

interface GetRequest {
  readonly id?: string;
  readonly name?: string;
}
interface TemplateMessage {
  readonly id: string;
  readonly name: string;
  readonly data: string;
}

const service = serviceName('template', 'TemplateService');
const caller = { actor: 'user' };

@Controller()
@UseFilters(GrpcErrorFilter)
export class TemplateGrpcController {
  constructor(
    private readonly commands: TemplateCommands,
    private readonly reads: ReadSide,
  ) {}

  @GrpcMethod(service, 'CreateTemplate')
  async create({ id, name, data }: TemplateMessage): Promise<{ readonly id: string }> {
    const created = await this.commands.create({ id, name, data }, caller);
    return { id: created.id };
  }

  @GrpcMethod(service, 'GetTemplate')
  get(request: GetRequest): unknown {
    return templateMessage(this.find(request), true);
  }

  @GrpcMethod(service, 'DeleteTemplate')
  async delete(request: GetRequest): Promise<object> {
    await this.commands.delete(wanted(request), caller);
    return {};
  }

  @GrpcMethod(service, 'ListTemplates')
  list({ name }: { readonly name?: string }): Observable<unknown> {
    const matches = nameMatcher(name ?? '*');
    return from(rowsOf(this.reads.templates, ({ id }) => id)).pipe(
      filter((row) => matches(row.name)),
      map((row) => templateMessage(row, false)),
    );
  }

  /** Unset and empty mean the same in proto3: what is not given stays as it is. */
  @GrpcMethod(service, 'UpdateTemplate')
  async update({ id, name, data }: TemplateMessage): Promise<object> {
    const change = { ...(name === '' ? {} : { name }), ...(data === '' ? {} : { data }) };
    await this.commands.update(wanted({ id }), change, caller);
    return {};
  }

  private find(request: GetRequest): TemplateRow {
    const { templates } = this.reads;
    const key = wanted(request);
    const row = request.name === undefined ? templates.get(key) : templates.find(`name:${key}`);
    if (!row) throw new NotFoundError('template', key);
    return row;
  }
}

function wanted({ id, name }: GetRequest): string {
  const key = id ?? name ?? '';
  if (key === '') throw new InvalidError('get_by', 'get_by must be an id or a name');
  return key;
}
