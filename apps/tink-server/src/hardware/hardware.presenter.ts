import { presentHardware } from '@tinkerbell/domain';
import type { HardwareRecord } from '@tinkerbell/events';

/** As a `Hardware` message; its metadata is JSON text. */
export function hardwareMessage(record: HardwareRecord): unknown {
  const { metadata, ...rest } = presentHardware(record);
  return { ...rest, metadata: JSON.stringify(metadata) };
}
