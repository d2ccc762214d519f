import { UsageError } from '../cli-command';

/** `--hardware`: a JSON object of device names and addresses. */
export function devicesOf(text: string): unknown {
  const hint = `for example '{"device_1":"08:00:27:00:00:01"}', in single quotes`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`--hardware is not JSON: ${text}`, hint);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError('--hardware is a JSON object of device names and addresses', hint);
  }
  return value;
}
