/** Compares the reader with GNU readelf, row for row: line tables, call frame rows and DIEs of one file. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Core } from '../../../debug-adapter/symbols/core';
import { AT, FORM, dwarfName } from '../../../debug-adapter/symbols/constants';
import { runFrame, type FrameRow, type FrameRule } from '../../../debug-adapter/symbols/cfi-program';
import { Die } from '../../../debug-adapter/symbols/die';
import { locationList } from '../../../debug-adapter/symbols/location-lists';
import { ROW } from '../../../debug-adapter/symbols/line-program';
import { rangesOf } from '../../../debug-adapter/symbols/ranges';
import { parseElf } from '../../../debug-adapter/symbols/elf';
import { dwarfRegisterName } from '../../../debug-adapter/symbols/registers';

export interface Comparison {
  compared: number;
  readonly differences: string[];
}

function comparison(): Comparison {
  return { compared: 0, differences: [] };
}

function differ(result: Comparison, message: string): void {
  if (result.differences.length < 20) result.differences.push(message);
}

export function coreOf(bytes: Uint8Array): Core {
  return new Core(parseElf(bytes));
}

async function* linesOf(command: string, args: readonly string[]): AsyncGenerator<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, LC_ALL: 'C' } });
  try {
    for await (const line of createInterface({ input: child.stdout, crlfDelay: Infinity })) yield line;
  } finally {
    child.kill();
  }
}

/** Rows by `readelf --debug-dump=rawline`, which shows every operation of the line programs and what it does to the registers. */
export async function compareLineRows(core: Core, file: string): Promise<Comparison> {
  const result = comparison();
  const tables = new Map<number, string[]>();
  for (const unit of core.dwarf.units) {
    const table = core.lines(unit);
    if (!table || tables.has(table.header.offset)) continue;
    const rows: string[] = [];
    for (let i = 0; i < table.count; i++) {
      const flags = table.flags[i]!;
      const marks = `${flags & ROW.isStmt ? 's' : ''}${flags & ROW.prologueEnd ? 'p' : ''}${flags & ROW.endSequence ? 'e' : ''}`;
      rows.push(
        `${core.sections.toLink(table.addresses[i]!).toString(16)} ${table.files[i]} ${table.lines[i]}:${table.columns[i]} d${table.discriminators[i]} ${marks}`,
      );
    }
    tables.set(table.header.offset, rows);
  }
  let rows: string[] | undefined;
  let index = 0;
  let state = { address: '0', file: 1, line: 1, column: 0, stmt: true, discriminator: 0, prologue: false };
  let defaultStmt = true;
  let running = false;
  const reset = (): void => {
    state = { address: '0', file: 1, line: 1, column: 0, stmt: defaultStmt, discriminator: 0, prologue: false };
  };
  const emit = (end: boolean): void => {
    const marks = `${state.stmt ? 's' : ''}${state.prologue ? 'p' : ''}${end ? 'e' : ''}`;
    const expected = `${state.address} ${state.file} ${state.line}:${state.column} d${state.discriminator} ${marks}`;
    const actual = rows?.[index];
    if (actual !== expected) differ(result, `line row ${index}: readelf ${expected}, here ${actual ?? 'none'}`);
    index++;
    result.compared++;
    state.discriminator = 0;
    state.prologue = false;
  };
  const finish = (): void => {
    if (rows && index !== rows.length) differ(result, `line table: readelf has ${index} rows, here ${rows.length}`);
  };
  for await (const line of linesOf('readelf', ['-W', '-wN', '--debug-dump=rawline', file])) {
    let match = /^ {2}Offset:\s+(0x[0-9a-f]+|\d+)/.exec(line);
    if (match) {
      finish();
      rows = tables.get(Number(match[1]));
      index = 0;
      running = false;
      continue;
    }
    match = /^ {2}Initial value of 'is_stmt':\s+(\d+)/.exec(line);
    if (match) {
      defaultStmt = match[1] !== '0';
      reset();
    }
    if (line.includes('Line Number Statements')) running = true;
    if (!running) continue;
    match = /^ {2}\[0x[0-9a-f]+\] {2}(.*)$/.exec(line);
    if (!match) continue;
    const text = match[1]!;
    const address = /\bto (0x[0-9a-f]+|0)(?:\[\d\])?(?: and|$|\s)/.exec(text)?.[1];
    if (text.startsWith('Special opcode')) {
      state.address = BigInt(address ?? '0').toString(16);
      state.line = Number(/Line by -?\d+ to (-?\d+)/.exec(text)![1]);
      emit(false);
    } else if (text.startsWith('Copy')) emit(false);
    else if (text.includes('End of Sequence')) {
      emit(true);
      reset();
    } else if (text.startsWith('Extended opcode 2')) state.address = BigInt(/set Address to (0x[0-9a-f]+|0)/.exec(text)![1]!).toString(16);
    else if (text.startsWith('Extended opcode 4')) state.discriminator = Number(/Discriminator to (\d+)/.exec(text)![1]);
    else if (text.startsWith('Advance PC')) state.address = BigInt(address ?? '0').toString(16);
    else if (text.startsWith('Advance Line')) state.line = Number(/to (-?\d+)$/.exec(text)![1]);
    else if (text.startsWith('Set File Name')) state.file = Number(/entry (\d+)/.exec(text)![1]);
    else if (text.startsWith('Set column')) state.column = Number(/to (\d+)/.exec(text)![1]);
    else if (text.startsWith('Set is_stmt')) state.stmt = !text.endsWith(' 0');
    else if (text.startsWith('Set prologue_end')) state.prologue = true;
    // "Extended opcode 2" sets an address, constants advance it.
    else if (/^(Advance|Fixed).*PC/.test(text)) state.address = BigInt(address ?? '0').toString(16);
  }
  finish();
  return result;
}

