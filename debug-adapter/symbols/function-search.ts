/** Where breakpoints on functions of a name go: their code, and each place that they were inlined into; found without reading more of .debug_info than mentions them. */
import { type FunctionQuery } from './api';
import { AT, FORM, TAG } from './constants';
import { type BreakpointFinder } from './breakpoints';
import { type Core } from './core';
import { Die } from './die';
import { nameOfScope, opensScope, qualifiedNameOf } from './entities';
import { entryOf } from './functions';
import { Mentions, type Span } from './mentions';
import { lastComponent, matchesQualified } from './qualified-names';
import { rangesOf } from './ranges';
import { type Spelling, spellingOf } from './spelling';
import { type Unit } from './unit';
import { type FoundDie, UnitScan } from './unit-scan';

/** More places than anybody means by one name. */
const mostPlaces = 100_000;
/** A function completes a declaration, which may complete another, and so on. */
const longestChain = 8;

/** What was found so far. */
interface Findings {
  /** Offsets of the functions' DIEs: declarations, abstract ones, and such as have code. */
  readonly members: Set<number>;
  /** Internal addresses. */
  readonly places: Set<number>;
}

export class FunctionSearch {
  /** Units that refer to functions of others, as link-time optimisation and Rust's compiler have them. */
  private crossing: readonly Unit[] | undefined;
  /** Of units that refer to functions in fewer bytes than are looked for, as dwz writes them: offsets of what completes a function, by its position. */
  private readonly completing = new Map<Unit, ReadonlyMap<number, readonly number[]>>();

  constructor(
    private readonly core: Core,
    private readonly breakpoints: BreakpointFinder,
  ) {}

  /**
   * Internal addresses for the functions of a name, plain, qualified or as the linker has it; without template arguments it stands for all of them. Yields the
   * share of the file that is done after each unit.
   */
  *named(name: string, query: FunctionQuery): Generator<number, number[]> {
    const { dwarf, names } = this.core;
    const last = lastComponent(name);
    const spelling = spellingOf(dwarf, last);
    if (spelling === undefined) {
      const instances = mayLackArguments(last) ? [...names.search(new RegExp(`^${literal(last)}<`), 'function')] : [];
      return yield* this.of([...names.find(last, 'function'), ...instances.flatMap(({ offsets }) => offsets)], name, query);
    }
    const findings: Findings = { members: new Set(), places: new Set() };
    for (const unit of dwarf.units) {
      const positions = spelling.within({ start: unit.dieOffset, end: unit.end });
      if (positions.length > 0) this.inUnit(unit, positions, name, query, findings, spelling);
      yield unit.end / dwarf.info.length;
      if (isEnough(findings, query)) break;
    }
    return yield* this.inOthers(findings, query);
  }

  /** The same for functions whose DIEs are known; those that `name` does not name, where there is one, are left out. */
  *of(offsets: readonly number[], name: string | undefined, query: FunctionQuery): Generator<number, number[]> {
    const findings: Findings = { members: new Set(), places: new Set() };
    const byUnit = new Map<Unit, number[]>();
    for (const offset of offsets) {
      const unit = this.core.dwarf.unitAt(offset);
      if (unit === undefined) continue;
      const list = byUnit.get(unit);
      if (list) list.push(offset);
      else byUnit.set(unit, [offset]);
    }
    let done = 0;
    for (const [unit, positions] of byUnit) {
      this.inUnit(
        unit,
        positions.sort((a, b) => a - b),
        name,
        query,
        findings,
      );
      yield ++done / byUnit.size;
      if (isEnough(findings, query)) break;
    }
    return yield* this.inOthers(findings, query);
  }

  /** The functions among the DIEs in which positions lie, and what completes them in their unit. */
  private inUnit(
    unit: Unit,
    positions: readonly number[],
    name: string | undefined,
    { library }: FunctionQuery,
    findings: Findings,
    spelling?: Spelling,
  ): void {
    // What units share belongs to each of them.
    if (library !== undefined && unit.library !== library && !unit.isPartial) return;
    const scan = new UnitScan(unit);
    const own: number[] = [];
    for (const die of scan.at(positions)) {
      if (die.abbrev.tag !== TAG.subprogram || (name !== undefined && !isNamed(unit, die, name))) continue;
      const place = spelling && Die.at(unit, die.offset).stringPlace(AT.name);
      if (place !== undefined) spelling!.settle(place);
      own.push(die.offset);
      findings.members.add(die.offset);
      this.addCode(unit, die, findings);
    }
    this.complete(scan, own, findings);
  }

