/** How positions in history are written and read: for the status bar, and for what the user types. */

interface Span {
  readonly start: string;
  readonly end: string;
  readonly position: string;
  readonly inPast: boolean;
}

const units: readonly (readonly [bigint, string])[] = [
  [1_000_000_000n, 'G'],
  [1_000_000n, 'M'],
  [1_000n, 'k'],
];

/** `1.25 M` of a count. */
export function shortCount(count: bigint): string {
  for (const [unit, name] of units) if (count >= unit) return `${(Number(count) / Number(unit)).toPrecision(3)} ${name}`;
  return String(count);
}

/** Where the guest stands, for the status bar and in full. */
export function positionText({ start, end, position, inPast }: Span): { readonly short: string; readonly long: string } {
  const [from, to, at] = [BigInt(start), BigInt(end), BigInt(position)];
  if (!inPast) return { short: `live · ${shortCount(at)}`, long: `instruction ${at.toLocaleString('en-US')}, the present` };
  const percent = to === from ? 100 : (Number(at - from) / Number(to - from)) * 100;
  // The end is not reached by rounding.
  const shown = Math.min(percent, 99.9).toFixed(1);
  return {
    short: `${shortCount(to - at)} back · ${shown} %`,
    long: `instruction ${at.toLocaleString('en-US')} of ${to.toLocaleString('en-US')}, ${(to - at).toLocaleString('en-US')} back (${shown} %)`,
  };
}

/** Reads `1234`, `1.5M`, `50%`, `-1000`, `+2k`; a string is what is wrong with it. */
export function instructionOf(text: string, { start, end, position }: Span): bigint | string {
  const match = /^\s*([+-])?\s*([\d,_]*\.?\d+)\s*(%|[kmg])?\s*$/i.exec(text);
  if (match === null) return 'Write a number, a percentage such as 50%, or a step such as -1000.';
  const [, sign, digits, unit] = match;
  const plain = digits!.replace(/[,_]/g, '');
  const [from, to, at] = [BigInt(start), BigInt(end), BigInt(position)];
  const factor = units.find(([, name]) => name.toLowerCase() === unit?.toLowerCase())?.[0] ?? 1n;
  if (plain.includes('.') && unit === undefined) return 'There are no halves of instructions.';
  const count =
    unit === '%'
      ? BigInt(Math.round((Number(to - from) * Number(plain)) / 100))
      : plain.includes('.')
        ? BigInt(Math.round(Number(plain) * Number(factor)))
        : BigInt(plain) * factor;
  const base = sign === '-' ? at - count : sign === '+' ? at + count : unit === '%' ? from + count : count;
  if (base < from) return `History begins at instruction ${from.toLocaleString('en-US')}.`;
  if (base > to) return `Instruction ${base.toLocaleString('en-US')} has not run yet: history ends at ${to.toLocaleString('en-US')}.`;
  return base;
}
