import { concat, MalformedOptionError, type OptionCodec } from '@tinkerbell/bytes';
import { ipv4Bytes, readIpv4 } from '../fields';

export interface ClasslessRoute {
  /** `10.0.0.0/8`. */
  readonly destination: string;
  readonly router: string;
}

/** RFC 3442: only the significant bytes of each destination are sent. A client that takes it ignores option 3. */
export const classlessRoutes: OptionCodec<readonly ClasslessRoute[]> = {
  code: 121,
  name: 'classless-routes',
  decode(raw) {
    const routes: ClasslessRoute[] = [];
    let at = 0;
    while (at < raw.length) {
      const width = raw[at] ?? 0;
      const significant = Math.ceil(width / 8);
      if (width > 32) throw new MalformedOptionError({ option: 121, reason: `prefix length ${width} at byte ${at}` });
      const end = at + 1 + significant + 4;
      if (end > raw.length) throw new MalformedOptionError({ option: 121, reason: `route at byte ${at} is cut off` });
      const destination = new Uint8Array(4);
      destination.set(raw.subarray(at + 1, at + 1 + significant));
      routes.push({ destination: `${readIpv4(destination, 0)}/${width}`, router: readIpv4(raw, end - 4) });
      at = end;
    }
    if (routes.length === 0) throw new MalformedOptionError({ option: 121, reason: 'empty' });
    return routes;
  },
  encode: (routes) =>
    concat(
      routes.map(({ destination, router }) => {
        const [address = '', prefix = ''] = destination.split('/');
        const width = /^\d{1,2}$/.test(prefix) ? Number(prefix) : 33;
        if (width > 32) throw new RangeError(`${JSON.stringify(destination)} is not a destination such as 10.0.0.0/8`);
        return Uint8Array.of(width, ...ipv4Bytes(address).subarray(0, Math.ceil(width / 8)), ...ipv4Bytes(router));
      }),
    ),
};
