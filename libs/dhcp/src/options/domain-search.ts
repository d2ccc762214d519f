import { domainsOption } from '@tinkerbell/bytes';

/** RFC 3397. */
export const domainSearch = domainsOption(119, 'domain-search', true);
