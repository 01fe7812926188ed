/** Answers about source lines from the line tables, in the API's form. */
import { type LineRow } from './api';
import { type Core } from './core';
import { type Entities } from './entities';
import { type LineTable, ROW } from './line-program';
import { type Range } from './ranges';
import { type Unit } from './unit';

function toRow(core: Core, entities: Entities, unit: Unit, table: LineTable, row: number, high: number): LineRow | undefined {
  const file = core.fileOf(unit, table.files[row]!);
  if (!file) return undefined;
  const flags = table.flags[row]!;
  return {
    ...entities.range({ low: table.addresses[row]!, high }),
    file,
    line: table.lines[row]!,
    column: table.columns[row]!,
    isStmt: (flags & ROW.isStmt) !== 0,
    prologueEnd: (flags & ROW.prologueEnd) !== 0,
    discriminator: table.discriminators[row]!,
  };
}

/** The row that speaks for an address: the last one that counts, or where that begins no statement, an earlier one at the same address that does. */
function rowFor(table: LineTable, address: number): number {
  const { flags, addresses, counts } = table;
  let row = table.rowAt(address);
  if (row < 0) return row;
  const { first } = table.sequenceAt(address)!;
  while (row > first && !counts[row]) row--;
  if (flags[row]! & ROW.isStmt) return row;
  for (let i = row - 1; i >= first && addresses[i] === addresses[row]; i--) if (counts[i] && flags[i]! & ROW.isStmt) return i;
  return row;
}

function tableAt(core: Core, address: number): { unit: Unit; table: LineTable } | undefined {
  const unit = core.unitMap.find(address);
  const table = unit && core.lines(unit);
  return table && { unit, table };
}

export function lineAt(core: Core, entities: Entities, address: number): LineRow | undefined {
  const found = tableAt(core, address);
  if (!found) return undefined;
  const row = rowFor(found.table, address);
  return row < 0 ? undefined : toRow(core, entities, found.unit, found.table, row, found.table.rowEnd(row));
}

export function lineRows(core: Core, entities: Entities, unit: Unit): LineRow[] {
  const table = core.lines(unit);
  const rows: LineRow[] = [];
  for (const { first, last } of table?.sequences ?? []) {
    for (let i = first; i < last; i++) {
      const row = toRow(core, entities, unit, table!, i, table!.addresses[i + 1]!);
      if (row) rows.push(row);
    }
  }
  return rows;
}

/** Ranges around an address that belong to its line within its function; neighbouring ones merged. */
export function lineExtent(core: Core, address: number): Range[] {
  const found = tableAt(core, address);
  if (!found) return [];
  const { table, unit } = found;
  const own = rowFor(table, address);
  const sequence = table.sequenceAt(address);
  if (own < 0 || !sequence) return [];
  const fn = core.functions(unit).concrete.find(address);
  const low = fn?.low ?? sequence.low;
  const high = fn?.high ?? sequence.high;
  const ranges: { low: number; high: number }[] = [];
  for (let row = table.rowAt(Math.max(low, sequence.low)); row >= 0 && row < sequence.last && table.addresses[row]! < high; row++) {
    const end = table.addresses[row + 1]!;
    if (end <= table.addresses[row]!) continue;
    const speaker = rowFor(table, table.addresses[row]!);
    if (table.lines[speaker] !== table.lines[own] || table.files[speaker] !== table.files[own]) continue;
    const last = ranges[ranges.length - 1];
    if (last && last.high === table.addresses[row]) last.high = end;
    else ranges.push({ low: table.addresses[row]!, high: end });
  }
  return ranges;
}
