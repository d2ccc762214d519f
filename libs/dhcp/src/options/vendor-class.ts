import { textOption } from '@tinkerbell/bytes';

/** RFC 2132 §9.13. `PXEClient:Arch:00007:UNDI:003000` in firmware (RFC 4578 §2), `HTTPClient:…` in UEFI HTTP boot. */
export const vendorClass = textOption(60, 'vendor-class');
