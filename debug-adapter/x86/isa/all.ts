/** All instruction definitions, and the opcode tables made from them. */

import { arithDefinitions } from './arith';
import { bitDefinitions } from './bits';
import { controlDefinitions } from './control';
import { type Definition } from './definition';
import { miscDefinitions } from './misc';
import { moveDefinitions } from './move';
import { muldivDefinitions } from './muldiv';
import { shiftDefinitions } from './shift';
import { sseDefinitions } from './sse';
import { stackDefinitions } from './stack';
import { stringDefinitions } from './string';
import { systemRowDefinitions } from './system-rows';
import { buildTable, type OpcodeTable } from './table';
import { x87Definitions } from './x87-rows';

export const definitions: readonly Definition[] = [
  ...arithDefinitions,
  ...moveDefinitions,
  ...shiftDefinitions,
  ...muldivDefinitions,
  ...bitDefinitions,
  ...stringDefinitions,
  ...stackDefinitions,
  ...controlDefinitions,
  ...miscDefinitions,
  ...systemRowDefinitions,
  ...x87Definitions,
  ...sseDefinitions,
];

export const opcodeTable: OpcodeTable = buildTable(definitions);
