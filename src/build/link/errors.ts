/** The linker's errors for people: what, where, and what to do. */

import { type BuildProblem } from '../problems';
import { STT } from './elf';
import { type InputObject, type InputSection, type LinkSymbol } from './object';

const MOST = 50;

/** A place in an object, from which debug information leads to a source line. */
export interface ObjectPlace {
  readonly object: InputObject;
  readonly section: InputSection | undefined;
  readonly offset: number;
  /** The name that is defined there. */
  readonly defines?: string;
}

/** A fault of a link. Its path is the object's. */
export interface LinkProblem extends BuildProblem {
  readonly place?: ObjectPlace;
  /** Of a double definition the first. */
  readonly first?: ObjectPlace;
}

/** A place in an object as text, with the function around it where one is known. */
export function placeOf(section: InputSection, offset: number): string {
  const fn = functionAt(section, offset);
  return `${section.object.name}: section ${section.name}+0x${offset.toString(16)}${fn ? `, in ${fn}` : ''}`;
}

function functionAt(section: InputSection, offset: number): string | undefined {
  for (const s of section.object.rawSymbols) {
    if ((s.info & 15) === STT.FUNC && s.shndx === section.index && s.value <= offset && offset < s.value + s.size) return s.name;
  }
  return undefined;
}

function at(section: InputSection, offset: number): Pick<LinkProblem, 'place'> {
  return { place: { object: section.object, section, offset } };
}

/** Collects the faults of one link. */
export class LinkProblems {
  readonly list: LinkProblem[] = [];
  private left = 0;
  private readonly undefinedNames = new Map<string, number>();

  add(path: string, message: string, severity: 'error' | 'warning' = 'error', places: Pick<LinkProblem, 'place' | 'first'> = {}): void {
    if (this.list.length < MOST) this.list.push({ path, line: 1, column: 1, severity, message, source: 'link', ...places });
    else this.left++;
  }

  get failed(): boolean {
    return this.list.some((p) => p.severity === 'error');
  }

  /** Everything found, with a last line for what was too much. */
  finish(): LinkProblem[] {
    if (this.left > 0)
      this.list.push({
        path: '',
        line: 1,
        column: 1,
        severity: 'note',
        message: `${this.left} more problems were left out.`,
        source: 'link',
      });
    return this.list;
  }

  /** `symbol` as it was defined first; then the second definition. */
  duplicate(symbol: LinkSymbol, object: InputObject, section: InputSection | undefined, offset: number): void {
    const first = symbol.section
      ? `${symbol.object?.name ?? 'the linker'} (section ${symbol.section.name})`
      : (symbol.object?.name ?? 'the linker');
    const second = section ? `${object.name} (section ${section.name})` : object.name;
    this.add(
      object.name,
      `${symbol.name} is defined twice: in ${first} and in ${second}. Rename one, make one static, or leave one object out.`,
      'error',
      {
        place: { object, section, offset, defines: symbol.name },
        ...(symbol.object && { first: { object: symbol.object, section: symbol.section, offset: symbol.value, defines: symbol.name } }),
      },
    );
  }

  /** One message for a name, for the first place that refers to it. */
  unresolved(symbol: LinkSymbol, section: InputSection, offset: number): void {
    const seen = this.undefinedNames.get(symbol.name) ?? 0;
    this.undefinedNames.set(symbol.name, seen + 1);
    if (seen > 0) return;
    this.add(
      section.object.name,
      `Nothing defines ${symbol.name}, which ${placeOf(section, offset)} refers to.`,
      'error',
      at(section, offset),
    );
  }

  overflow(symbol: LinkSymbol, section: InputSection, offset: number, kind: string, value: number): void {
    this.add(
      section.object.name,
      `The relocation ${kind} against ${symbol.name || symbol.section?.name || 'a local symbol'} at ${placeOf(section, offset)} does not fit: the value is ${value < 0 ? '-' : ''}0x${Math.abs(value).toString(16)}.`,
      'error',
      at(section, offset),
    );
  }

  unknownRelocation(section: InputSection, offset: number, type: number): void {
    this.add(
      section.object.name,
      `The relocation type ${type} at ${placeOf(section, offset)} is not known to this linker.`,
      'error',
      at(section, offset),
    );
  }
}
