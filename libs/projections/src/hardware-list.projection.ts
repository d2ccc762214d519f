import type { HardwareEvent } from '@tinkerbell/events';
import { isStale, type Projection } from './projection';
import type { HardwareRow } from './rows';

export const hardwareList: Projection<HardwareEvent, HardwareRow> = {
  name: 'hardware-list',
  version: 4,
  aggregates: ['hardware'],
  key: ({ aggregate, aggregateId }) => (aggregate === 'hardware' ? aggregateId : undefined),
  evolve(row, recorded) {
    if (isStale(row, recorded)) return row;
    const { event, aggregateId, at, position } = recorded;
    switch (event.type) {
      case 'HardwareRegistered':
        return { id: aggregateId, hardware: event.data.hardware, createdAt: at, updatedAt: at, position };
      case 'HardwareUpdated': {
        const createdAt = row?.createdAt ?? at;
        return { id: aggregateId, hardware: event.data.hardware, createdAt, updatedAt: at, position };
      }
      case 'HardwareDeleted':
        return undefined;
      default:
        return row;
    }
  },
  lookups: ({ hardware }) =>
    hardware.network.interfaces.flatMap(({ dhcp }) => [
      `mac:${dhcp.mac}`,
      ...(dhcp.ip ? [`ip:${dhcp.ip.address}`] : []),
    ]),
};