function ruleText(rule: FrameRule | undefined): string {
  if (!rule) return 'u';
  switch (rule.kind) {
    case 'undefined':
      return 'u';
    case 'same':
      return 's';
    case 'offset':
      return `c${rule.offset < 0 ? '' : '+'}${rule.offset}`;
    case 'val-offset':
      return `v${rule.offset < 0 ? '' : '+'}${rule.offset}`;
    case 'register':
      return `r${rule.register} (${dwarfRegisterName(rule.register)})`;
    case 'expression':
      return 'exp';
    case 'val-expression':
      return 'vexp';
  }
}

function registerColumn(name: string): number {
  if (name === 'ra') return 16;
  for (let i = 0; i < 130; i++) if (dwarfRegisterName(i) === name) return i;
  return Number(/^r(\d+)$/.exec(name)?.[1] ?? -1);
}

/** Rows by `readelf --debug-dump=frames-interp`. */
export async function compareFrameRows(core: Core, file: string): Promise<Comparison> {
  const result = comparison();
  const queue = new Map<string, { rows: FrameRow[]; next: number; name: string }[]>();
  for (const fde of core.frames.all) {
    const key = `${fde.section} ${fde.offset}`;
    queue.set(key, [...(queue.get(key) ?? []), { rows: [...runFrame(core.sections, fde)], next: 0, name: key }]);
  }
  let section = '';
  let columns: string[] = [];
  let current: { rows: FrameRow[]; next: number; name: string } | undefined;
  let pending: { location: string; cells: string[]; columns: string[] } | undefined;
  const check = (): void => {
    if (!pending) return;
    const { location, cells, columns: names } = pending;
    pending = undefined;
    if (!current) return;
    const row = current.rows[current.next++];
    result.compared++;
    const cfa =
      row?.cfa &&
      ('register' in row.cfa ? `${dwarfRegisterName(row.cfa.register)}${row.cfa.offset < 0 ? '' : '+'}${row.cfa.offset}` : 'exp');
    const actual = [
      row ? core.sections.toLink(row.low).toString(16).padStart(16, '0') : 'none',
      cfa,
      ...names.slice(1).map((name) => ruleText(row?.rules.get(registerColumn(name)))),
    ];
    const expected = [location, ...cells];
    if (actual.join(' ') !== expected.join(' ')) differ(result, `${current.name}: readelf ${expected.join(' ')}, here ${actual.join(' ')}`);
  };
  const finish = (): void => {
    check();
    if (current && current.next !== current.rows.length && current.next > 0)
      differ(result, `${current.name}: readelf has ${current.next} rows, here ${current.rows.length}`);
  };
  let seen = 0;
  for await (const line of linesOf('readelf', ['-W', '-wN', '--debug-dump=frames-interp', file])) {
    let match = /^Contents of the (\S+) section/.exec(line);
    if (match) {
      finish();
      current = undefined;
      // The section as it was compressed before there was a flag for that.
      section = match[1]!.replace(/^\.z/, '.');
      continue;
    }
    match = /^([0-9a-f]{8,16}) [0-9a-f]+ [0-9a-f]+ (CIE|FDE)(?:.*pc=([0-9a-f]+)\.\.([0-9a-f]+))?/.exec(line);
    if (match) {
      finish();
      current = undefined;
      if (match[2] === 'FDE') {
        seen++;
        [current] = queue.get(`${section} ${parseInt(match[1]!, 16)}`) ?? [];
        if (!current) differ(result, `no entry at ${section} ${match[1]}`);
      }
      continue;
    }
    if (/^\s+LOC\s+CFA/.test(line)) {
      columns = line.trim().split(/\s+/).slice(1);
      continue;
    }
    match = /^([0-9a-f]{16}) (.*)$/.exec(line);
    if (match && current) {
      // Of several rows at one address only the last covers anything.
      if (pending && pending.location !== match[1]) check();
      pending = { location: match[1]!, cells: match[2]!.trim().split(/\s+/), columns };
    }
  }
  finish();
  if (seen !== core.frames.all.length) differ(result, `readelf has ${seen} frame entries, here ${core.frames.all.length}`);
  return result;
}

