const clock = 'the same template would give another workflow at another time';
const chance = 'the same template would give another workflow each time';
const outside = 'a template reaches its data and nothing else';
const keys =
  'a workflow is stored as it is rendered, and a secret does not belong there: use `secrets` of template 1.0';

/** Functions of Sprig and Helm that a template might ask for, and why they are not here. */
export const refusedFunctions: ReadonlyMap<string, string> = new Map([
  ...['env', 'expandenv', 'getHostByName', 'lookup', 'tpl', 'include', 'call'].map((name) => [name, outside] as const),
  ...['now', 'ago', 'date', 'dateInZone', 'date_in_zone', 'dateModify', 'date_modify', 'mustDateModify'].map(
    (name) => [name, clock] as const,
  ),
  ...['must_date_modify', 'htmlDate', 'htmlDateInZone', 'toDate', 'mustToDate', 'unixEpoch', 'duration'].map(
    (name) => [name, clock] as const,
  ),
  ['durationRound', clock],
  ...['randAlphaNum', 'randAlpha', 'randAscii', 'randNumeric', 'randBytes', 'randInt', 'shuffle', 'uuidv4'].map(
    (name) => [name, chance] as const,
  ),
  ...['genPrivateKey', 'genCA', 'genCAWithKey', 'genSelfSignedCert', 'genSelfSignedCertWithKey'].map(
    (name) => [name, keys] as const,
  ),
  ...['genSignedCert', 'genSignedCertWithKey', 'buildCustomCert', 'derivePassword', 'bcrypt', 'htpasswd'].map(
    (name) => [name, keys] as const,
  ),
  ...['encryptAES', 'decryptAES'].map((name) => [name, keys] as const),
  ...['semver', 'semverCompare', 'urlParse', 'urlJoin'].map((name) => [name, 'it is not supported'] as const),
]);
