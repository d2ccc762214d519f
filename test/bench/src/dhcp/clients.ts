/** As perfdhcp counts its clients: from 00:0c:01:02:03:04 upwards, each byte for itself, without a carry. */
export function macOf(client: number): string {
  const added = [0, 0, 0, client >> 16, client >> 8, client];
  const bytes = [0x00, 0x0c, 0x01, 0x02, 0x03, 0x04].map((byte, i) => (byte + (added[i] ?? 0)) & 255);
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** What a server has for a client that it knows. */
export const reservedAddress = (client: number) => `10.200.${1 + (client >> 8)}.${client & 255}`;