/** Every DIE with its depth, tag, and the offset, name and value of its attributes, by `readelf --debug-dump=info`. */
export async function compareDies(core: Core, file: string): Promise<Comparison> {
  const result = comparison();
  let unit: (typeof core.dwarf.units)[number] | undefined;
  let die: Die | undefined;
  let index = 0;
  let unitStart = -1;
  let base = 0;
  let attributes = 0;
  const depths: number[] = [];
  const finishDie = (): void => {
    if (die && attributes !== die.abbrev.names.length)
      differ(result, `<${die.offset.toString(16)}>: readelf has ${attributes} attributes, here ${die.abbrev.names.length}`);
  };
  const finishUnit = (): void => {
    finishDie();
    if (unit && index !== unit.tree().count) differ(result, `unit ${unit.offset}: readelf has ${index} DIEs, here ${unit.tree().count}`);
    die = undefined;
  };
  for await (const line of linesOf('readelf', ['-W', '-wN', '--debug-dump=info', file])) {
    // Type units of DWARF 4 have a section of their own, whose offsets readelf counts from 0.
    if (line.startsWith('Contents of the .debug_types')) base = core.sections.get('.debug_info').length;
    let match = /^ {2}Compilation Unit @ offset (0x[0-9a-f]+|0)/.exec(line);
    if (match) {
      finishUnit();
      unitStart = Number(match[1]) + base;
      unit = core.dwarf.units.find((candidate) => candidate.offset === unitStart);
      index = 0;
      depths.length = 0;
      if (!unit) differ(result, `no unit at ${unitStart}`);
      continue;
    }
    if (!unit) continue;
    match = /^ <([0-9a-f]+)><([0-9a-f]+)>: Abbrev Number: (\d+)(?: \((\w+(?:: [0-9a-f]+)?)\))?/.exec(line);
    if (match) {
      if (match[3] === '0') continue;
      finishDie();
      const tree = unit.tree();
      const depth = index === 0 ? 0 : (depths[tree.parents[index]!] ?? -2) + 1;
      depths[index] = depth;
      die = index < tree.count ? new Die(unit, index) : undefined;
      index++;
      attributes = 0;
      result.compared++;
      const expected = `${match[1]} ${match[2]} ${match[3]} ${match[4]}`;
      const actual = die && `${depth} ${(die.offset - base).toString(16)} ${die.abbrev.code} ${tagText(die.tag, match[4] ?? '')}`;
      if (expected !== actual) differ(result, `DIE: readelf ${expected}, here ${actual}`);
      continue;
    }
    match = /^ {4}<([0-9a-f]+)>\s+(DW_AT_\w+)(?:: [0-9a-f]+)?\s*: ?(.*)$/.exec(line);
    if (match && die) {
      const at = die.abbrev.names[attributes];
      const raw = at === undefined ? undefined : die.raw(at);
      const position = raw ? raw.byteOffset - core.dwarf.info.byteOffset : -1;
      if (
        at === undefined ||
        (position - base !== parseInt(match[1]!, 16) && raw!.length > 0) ||
        (!dwarfName('AT', at).includes('0x') && !sameName(dwarfName('AT', at), match[2]!))
      ) {
        differ(
          result,
          `<${match[1]}>: readelf ${match[2]}, here ${at === undefined ? 'none' : dwarfName('AT', at)} at ${position.toString(16)}`,
        );
      } else {
        const message = valueDifference(core, die, at, match[3]!, base);
        if (message) differ(result, `<${match[1]}> ${match[2]}: ${message}`);
      }
      attributes++;
    }
  }
  finishUnit();
  return result;
}

