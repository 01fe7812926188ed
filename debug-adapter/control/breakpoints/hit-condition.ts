/** Hit conditions of breakpoints: a comparison of the number of hits so far with a number. */
import { errors } from '../errors';

/** Given the number of this hit (1 for the first): does it count? */
export type HitCondition = (hits: number) => boolean;

const comparisons: Readonly<Record<string, (hits: number, operand: number) => boolean>> = {
  '<': (hits, operand) => hits < operand,
  '<=': (hits, operand) => hits <= operand,
  '=': (hits, operand) => hits === operand,
  '==': (hits, operand) => hits === operand,
  '>=': (hits, operand) => hits >= operand,
  '>': (hits, operand) => hits > operand,
  '%': (hits, operand) => operand > 0 && hits % operand === 0,
};

/** Reads `N` (from the Nth hit on) or an operator and a number. Throws a CodedError for anything else. */
export function parseHitCondition(text: string): HitCondition {
  const match = /^\s*(<=?|==?|>=?|%)?\s*(\d+)\s*$/.exec(text);
  const compare = comparisons[match?.[1] ?? '>='];
  if (match === null || compare === undefined) throw errors.badHitCondition(text);
  const operand = Number(match[2]);
  return (hits) => compare(hits, operand);
}