  /** What completes the functions in other units than their own. */
  private *inOthers(findings: Findings, query: FunctionQuery): Generator<number, number[]> {
    const { dwarf } = this.core;
    let news: readonly number[] = [...findings.members];
    if (news.length > 0 && this.crossing === undefined) {
      const crossing: Unit[] = [];
      for (const unit of mayCross(this.core) ? dwarf.units : []) {
        if (crosses(unit)) crossing.push(unit);
        yield 1;
      }
      this.crossing = crossing;
    }
    for (let length = 0; news.length > 0 && length < longestChain; length++) {
      const next: number[] = [];
      const mentions = new Mentions(
        dwarf.info,
        news.map((offset) => dwarf.offsetAt(offset)),
      );
      for (const unit of this.crossing!) {
        const isMentioned = refersShortly(unit) || mentions.within({ start: unit.dieOffset, end: unit.end }).length > 0;
        const foreign = isMentioned ? news.filter((offset) => offset < unit.offset || offset >= unit.end) : [];
        if (foreign.length > 0) next.push(...this.complete(new UnitScan(unit), foreign, findings));
        yield 1;
        if (isEnough(findings, query)) break;
      }
      news = next;
    }
    return [...findings.places].sort((a, b) => a - b);
  }

  /** Adds what completes functions in a unit: definitions, clones and inlined copies. Answers the functions among that. */
  private complete(scan: UnitScan, offsets: readonly number[], findings: Findings): number[] {
    const { unit } = scan;
    const { dwarf } = this.core;
    const added: number[] = [];
    let news = offsets;
    for (let length = 0; news.length > 0 && length < longestChain; length++) {
      // What is inlined refers to an abstract function; a declaration is completed by what stands beside other functions.
      const isAbstract = (offset: number): boolean => Die.at(dwarf.unitAt(offset) ?? unit, offset).has(AT.inline);
      const [abstract, declared] = [true, false].map((wanted) => news.filter((offset) => isAbstract(offset) === wanted));
      const positions = refersShortly(unit)
        ? news.flatMap((offset) => this.completed(unit).get(offset) ?? [])
        : [...mentionsOf(scan, abstract!, scan.functions), ...mentionsOf(scan, declared!, scan.heads)];
      positions.sort((x, y) => x - y);
      const next: number[] = [];
      for (const found of scan.at(positions)) {
        const { offset, abbrev } = found;
        if (abbrev.tag !== TAG.subprogram && abbrev.tag !== TAG.inlined_subroutine) continue;
        const die = Die.at(unit, offset);
        const origin = originOf(die);
        if (!findings.members.has(origin) || findings.members.has(offset)) continue;
        this.addCode(unit, found, findings);
        if (abbrev.tag !== TAG.subprogram) continue;
        findings.members.add(offset);
        next.push(offset);
      }
      added.push(...next);
      news = next;
    }
    return added;
  }

  private completed(unit: Unit): ReadonlyMap<number, readonly number[]> {
    const known = this.completing.get(unit);
    if (known !== undefined) return known;
    const completed = new Map<number, number[]>();
    this.completing.set(unit, completed);
    const { abbrevs, offsets } = unit.tree();
    abbrevs.forEach(({ tag }, i) => {
      if (tag !== TAG.subprogram && tag !== TAG.inlined_subroutine) return;
      const origin = originOf(new Die(unit, i));
      const list = completed.get(origin);
      if (list) list.push(offsets[i]!);
      else completed.set(origin, [offsets[i]!]);
    });
    return completed;
  }

  /** Adds where a function's code, or an inlined copy of it, is to be stopped at. */
  private addCode(unit: Unit, { offset, abbrev, parents }: FoundDie, { places }: Findings): void {
    const code = this.codeOf(Die.at(unit, offset));
    if (code === undefined) return;
    if (abbrev.tag === TAG.subprogram) {
      places.add(this.breakpoints.pastPrologue(unit, code.entry, code.high));
      return;
    }
    // What is inlined into a prologue waits for its end, where the producer marks that: GCC does not.
    const outer = unit.marksPrologues ? parents.findLast(({ tag }) => tag === TAG.subprogram) : undefined;
    const around = outer && this.codeOf(Die.at(unit, outer.offset));
    const past = around && this.breakpoints.pastPrologue(unit, around.entry, around.high);
    places.add(around && code.entry >= around.entry && code.entry < past! ? past! : code.entry);
  }

