/** Of the workspace's package.json; version.spec.ts compares them. */
export const version = '0.1.0';