/** readelf writes newer names of some GNU attributes. */
function sameName(ours: string, theirs: string): boolean {
  return ours === theirs || ours.replace('_GNU_', '_') === theirs.replace('_GNU_', '_');
}

function tagText(tag: number, expected: string): string {
  const name = dwarfName('TAG', tag);
  // readelf cuts the name of template parameters.
  return name.includes('0x') || name === `${expected}eter` ? expected : name;
}

function valueDifference(core: Core, die: Die, at: number, text: string, base: number): string | undefined {
  // The form stands first: `(data1) 8`, `(strp) (offset: 0x12): name`.
  const match = /^\((\w+)\) ?(.*)$/.exec(text);
  if (!match) return undefined;
  const value = match[2]!;
  const form = die.form(at);
  switch (form) {
    case FORM.addr: {
      const address = die.address(at);
      return address !== undefined && core.sections.toLink(address) === BigInt(`${value.trim()}`)
        ? undefined
        : `readelf ${value}, here ${address}`;
    }
    case FORM.strp:
    case FORM.line_strp:
    case FORM.string: {
      const string = die.string(at);
      const expected = value.replace(/^\((?:indirect (?:line )?string, )?offset: [0-9a-fx]+\): /, '').trimEnd();
      return string?.trimEnd() === expected || (/[^\x20-\x7e]/.test(string ?? '') && string !== undefined)
        ? undefined
        : `readelf ${expected}, here ${string}`;
    }
    case FORM.data1:
    case FORM.data2:
    case FORM.data4:
    case FORM.data8:
    case FORM.udata:
    case FORM.flag:
    case FORM.flag_present:
    case FORM.sec_offset: {
      const expected = /^(0x[0-9a-f]+|\d+)/.exec(value)?.[1];
      const actual = die.big(at, false) ?? BigInt(die.number(at) ?? -1);
      return expected !== undefined && actual === BigInt(expected) ? undefined : `readelf ${value}, here ${actual}`;
    }
    case FORM.sdata:
    case FORM.implicit_const: {
      const expected = /^-?\d+/.exec(value)?.[0];
      return expected !== undefined && die.big(at, true) === BigInt(expected) ? undefined : `readelf ${value}, here ${die.big(at, true)}`;
    }
    case FORM.ref1:
    case FORM.ref2:
    case FORM.ref4:
    case FORM.ref8:
    case FORM.ref_udata:
    case FORM.ref_addr: {
      const expected = /<?0x([0-9a-f]+)/.exec(value)?.[1];
      if (die.refOffset(at) - (form === FORM.ref_addr ? 0 : base) !== parseInt(expected ?? '', 16))
        return `readelf ${value}, here ${die.refOffset(at)}`;
      return die.ref(at) ? undefined : `nothing at ${value}`;
    }
    case FORM.exprloc:
    case FORM.block1:
    case FORM.block2:
    case FORM.block4:
    case FORM.block: {
      // Some constants in blocks are left blank.
      if (value.trim() === '') return undefined;
      const bytes = /^(\d+) byte block: ((?:[0-9a-f]{1,2} )*)/.exec(`${value} `);
      const expected = bytes?.[2]!.trim();
      const actual = Array.from(die.block(at) ?? [], (b) => b.toString(16)).join(' ');
      return actual === expected ? undefined : `readelf ${expected}, here ${actual}`;
    }
    default:
      return undefined;
  }
}

