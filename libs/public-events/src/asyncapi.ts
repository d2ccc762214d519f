import type { JsonObject } from '@tinkerbell/events';
import { cloudEventType, schemaId } from './cloud-event';
import { jsonSchema } from './json-schema';
import { publicTypes, type PublicType } from './table';

const text = (description: string, more: JsonObject = {}): JsonObject => ({ type: 'string', description, ...more });

/** The AsyncAPI 3.0 document of everything that is published on `TINK_PUB`: one channel and one message for each kind of event. */
export function asyncApiDocument(version: string): JsonObject {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Tinkerbell public events',
      version,
      description: 'CloudEvents 1.0 in binary mode on NATS JetStream, stream TINK_PUB. See docs/integrations.md.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      nats: {
        host: '{host}:4222',
        protocol: 'nats',
        description: 'The nats-server of the provisioner.',
        variables: { host: { description: 'Its address.', default: 'localhost' } },
      },
    },
    channels: Object.fromEntries(publicTypes.map((type) => [keyOf(type), channel(type)])),
    operations: Object.fromEntries(
      publicTypes.map((type) => [
        `publish-${keyOf(type)}`,
        {
          action: 'send',
          channel: { $ref: `#/channels/${keyOf(type)}` },
          summary: type.summary,
          bindings: { nats: { bindingVersion: '0.1.0' } },
        },
      ]),
    ),
    components: {
      messages: Object.fromEntries(publicTypes.map((type) => [keyOf(type), message(type)])),
      messageTraits: { cloudEvent: { headers: ceHeaderSchema } },
      parameters: {
        tenant: { description: 'The only one so far is default.', default: 'default' },
        id: { description: 'Id of the entity: 1 to 64 of A-Z a-z 0-9 _ -.' },
      },
    },
  };
}

function channel(type: PublicType): JsonObject {
  return {
    address: `tink.pub.{tenant}.${type.entity}.${type.name}.v${type.version}.{id}`,
    summary: type.summary,
    parameters: {
      tenant: { $ref: '#/components/parameters/tenant' },
      id: { $ref: '#/components/parameters/id' },
    },
    messages: { event: { $ref: `#/components/messages/${keyOf(type)}` } },
  };
}

function message(type: PublicType): JsonObject {
  return {
    name: cloudEventType(type),
    title: type.id,
    summary: type.summary,
    contentType: 'application/json',
    traits: [{ $ref: '#/components/messageTraits/cloudEvent' }],
    payload: { schemaFormat: 'application/schema+json;version=draft-07', schema: asDraft07(type) },
    bindings: { nats: { bindingVersion: '0.1.0' } },
    'x-ce-type': cloudEventType(type),
    'x-ce-dataschema': schemaId(type),
  };
}

/** Our schemas use nothing that came after draft 7, which is what tools for AsyncAPI understand. */
function asDraft07(type: PublicType): JsonObject {
  const { $schema: _, $id: __, ...schema } = jsonSchema(type);
  return { $schema: 'http://json-schema.org/draft-07/schema#', ...schema };
}

const ceHeaderSchema: JsonObject = {
  type: 'object',
  required: [
    ...['ce-specversion', 'ce-id', 'ce-type', 'ce-source', 'ce-subject', 'ce-time', 'ce-dataschema'],
    ...['ce-sequence', 'ce-actor', 'content-type'],
  ],
  properties: {
    'ce-specversion': text('Version of CloudEvents.', { const: '1.0' }),
    'ce-id': text('<position>-<index>: place in the log. With ce-source unique for ever.'),
    'ce-type': text('io.tink.<entity>.<event>.v<N>'),
    'ce-source': text('/tink/<tenant>'),
    'ce-subject': text('Id of the entity.'),
    'ce-time': text('When the log took it.', { format: 'date-time' }),
    'ce-dataschema': text('$id of the JSON Schema of the payload.'),
    'ce-sequence': text('Position in the log, 16 digits.', { pattern: '^[0-9]{16}$' }),
    'ce-correlationid': text('What several events belong to, where it is known.'),
    'ce-actor': text('Who caused it, e.g. user:admin.'),
    'content-type': text('Of the payload.', { const: 'application/json' }),
  },
};

/** Keys of components may hold no other characters. */
function keyOf({ id }: PublicType): string {
  return id.replaceAll('.', '_');
}
