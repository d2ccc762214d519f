import type { TemplateRow } from '@tinkerbell/projections';
import { toTimestamp } from '../grpc/timestamp';

/** As a `WorkflowTemplate` message; lists leave the text out, as the originals do. */
export function templateMessage(row: TemplateRow, withData: boolean): unknown {
  return {
    id: row.id,
    name: row.name,
    created_at: toTimestamp(row.createdAt),
    updated_at: toTimestamp(row.updatedAt),
    deleted_at: null,
    data: withData ? row.data : '',
  };
}

/** As the gateway of the originals writes it: names of the .proto file, times as RFC 3339. */
export function templateGatewayJson(row: TemplateRow): unknown {
  return { id: row.id, name: row.name, created_at: row.createdAt, updated_at: row.updatedAt, data: row.data };
}

/** `*` stands for any text, everything else for itself; case does not matter, as with ILIKE. */
export function nameMatcher(pattern: string): (name: string) => boolean {
  const escaped = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const form = new RegExp(`^${escaped.join('.*')}$`, 'is');
  return (name) => form.test(name);
}
