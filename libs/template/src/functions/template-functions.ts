import { goFunctions } from '../go-template/functions';
import { encodingFunctions } from './encoding-functions';
import type { TemplateFunctions } from './function';
import { jsonFunctions } from './json-functions';
import { listFunctions } from './list-functions';
import { logicFunctions } from './logic-functions';
import { machineFunctions } from './machine-functions';
import { mapFunctions } from './map-functions';
import { numberFunctions } from './number-functions';
import { pathFunctions } from './path-functions';
import { regexFunctions } from './regex-functions';
import { textFunctions } from './text-functions';
import { wordFunctions } from './word-functions';
import { yamlFunctions } from './yaml-functions';

/**
 * Everything that a template may call: Go's own functions, the hermetic ones of Sprig (github.com/Masterminds/sprig), and Tinkerbell's.
 * `slice` is Go's, which does more than Sprig's.
 */
export const templateFunctions: TemplateFunctions = new Map([
  ...textFunctions,
  ...wordFunctions,
  ...numberFunctions,
  ...listFunctions,
  ...mapFunctions,
  ...logicFunctions,
  ...jsonFunctions,
  ...yamlFunctions,
  ...encodingFunctions,
  ...regexFunctions,
  ...pathFunctions,
  ...machineFunctions,
  ...goFunctions,
]);
