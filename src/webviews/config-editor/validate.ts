/** Says at once what is wrong with a number that is being typed; the engine has the last word. */
import { type Row } from '../../shared/config-editor';

/** What is wrong with a text as the row's value; undefined where it will do. */
export function inputProblem(row: Pick<Row, 'type' | 'low' | 'high'>, text: string): string | undefined {
  if (row.type === 'int' && !/^-?(?:0|[1-9][0-9]*)$/.test(text)) return 'Takes a whole number without leading zeros, such as 42';
  if (row.type === 'hex' && !/^(?:0[xX])?[0-9a-fA-F]+$/.test(text)) return 'Takes a hexadecimal number, such as 0x2a';
  if ((row.type !== 'int' && row.type !== 'hex') || row.low === undefined || row.high === undefined) return undefined;
  const value = numberOf(text, row.type);
  if (value < numberOf(row.low, row.type) || value > numberOf(row.high, row.type))
    return `Out of range: takes values from ${row.low} to ${row.high}`;
  return undefined;
}

function numberOf(text: string, type: 'int' | 'hex'): bigint {
  if (type === 'hex') return BigInt(/^0[xX]/.test(text) ? text : `0x${text}`);
  return BigInt(text);
}
