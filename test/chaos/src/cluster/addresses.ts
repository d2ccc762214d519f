/** Where everything is in the network of one run; the network is private to it. */
export const prefix = '10.77.0';
export const natsHosts = ['10.77.0.11', '10.77.0.12', '10.77.0.13'] as const;
export const tinkHosts = ['10.77.0.21', '10.77.0.22'] as const;
export const clientHost = '10.77.0.31';
export const natsUrls = natsHosts.map((host) => `tls://${host}:4222`);
