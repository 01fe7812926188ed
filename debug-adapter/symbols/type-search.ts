/** Finds types by the names that source text uses for them. */
import { type Type } from './api';
import { AT, TAG } from './constants';
import { type Core } from './core';
import { type Die } from './die';
import { type Entities, qualifiedNameOf } from './entities';
import { lastComponent, matchesQualified } from './qualified-names';
import { type Unit } from './unit';

const KEYWORDS: Readonly<Record<string, readonly number[]>> = {
  struct: [TAG.structure_type, TAG.class_type],
  class: [TAG.class_type, TAG.structure_type],
  union: [TAG.union_type],
  enum: [TAG.enumeration_type],
};

/** Spellings of C's base types that differ from what compilers record. */
const SPELLINGS: Readonly<Record<string, string>> = {
  unsigned: 'unsigned int',
  signed: 'int',
  'signed int': 'int',
  long: 'long int',
  'signed long': 'long int',
  'long signed int': 'long int',
  'unsigned long': 'long unsigned int',
  'unsigned long int': 'long unsigned int',
  'long long': 'long long int',
  'unsigned long long': 'long long unsigned int',
  'unsigned long long int': 'long long unsigned int',
  short: 'short int',
  'unsigned short': 'short unsigned int',
  'unsigned short int': 'short unsigned int',
};

/** Complete types answering to `struct x`, `x`, `unsigned long` or `ns::x`; those of `unit` first, one for each definition. */
export function findTypes(core: Core, entities: Entities, name: string, unit: Unit | undefined): Type[] {
  const text = name.trim().replace(/\s+/g, ' ');
  const keyword = /^(struct|class|union|enum) (.+)$/.exec(text);
  const tags = keyword ? KEYWORDS[keyword[1]!] : undefined;
  const plain = keyword ? keyword[2]! : text;
  let found = lookUp(core, plain);
  if (found.length === 0 && SPELLINGS[plain] !== undefined) found = lookUp(core, SPELLINGS[plain]);
  const dies = found.filter((die) => !die.flag(AT.declaration) && (!tags || tags.includes(die.tag)));
  const isOwn = (die: Die): boolean => unit !== undefined && core.dwarf.imports.isWithin(die.unit, unit);
  return [...dies.filter(isOwn), ...dies.filter((die) => !isOwn(die))].map((die) => entities.types.of(die));
}

function lookUp(core: Core, name: string): Die[] {
  const last = lastComponent(name);
  const dies = core.names
    .find(last, 'type')
    .map((offset) => core.dwarf.dieAt(offset))
    .filter((die) => die !== undefined);
  return last === name ? dies : dies.filter((die) => matchesQualified(qualifiedNameOf(die), name));
}
