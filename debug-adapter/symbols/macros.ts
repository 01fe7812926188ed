/** Preprocessor macros: .debug_macro of DWARF 5 and GNU's version 4, and .debug_macinfo (DWARF 5, section 6.3). */
import { type Macro, type SourcePosition } from './api';
import { AT } from './constants';
import { type Core } from './core';
import { Reader } from './reader';
import { stringAt } from './reader';
import { type DebugSections } from './sections';
import { type Unit } from './unit';

const MACRO = {
  define: 1,
  undef: 2,
  start_file: 3,
  end_file: 4,
  define_strp: 5,
  undef_strp: 6,
  import: 7,
  define_sup: 8,
  undef_sup: 9,
  import_sup: 0x0a,
  define_strx: 0x0b,
  undef_strx: 0x0c,
} as const;

const MAX_NESTING = 64;

/** One event of a unit's preprocessing, in order. */
export interface MacroEvent {
  readonly kind: 'define' | 'undef';
  readonly text: string;
  readonly position: SourcePosition | undefined;
}

interface Walk {
  readonly files: (number | undefined)[];
  /** Offsets of the macro units that are being read, outermost first. */
  readonly open: Map<DebugSections, Set<number>>;
  /** Entries that may still be read, imports included. */
  budget: number;
}

/** Definitions and undefinitions of a unit in the order of its text. */
export function* macroEvents(core: Core, unit: Unit): Generator<MacroEvent> {
  const { sections } = core;
  // An entry takes two bytes at least: all of them may be read twice, as imports repeat each other.
  const budget = [sections, core.dwarf.supplement].reduce(
    (sum, each) => sum + (each?.get('.debug_macro').length ?? 0) + (each?.get('.debug_macinfo').length ?? 0),
    0,
  );
  const walk: Walk = { files: [], open: new Map(), budget };
  const offset = unit.root.number(AT.macros) ?? unit.root.number(AT.GNU_macros);
  if (offset !== undefined) yield* readUnit(core, unit, sections, offset, walk, 0);
  const old = unit.root.number(AT.macro_info);
  if (old !== undefined) yield* entries(core, unit, sections, new Reader(sections.get('.debug_macinfo'), old), false, walk, 0);
  if (walk.budget < 0)
    sections.diagnostics.add(
      'dwarf-macro',
      'The macro units import each other over and over; not all of it is read.',
      '.debug_macro',
      offset ?? 0,
    );
}

/** @param sections of the file that the macro unit at the offset is in */
function* readUnit(core: Core, unit: Unit, sections: DebugSections, offset: number, walk: Walk, nesting: number): Generator<MacroEvent> {
  const r = new Reader(sections.get('.debug_macro'), offset);
  const version = r.u16();
  const flags = r.u8();
  const is64 = (flags & 1) !== 0;
  if (flags & 2) r.offset(is64);
  if (r.failed || (version !== 4 && version !== 5) || flags & 4) {
    sections.diagnostics.add('dwarf-macro', `Macro unit of version ${version} with flags ${flags} is not read.`, '.debug_macro', offset);
    return;
  }
  const open = walk.open.get(sections) ?? new Set();
  walk.open.set(sections, open.add(offset));
  yield* entries(core, unit, sections, r, is64, walk, nesting);
  open.delete(offset);
}

function* entries(
  core: Core,
  unit: Unit,
  sections: DebugSections,
  r: Reader,
  is64: boolean,
  walk: Walk,
  nesting: number,
): Generator<MacroEvent> {
  const shared = sections === core.sections ? core.dwarf.supplement : undefined;
  while (r.more && walk.budget-- > 0) {
    const at = r.pos;
    const kind = r.u8();
    switch (kind) {
      case 0:
        return;
      case MACRO.start_file:
        r.uleb();
        if (walk.files.length < 4096) walk.files.push(r.uleb());
        else r.uleb();
        // The line of the #include belongs to the outer file; definitions carry their own lines.
        break;
      case MACRO.end_file:
        walk.files.pop();
        break;
      case MACRO.import:
      case MACRO.import_sup: {
        const target = r.offset(is64);
        const from = kind === MACRO.import ? sections : shared;
        if (from !== undefined && walk.open.get(from)?.has(target) === true) {
          sections.diagnostics.add('dwarf-macro', 'A macro unit imports itself; that import is passed over.', '.debug_macro', at);
        } else if (from !== undefined && nesting < MAX_NESTING) yield* readUnit(core, unit, from, target, walk, nesting + 1);
        break;
      }
      case MACRO.define:
      case MACRO.undef:
      case MACRO.define_strp:
      case MACRO.undef_strp:
      case MACRO.define_sup:
      case MACRO.undef_sup:
      case MACRO.define_strx:
      case MACRO.undef_strx: {
        const line = r.uleb();
        const text = textOf(kind, r, is64, unit, { sections, shared });
        const isDefine = definitions.includes(kind);
        const number = walk.files[walk.files.length - 1];
        const file = number === undefined ? undefined : core.fileOf(unit, number);
        if (!r.failed && text !== undefined)
          yield { kind: isDefine ? 'define' : 'undef', text, position: file && line > 0 ? { file, line, column: 0 } : undefined };
        break;
      }
      default:
        sections.diagnostics.add(
          'dwarf-macro',
          `Unknown macro entry ${kind}; the rest of the unit's macros are not read.`,
          '.debug_macro',
          at,
        );
        return;
    }
  }
}

const definitions: readonly number[] = [MACRO.define, MACRO.define_strp, MACRO.define_sup, MACRO.define_strx];

/** Name and body at the reader; undefined where they lie in a file that is not there. */
function textOf(
  kind: number,
  r: Reader,
  is64: boolean,
  unit: Unit,
  { sections, shared }: { readonly sections: DebugSections; readonly shared: DebugSections | undefined },
): string | undefined {
  switch (kind) {
    case MACRO.define:
    case MACRO.undef:
      return r.cstring();
    case MACRO.define_strp:
    case MACRO.undef_strp:
      return stringAt(sections.get('.debug_str'), r.offset(is64));
    case MACRO.define_sup:
    case MACRO.undef_sup: {
      const offset = r.offset(is64);
      return shared && stringAt(shared.get('.debug_str'), offset);
    }
    default:
      return unit.indexedString(r.uleb()) ?? '';
  }
}

/** Splits `NAME(a, b) body` or `NAME body`. */
export function parseMacro(event: MacroEvent): Macro {
  const match = /^([A-Za-z_$][\w$]*)(\(([^)]*)\))?\s?([\s\S]*)$/.exec(event.text);
  const parameters =
    match?.[3] === undefined
      ? undefined
      : match[3]
          .split(',')
          .map((p) => p.trim())
          .filter((p) => p !== '');
  return {
    name: match?.[1] ?? event.text,
    ...(parameters && { parameters }),
    body: match?.[4] ?? '',
    ...(event.position && { definedAt: event.position }),
  };
}

/** Macros defined at the end of a unit, by name. */
export function macrosInForce(core: Core, unit: Unit): Map<string, MacroEvent> {
  const table = new Map<string, MacroEvent>();
  for (const event of macroEvents(core, unit)) {
    const name = /^[\w$]+/.exec(event.text)?.[0] ?? event.text;
    if (event.kind === 'define') table.set(name, event);
    else table.delete(name);
  }
  return table;
}
