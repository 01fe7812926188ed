/** All breakpoints of a session: resolves what the user asked for to addresses and answers hits. */
import {
  type BreakpointOptions,
  type BreakpointStatus,
  type DataBreakpointRequest,
  type FunctionBreakpointRequest,
  type InstructionBreakpointRequest,
  type SourceBreakpointRequest,
  type SourceLocation,
} from '../api';
import { type Watchpoint } from '../../x86/api';
import { type Target } from '../target';
import { Breakpoint, type BreakpointKind, type HitEvaluator } from './breakpoint';

/** A hit that stops the guest. */
export interface BreakpointStop {
  readonly kind: BreakpointKind;
  readonly ids: readonly number[];
  readonly note?: string;
}

interface Site {
  readonly address: bigint;
  readonly location?: SourceLocation;
}

/** Where a breakpoint goes with the symbols that there are now, or why nowhere. */
type Resolver = () => { readonly sites: readonly Site[]; readonly why: string | undefined };

export class BreakpointManager {
  #nextId = 1;
  readonly #bySource = new Map<string, Breakpoint[]>();
  #functions: Breakpoint[] = [];
  #instructions: Breakpoint[] = [];
  #data: Breakpoint[] = [];
  #watchpoints: readonly Watchpoint[] = [];
  /** How a breakpoint's places are found, for when there are more symbols than before. */
  readonly #resolvers = new WeakMap<Breakpoint, Resolver>();
  #hits: { breakpoint: Breakpoint; note: string | undefined }[] = [];

  constructor(
    private readonly target: Target,
    private readonly evaluator: HitEvaluator,
    private readonly log: (text: string, location: SourceLocation | undefined) => void,
  ) {}