  /** Where it begins, and the end of that range. GCC may tell an entry beside the ranges, where nothing of the function would be shown. */
  private codeOf(die: Die): { readonly entry: number; readonly high: number } | undefined {
    const ranges = rangesOf(die).filter(({ low }) => this.core.sections.isCode(low));
    const [first] = ranges;
    if (first === undefined) return undefined;
    const entry = entryOf(die, ranges) ?? first.low;
    const own = ranges.find(({ low, high }) => entry >= low && entry < high);
    return own === undefined ? { entry: first.low, high: first.high } : { entry, high: own.high };
  }
}

const isEnough = ({ places }: Findings, { search }: FunctionQuery): boolean => places.size >= mostPlaces || search?.cancelled === true;

/** Whether any abbreviation may be such a unit's: told by bytes, before tables are read. */
function mayCross({ sections, dwarf }: Core): boolean {
  if (dwarf.supplement !== undefined) return true;
  const bytes = sections.get('.debug_abbrev');
  for (let at = bytes.indexOf(FORM.ref_addr); at >= 0; at = bytes.indexOf(FORM.ref_addr, at + 1))
    if (bytes[at - 1] === AT.abstract_origin || bytes[at - 1] === AT.specification) return true;
  return false;
}

const crossingForms: readonly number[] = [FORM.ref_addr, FORM.GNU_ref_alt, FORM.ref_sup4, FORM.ref_sup8];

const shortForms: readonly number[] = [FORM.ref1, FORM.ref2, FORM.ref_udata];

const isOrigin = (at: number): boolean => at === AT.abstract_origin || at === AT.specification;

/** Position of the function that a DIE completes, -1 for none. */
const originOf = (die: Die): number => die.refOffset(die.has(AT.abstract_origin) ? AT.abstract_origin : AT.specification);

/** Does it refer to functions in one of the forms? */
function refersBy(unit: Unit, wanted: readonly number[]): boolean {
  return unit.abbrevTable.all.some(({ names, forms }) => forms.some((form, i) => wanted.includes(form) && isOrigin(names[i]!)));
}

const refersShortly = (unit: Unit): boolean => refersBy(unit, shortForms);

/** Does it refer to functions of other units? */
function crosses(unit: Unit): boolean {
  return refersBy(unit, crossingForms);
}

/** Where DIEs are referred to, by their place in the unit or in the section. */
function mentionsOf({ unit }: UnitScan, offsets: readonly number[], spans: readonly Span[]): number[] {
  const found: number[] = [];
  if (offsets.length === 0) return found;
  const local = offsets.filter((offset) => offset >= unit.offset && offset < unit.end);
  const mentions = new Mentions(unit.dwarf.info, [
    ...local.map((offset) => offset - unit.offset),
    ...offsets.map((offset) => unit.dwarf.offsetAt(offset)),
  ]);
  for (const span of spans) mentions.within(span, found);
  return found;
}

/** Template arguments may be left out, but `operator<` has none. */
const mayLackArguments = (name: string): boolean => !name.includes('<') && !/(^|::)operator\b/.test(name);

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** The name without template arguments. */
function bare(name: string): string {
  let text = '';
  let depth = 0;
  for (const letter of name) {
    if (letter === '<') depth++;
    else if (letter === '>' && depth > 0) depth--;
    else if (depth === 0) text += letter;
  }
  return text;
}

/** Does a function's DIE have the name, alone or with what is around it? */
function isNamed(unit: Unit, { offset, parents }: FoundDie, name: string): boolean {
  if (parents.some(({ tag }) => tag === TAG.subprogram)) return false;
  const die = Die.at(unit, offset);
  if (die.string(AT.linkage_name) === name) return true;
  const own = die.string(AT.name) ?? '';
  const last = lastComponent(name);
  const plain = mayLackArguments(name) ? bare : (text: string) => text;
  if (own !== last && plain(own) !== last) return false;
  if (last === name) return true;
  // What it completes may stand elsewhere; that is told by a tree of the whole unit.
  if (die.has(AT.specification) || die.has(AT.abstract_origin)) return matchesQualified(plain(qualifiedNameOf(die)), name);
  const around = parents.filter(({ tag }) => opensScope(tag)).map((parent) => nameOfScope(Die.at(unit, parent.offset)));
  return matchesQualified([...around, own].map(plain).join('::'), name);
}
