import { InvalidDocumentError, type Fault } from '@tinkerbell/domain';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { isSurely } from './quick-check.dto';

/** The value as this class; InvalidDocumentError names every field that is not as the class says. Unknown fields are refused. */
export function checked<T extends object>(type: new () => T, value: unknown, kind: string): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const got =
      value === undefined ? 'nothing' : value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
    throw new InvalidDocumentError(kind, [{ path: '', message: `${kind} must be a JSON object, got ${got}` }]);
  }
  if (isSurely(type, value)) return Object.assign(new type(), value);
  const instance = plainToInstance(type, value);
  const errors = validateSync(instance, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true });
  if (errors.length > 0) throw new InvalidDocumentError(kind, faultsOf(errors, ''));
  return instance;
}

function faultsOf(errors: readonly ValidationError[], parent: string): Fault[] {
  return errors.flatMap(({ property, constraints = {}, children = [] }) => {
    const path = parent === '' ? property : `${parent}.${property}`;
    // class-validator begins its texts with the property; the path says more.
    const own = Object.values(constraints).map((text) => ({
      path,
      message: text.startsWith(`${property} `) ? text.slice(property.length + 1) : text,
    }));
    return [...own, ...faultsOf(children, path)];
  });
}