  /** Replaces the breakpoints of one source file. */
  setSource(path: string, requests: readonly SourceBreakpointRequest[]): readonly BreakpointStatus[] {
    const made = requests.map((request) =>
      this.#resolving('breakpoint', request, () => {
        const sites = this.#sourceSites(path, request);
        return { sites, why: sites.length > 0 ? undefined : this.#whyNoSite(path, request.line) };
      }),
    );
    return this.#replace(this.#bySource.get(path) ?? [], made, (list) => this.#bySource.set(path, list));
  }

  setFunctions(requests: readonly FunctionBreakpointRequest[]): readonly BreakpointStatus[] {
    const made = requests.map((request) =>
      this.#resolving('function breakpoint', request, () => {
        const sites = this.#functionSites(request.name);
        const why =
          sites.length > 0
            ? undefined
            : `No function matches "${request.name}". Write a name, library:name, or a valid /regular expression/.`;
        return { sites, why };
      }),
    );
    return this.#replace(this.#functions, made, (list) => (this.#functions = list));
  }

  setInstructions(requests: readonly InstructionBreakpointRequest[]): readonly BreakpointStatus[] {
    const made = requests.map((request) => this.#make('instruction breakpoint', request, [this.#site(request.address)], undefined));
    return this.#replace(this.#instructions, made, (list) => (this.#instructions = list));
  }

  setData(requests: readonly DataBreakpointRequest[]): readonly BreakpointStatus[] {
    for (const old of this.#data) old.disarm();
    this.#data = requests.map(
      (request) => new Breakpoint(this.#nextId++, 'data breakpoint', request, [{ address: request.address }], undefined),
    );
    this.#watchpoints = requests.map(({ address, length, access }, index) => ({ id: this.#data[index]!.id, address, length, access }));
    this.watchAlso(undefined);
    return this.#data.map(({ status }) => status);
  }

  /** Sets one watchpoint beside those of the data breakpoints, in the place of the one before, or takes it away. */
  watchAlso(extra: Watchpoint | undefined): void {
    this.target.machine.cpu.setWatchpoints(extra === undefined ? this.#watchpoints : [...this.#watchpoints, extra]);
  }

  /** What stopped the guest at the probe that it stands at; empties the list. */
  takeStop(): BreakpointStop | undefined {
    const hits = this.#hits;
    this.#hits = [];
    const [first] = hits;
    if (first === undefined) return undefined;
    const note = hits.find((hit) => hit.note !== undefined)?.note;
    const stop = { kind: first.breakpoint.kind, ids: hits.map(({ breakpoint }) => breakpoint.id) };
    return note === undefined ? stop : { ...stop, note };
  }

  /** A watched range was touched by the instruction that just ran. Returns the stop, if one is wanted. */
  dataHit(id: number): BreakpointStop | undefined {
    const breakpoint = this.#data.find((each) => each.id === id);
    if (breakpoint === undefined || !this.#answer(breakpoint)) return undefined;
    return this.takeStop();
  }

  /** The guest goes another way from `moment` on: hits after it never were. */
  forgetAfter(moment: number): void {
    for (const each of [...[...this.#bySource.values()].flat(), ...this.#functions, ...this.#instructions, ...this.#data])
      each.forgetAfter(moment);
  }

  /** Positions that can hold a breakpoint in lines `from` to `to`, both inside. */
  locations(path: string, from: number, to: number): readonly SourceLocation[] {
    const seen = new Set<string>();
    return this.target.symbolFiles
      .flatMap((file) => this.target.recorded(path).flatMap((recorded) => file.breakpointLocations(recorded, from, to)))
      .filter(({ line, column }) => !seen.has(`${line}:${column}`) && seen.add(`${line}:${column}`))
      .map((position) => this.target.present(position));
  }

  /** Symbols were added: resolves all source and function breakpoints again. Answers the ones that changed. */
  refresh(): readonly BreakpointStatus[] {
    const changed: BreakpointStatus[] = [];
    for (const breakpoint of [...[...this.#bySource.values()].flat(), ...this.#functions]) {
      const found = this.#resolvers.get(breakpoint)?.();
      if (found === undefined || !breakpoint.move(found.sites, found.why)) continue;
      this.#arm(breakpoint);
      changed.push(breakpoint.status);
    }
    return changed;
  }

  #resolving(kind: BreakpointKind, options: BreakpointOptions, resolve: Resolver): Breakpoint {
    const { sites, why } = resolve();
    const breakpoint = this.#make(kind, options, sites, why);
    this.#resolvers.set(breakpoint, resolve);
    return breakpoint;
  }

  #make(kind: BreakpointKind, options: BreakpointOptions, sites: readonly Site[], message: string | undefined): Breakpoint {
    return new Breakpoint(this.#nextId++, kind, options, sites, message);
  }

  #replace(old: readonly Breakpoint[], made: Breakpoint[], store: (list: Breakpoint[]) => void): readonly BreakpointStatus[] {
    for (const breakpoint of old) breakpoint.disarm();
    for (const breakpoint of made) this.#arm(breakpoint);
    store(made);
    return made.map(({ status }) => status);
  }

  #arm(breakpoint: Breakpoint): void {
    breakpoint.arm((address) => this.target.probes.add(address, () => (this.#answer(breakpoint) ? 'stop' : undefined)));
  }

  /** True where the hit stops the guest. */
  #answer(breakpoint: Breakpoint): boolean {
    const outcome = breakpoint.hit(this.evaluator, Number(this.target.machine.cpu.retired));
    if (outcome.kind === 'log') this.log(outcome.text, this.target.location(this.target.pc));
    if (outcome.kind !== 'stop') return false;
    this.#hits.push({ breakpoint, note: outcome.note });
    return true;
  }

  #site(address: bigint): Site {
    const location = this.target.location(address);
    return location === undefined ? { address } : { address, location };
  }

  #sourceSites(path: string, { line, column }: SourceBreakpointRequest): Site[] {
    for (const recorded of this.target.recorded(path)) {
      const sites = this.target.symbolFiles.flatMap((file) => file.breakpointSites(recorded, line, column));
      if (sites.length > 0) return sites.map((site) => ({ address: site.address, location: this.target.present(site) }));
    }
    return [];
  }

  #whyNoSite(path: string, line: number): string {
    if (!this.target.symbolFiles.some((file) => file.hasDwarf))
      return 'The image has no debug information: build it with -g, or name its .dbg file under "symbols".';
    const known = this.target
      .recorded(path)
      .some((recorded) => this.target.symbolFiles.some((file) => file.sourcesNamed(recorded).length > 0));
    return known
      ? `No code was generated for line ${line} or the lines after it.`
      : 'This file is not part of the image. If the sources moved, map their path under "sourceMap".';
  }

  #functionSites(name: string): Site[] {
    const pattern = /^\/(.*)\/$/.exec(name.trim());
    const qualified = pattern === null ? /^([\w.-]+):([^:].*)$/.exec(name.trim()) : null;
    const query = pattern === null ? (qualified?.[2] ?? name.trim()) : regularExpression(pattern[1]!);
    if (query === undefined || query === '') return [];
    const library = qualified?.[1];
    const sites = this.target.symbolFiles.flatMap((file) =>
      file.functions(library === undefined ? { name: query } : { name: query, library }).flatMap((fn) => file.functionSites(fn)),
    );
    // Places as the stack will show them: the entry's row may name the line of the declaration.
    if (sites.length > 0) return sites.map((site) => this.#site(site.address));
    // Symbols of assembly know no library.
    if (library !== undefined) return [];
    const symbols = this.target.symbolFiles.flatMap((file) =>
      typeof query === 'string' ? file.symbolsNamed(query) : file.searchSymbols(query, 1000),
    );
    return symbols.filter(({ kind }) => kind === 'function' || kind === 'label').map(({ address }) => this.#site(address));
  }
}

function regularExpression(source: string): RegExp | undefined {
  try {
    return new RegExp(source);
  } catch {
    return undefined;
  }
}
