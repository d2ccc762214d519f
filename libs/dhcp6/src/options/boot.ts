import {
  clientInterfaceOption,
  latin1,
  MalformedOptionError,
  type OptionCodec,
  textBytes,
  textOption,
  uint16ListOption,
} from '@tinkerbell/bytes';
import { macText } from '../duid';
import { atLeast, readPrefixed, writePrefixed } from '../fields';
import { uint16 } from '../option-list';

/** RFC 5970 §3.1: the one name of the boot file; there is no server or file field in DHCPv6. */
export const bootFileUrl = textOption(59, 'boot-file-url');

/** RFC 5970 §3.2: what the program at the URL is to be given. */
export const bootFileParameters: OptionCodec<readonly string[]> = {
  code: 60,
  name: 'boot-file-parameters',
  decode(raw) {
    const items = readPrefixed(60, raw, 0).map(latin1);
    if (items.length === 0) throw new MalformedOptionError({ option: 60, reason: 'empty' });
    return items;
  },
  encode: (items) => writePrefixed(60, items.map(textBytes)),
};

/** RFC 5970 §3.3, numbers as in RFC 4578. */
export const clientArch = uint16ListOption(61, 'client-arch');

/** RFC 5970 §3.4. */
export const clientInterface = clientInterfaceOption(62, 'client-interface');

export interface LinkLayerAddress {
  /** 1 = Ethernet. */
  readonly hardware: number;
  readonly address: Uint8Array;
}

/** RFC 6939: the relay next to the client says which MAC it heard. */
export const linkLayerAddress: OptionCodec<LinkLayerAddress> = {
  code: 79,
  name: 'link-layer-address',
  decode(raw) {
    const view = atLeast(79, raw, 3);
    return { hardware: view.getUint16(0), address: raw.slice(2) };
  },
  encode: ({ hardware, address }) => Uint8Array.of(...uint16(hardware), ...address),
};

export function linkLayerMac({ hardware, address }: LinkLayerAddress): string | undefined {
  return macText(hardware, address);
}
