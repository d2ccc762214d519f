const form = /^([0-9a-f]{2})([:-])(?:[0-9a-f]{2}\2){4}[0-9a-f]{2}$/i;

/** `aa:bb:cc:dd:ee:ff` or `AA-BB-…` → `aa-bb-cc-dd-ee-ff`, the form used everywhere inside; undefined when it is no MAC address. */
export function parseMac(text: string): string | undefined {
  return form.test(text) ? text.toLowerCase().replaceAll(':', '-') : undefined;
}

/** `aa-bb-cc-dd-ee-ff` → `aa:bb:cc:dd:ee:ff`, the form shown to people and other programs. */
export function formatMac(mac: string): string {
  return mac.replaceAll('-', ':');
}