/** Location lists and range lists named by DIEs, by `readelf --debug-dump=loc` and `=Ranges`: begin, end for each entry. */
export async function compareLists(core: Core, file: string, kind: 'loc' | 'Ranges'): Promise<Comparison> {
  const result = comparison();
  const expected = new Map<number, string[]>();
  let list: string[] | undefined;
  for await (const line of linesOf('readelf', ['-W', '-wN', `--debug-dump=${kind}`, file])) {
    if (/End of list/i.test(line)) list = undefined;
    if (/End of list|location view pair/i.test(line)) continue;
    // An entry with views takes two lines, the offset on the first.
    const match = /^ {4}([0-9a-f]{8}) (.*)$/.exec(line);
    if (match) list ??= begin(parseInt(match[1]!, 16));
    const entry = /^([0-9a-f]{8,16}) ([0-9a-f]{8,16})/.exec(match ? match[2]! : line.trim());
    if (!entry || !list || entry[1] === entry[2] || /\(base address\)/.test(line)) continue;
    list.push(`${BigInt(`0x${entry[1]}`).toString(16)} ${BigInt(`0x${entry[2]}`).toString(16)}`);
  }
  function begin(offset: number): string[] {
    const entries: string[] = [];
    expected.set(offset, entries);
    return entries;
  }
  const link = (address: number): string => core.sections.toLink(address).toString(16);
  const done = new Set<number>();
  for (const unit of core.dwarf.units) {
    const { count } = unit.tree();
    for (let i = 0; i < count; i++) {
      const die = new Die(unit, i);
      for (const at of kind === 'loc' ? [AT.location, AT.frame_base] : [AT.ranges]) {
        const form = die.form(at);
        if (form !== FORM.sec_offset) continue;
        const offset = die.number(at)!;
        if (done.has(offset)) continue;
        done.add(offset);
        const theirs = expected.get(offset);
        // readelf leaves out lists that it thinks it has passed.
        if (!theirs) continue;
        const ours = (kind === 'loc' ? locationList(die, at) : rangesOf(die)).map((e) => `${link(e.low ?? 0)} ${link(e.high ?? 0)}`);
        result.compared++;
        // readelf prints offset pairs of range lists without adding the unit's base.
        const relative =
          kind === 'loc' ? [] : rangesOf(die).map((e) => `${(e.low - unit.lowPc).toString(16)} ${(e.high - unit.lowPc).toString(16)}`);
        if (theirs.join() !== ours.join() && theirs.join() !== relative.join())
          differ(result, `list ${offset.toString(16)}: readelf ${theirs.join()}, here ${ours.join()}`);
      }
    }
  }
  return result;
}
