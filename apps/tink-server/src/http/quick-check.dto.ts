import { getMetadataStorage } from 'class-validator';

type Rules = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>;
type Rule = Rules[number];
type Fields = Readonly<Record<string, unknown>>;
/** Whether a value of one field is as its class says; undefined: this is not known here. */
type Check = (value: unknown, all: Fields) => boolean;

const byClass = new Map<new () => object, ReadonlyMap<string, Check> | undefined>();

/**
 * Whether class-validator would find no fault in a JSON object: by its own rules, which are looked up once for each class and not, as it
 * does, once for each object. False says nothing: only class-validator itself knows what is wrong.
 */
export function isSurely(type: new () => object, value: object): boolean {
  if (!byClass.has(type)) byClass.set(type, checksOf(type));
  const checks = byClass.get(type);
  if (!checks || Object.getPrototypeOf(value) !== Object.prototype) return false;
  const fields = value as Fields;
  for (const name of Object.keys(fields)) if (!checks.has(name)) return false;
  for (const [name, check] of checks) if (!check(fields[name], fields)) return false;
  return true;
}

function checksOf(type: new () => object): ReadonlyMap<string, Check> | undefined {
  const storage = getMetadataStorage();
  const rules = storage.getTargetValidationMetadatas(type, '', false, false);
  const known = ['customValidation', 'conditionalValidation', 'nestedValidation'];
  const isKnown = ({ type: kind, groups }: Partial<Rule>) => known.includes(kind ?? '') && (groups ?? []).length === 0;
  if (rules.length === 0 || !rules.every(isKnown)) return undefined;
  const ofFields = Object.entries(storage.groupByPropertyName(rules));
  return new Map(ofFields.map(([name, ofField]) => [name, checkOf(type, name, ofField)]));
}

function checkOf(type: new () => object, name: string, rules: Rules): Check {
  const of = (kind: string) => rules.filter((rule) => rule.type === kind);
  const conditions = of('conditionalValidation').map(
    ({ constraints }) => constraints[0] as (object: object, value: unknown) => boolean,
  );
  const nested = of('nestedValidation').length > 0;
  const tests = of('customValidation').flatMap((rule) => testsOf(type, name, rule));
  return (value, all) => {
    if (!conditions.every((applies) => applies(all, value))) return true;
    // Objects of another class are made before they are checked.
    if (nested && !(Array.isArray(value) && value.length === 0)) return false;
    return tests.every((test) => test(value, all));
  };
}

function testsOf(type: new () => object, property: string, rule: Rule): readonly Check[] {
  const { each, constraints, validateIf } = rule;
  return getMetadataStorage()
    .getTargetValidatorConstraints(rule.constraintCls)
    .map(({ async, instance }): Check => {
      if (async) return () => false;
      return (value, object) => {
        if (validateIf && !validateIf(object, value)) return true;
        const asked = { targetName: type.name, property, object, value, constraints };
        const isValid = (one: unknown) => instance.validate(one, asked) === true;
        return each && Array.isArray(value) ? value.every(isValid) : isValid(value);
      };
    });
}
