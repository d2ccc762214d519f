import { InvalidError } from '@tinkerbell/domain';

export type PhoneHome =
  | { readonly type: 'osie-started'; readonly uptimeSeconds: number }
  /** `kind`: what the machine calls it, `phone-home` when it does not say; `body`: as it was sent. */
  | { readonly type: 'phone-home'; readonly kind: string; readonly body: string };

/** Bytes. A machine has little to say; a log entry is kept for ever. */
export const maxPhoneHomeBytes = 16 * 1024;
const maxKind = 100;

/**
 * JSON `{"type": …}`, a form with `type` and `body`, any other form (cloud-init sends one), or nothing at all: it is the call that counts.
 * Throws InvalidError.
 */
export function parsePhoneHome(text: string, contentType: string): PhoneHome {
  const trimmed = text.trim();
  if (trimmed === '') return { type: 'phone-home', kind: 'phone-home', body: '' };
  if (/^[[{"]/.test(trimmed) || contentType.startsWith('application/json')) return parseJson(trimmed);
  if (contentType.startsWith('application/x-www-form-urlencoded')) {
    const form = new URLSearchParams(trimmed);
    return { type: 'phone-home', kind: kindOf(form.get('type')), body: form.get('body') ?? trimmed };
  }
  throw new InvalidError('body', `body is neither JSON nor a form (content type ${contentType || 'not given'})`);
}

function parseJson(text: string): PhoneHome {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InvalidError('body', `body is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidError('body', 'body must be a JSON object');
  }
  const { type, uptimeSeconds } = value as { readonly type?: unknown; readonly uptimeSeconds?: unknown };
  if (type !== 'osie.started') return { type: 'phone-home', kind: kindOf(type), body: text };
  if (typeof uptimeSeconds !== 'number' || !Number.isFinite(uptimeSeconds) || uptimeSeconds < 0) {
    throw new InvalidError('uptimeSeconds', 'uptimeSeconds must be a number of seconds, 0 or more');
  }
  return { type: 'osie-started', uptimeSeconds };
}

function kindOf(type: unknown): string {
  if (type === undefined || type === null || type === '') return 'phone-home';
  if (typeof type !== 'string') throw new InvalidError('type', 'type must be a text');
  if (type.length > maxKind)
    throw new InvalidError('type', `type has ${type.length} characters, ${maxKind} is the limit`);
  return type;
}
