import { maxNameLength } from './limits';
import type { Place, Text, YamlReader } from './yaml-reader';

export type Unique = (place: Place, name: Text | undefined) => void;

/** What Docker takes behind the second colon of a bind. */
const volumeModes = /^(?:ro|rw|z|Z|nocopy|r?shared|r?slave|r?private|consistent|cached|delegated)$/;
const volumeSource = /^(?:\/.*|[a-zA-Z0-9][\w.-]*)$/s;

/** The original says 200 and refuses the 200th character; here 200 are allowed. */
export function readName(reader: YamlReader, place: Place, unique?: Unique): string {
  const name = reader.text(place);
  if (!name || name.isOpen) return name?.text ?? '';
  if (name.text === '') reader.fault(place, 'name cannot be empty');
  else if (Array.from(name.text).length > maxNameLength) {
    reader.fault(
      place,
      `name cannot have more than ${maxNameLength} characters: ${name.text.slice(0, maxNameLength)}…`,
    );
  } else if (/[\0-\x1f\x7f]/.test(name.text)) reader.fault(place, 'name cannot have control characters');
  else unique?.(place, name);
  return name.text;
}

export function uniqueNames(reader: YamlReader, message: string): Unique {
  const seen = new Set<string>();
  return (place, name) => {
    if (!name) return;
    if (seen.has(name.text)) reader.fault(place, `${message}: ${name.text}`);
    seen.add(name.text);
  };
}

export function readTexts(reader: YamlReader, place: Place): readonly string[] {
  return (reader.items(place) ?? []).map((item) => checkedText(reader, item)?.text ?? '');
}

/** A NUL would end a C string. */
export function checkedText(reader: YamlReader, place: Place): Text | undefined {
  const said = reader.text(place);
  if (said?.text.includes('\0') !== true) return said;
  reader.fault(place, 'contains a NUL character');
  return undefined;
}

/** `host:container[:modes]`: an absolute path or a volume's name, an absolute path, modes by commas. */
export function readVolumes(reader: YamlReader, place: Place): readonly string[] {
  return (reader.items(place) ?? []).map((item) => {
    const said = checkedText(reader, item);
    if (!said || said.isOpen) return said?.text ?? '';
    const fault = volumeFault(said.text);
    if (fault !== undefined) reader.fault(item, `invalid volume ${JSON.stringify(said.text)}: ${fault}`);
    return said.text;
  });
}

function volumeFault(volume: string): string | undefined {
  const [source = '', target, modes, ...rest] = volume.split(':');
  if (target === undefined || rest.length > 0) return 'it must be host:container or host:container:mode';
  if (!volumeSource.test(source)) return `${JSON.stringify(source)} is neither an absolute path nor a name`;
  if (!target.startsWith('/')) return `${JSON.stringify(target)} is not an absolute path`;
  if (/^\/+(?:\.\/*)*$/.test(target)) return 'it would hide the whole container';
  const wrong = modes?.split(',').find((mode) => !volumeModes.test(mode));
  return wrong === undefined ? undefined : `${JSON.stringify(wrong)} is not a mode such as ro`;
}

export function readEnvironment(reader: YamlReader, place: Place): Readonly<Record<string, string>> {
  const entries = (reader.entries(place) ?? []).map(([key, value]) => {
    if (!/^[^=\0\s]+$/.test(key)) reader.fault(value, `invalid environment variable name ${JSON.stringify(key)}`);
    return [key, checkedText(reader, value)?.text ?? ''] as const;
  });
  return Object.fromEntries(entries);
}
