/** All breakpoints of a session: resolves what the user asked for to addresses and answers hits. */
import {
  breakpointModes,
  type BreakpointOptions,
  type BreakpointStatus,
  type DataBreakpointRequest,
  type FunctionBreakpointRequest,
  type InstructionBreakpointRequest,
  type SourceBreakpointRequest,
  type SourceLocation,
} from '../api';
import { type Watchpoint } from '../../x86/api';
import { type SearchState, whole } from '../search';
import { type Target } from '../target';
import { Breakpoint, type BreakpointKind, type HitEvaluator } from './breakpoint';
import { type RegisterChange, registerValue, RegisterWatch } from './register-watch';

/** A hit that stops the guest. */
export interface BreakpointStop {
  readonly kind: BreakpointKind;
  readonly ids: readonly number[];
  readonly note?: string;
}

/** What a log point says, and where it stands. */
interface LogLine {
  readonly text: string;
  readonly location: SourceLocation | undefined;
}

interface Site {
  readonly address: bigint;
  readonly location?: SourceLocation;
}

interface DataBreakpoint {
  readonly key: string;
  readonly request: DataBreakpointRequest;
  readonly breakpoint: Breakpoint;
}

/** Requests that are alike in everything ask for the same breakpoint: a client sends all of a file's again when one changes. */
const keyOf = (request: object): string =>
  JSON.stringify(request, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));

/** Where a breakpoint goes, or why nowhere. */
interface Resolved {
  /** The search for it was cut short: there may be more places. */
  readonly isPart?: boolean;
  readonly sites: readonly Site[];
  readonly why: string | undefined;
}

/** Finds that out with the symbols that there are now. */
type Resolver = () => Resolved;

const never: SearchState = { cancelled: false };

export class BreakpointManager {
  #nextId = 1;
  /** Old breakpoints that the new list has already. */
  readonly #taken = new Set<Breakpoint>();
  readonly #bySource = new Map<string, Breakpoint[]>();
  #functions: Breakpoint[] = [];
  /** Function breakpoints that may have more places than were found. */
  readonly #inPart = new WeakSet<Breakpoint>();
  #instructions: Breakpoint[] = [];
  #data: DataBreakpoint[] = [];
  #watchpoints: readonly Watchpoint[] = [];
  /** Bytes last seen of watched places of which only changes are wanted, by breakpoint. */
  readonly #bytes = new Map<number, Uint8Array>();
  readonly registers: RegisterWatch;
  /** How a breakpoint's places are found, for when there are more symbols than before. */
  readonly #resolvers = new WeakMap<Breakpoint, Resolver>();
  #hits: { breakpoint: Breakpoint; note: string | undefined }[] = [];

  constructor(
    private readonly target: Target,
    private readonly evaluator: HitEvaluator,
    private readonly log: (line: () => LogLine) => void,
  ) {
    this.registers = new RegisterWatch(target.machine, (change) => this.#registerChanged(change));
  }

  /** Replaces the breakpoints of one source file. */
  setSource(path: string, requests: readonly SourceBreakpointRequest[]): readonly BreakpointStatus[] {
    const old = this.#bySource.get(path) ?? [];
    const made = requests.map((request) =>
      this.#resolving('breakpoint', request, old, () => {
        const sites = this.#sourceSites(path, request);
        return { sites, why: sites.length > 0 ? undefined : this.#whyNoSite(path, request.line) };
      }),
    );
    return this.#replace(old, made, (list) => this.#bySource.set(path, list));
  }

  /** Replaces the function breakpoints. Names that were not asked for before are looked for in steps, which yield the share of the work that is done. */
  *setFunctions(requests: readonly FunctionBreakpointRequest[], state: SearchState): Generator<number, readonly BreakpointStatus[]> {
    const found: Resolved[] = [];
    const before = new Map(this.#functions.map((each) => [keyOf(each.options), each]));
    for (const request of requests) {
      const known = before.get(keyOf(request));
      if (known !== undefined && !this.#inPart.has(known)) {
        found.push({ sites: known.sites, why: known.unplaced });
        continue;
      }
      const steps = this.#functionPlaces(request.name, state);
      for (let step = steps.next(); ; step = steps.next()) {
        if (step.done === true) {
          found.push(step.value);
          break;
        }
        yield (found.length + step.value) / requests.length;
      }
    }
    const made = requests.map((request, index) => {
      const resolve = (): Resolved => whole(this.#functionPlaces(request.name, never));
      const breakpoint = this.#resolving('function breakpoint', request, this.#functions, resolve, found[index]);
      if (found[index]?.isPart === true) this.#inPart.add(breakpoint);
      else this.#inPart.delete(breakpoint);
      return breakpoint;
    });
    return this.#replace(this.#functions, made, (list) => (this.#functions = list));
  }

  *#functionPlaces(name: string, state: SearchState): Generator<number, Resolved> {
    const sites = yield* this.#functionSites(name, state);
    const why = state.cancelled
      ? `The search for "${name}" was cancelled.`
      : `No function matches "${name}". Write a name, library:name, or a valid /regular expression/.`;
    return { sites, why: sites.length > 0 ? undefined : why, isPart: state.cancelled };
  }

  setInstructions(requests: readonly InstructionBreakpointRequest[]): readonly BreakpointStatus[] {
    const made = requests.map((request) =>
      this.#make('instruction breakpoint', request, this.#instructions, [this.#site(request.address)], undefined),
    );
    return this.#replace(this.#instructions, made, (list) => (this.#instructions = list));
  }

  setData(requests: readonly DataBreakpointRequest[]): readonly BreakpointStatus[] {
    const old = this.#data;
    for (const each of old) each.breakpoint.disarm();
    this.#data = requests.map((request) => {
      const key = keyOf(request);
      const kept = old.find((each) => each.key === key)?.breakpoint;
      return { key, request, breakpoint: kept ?? this.#makeData(request) };
    });
    const valid = this.#data.filter(({ breakpoint }) => breakpoint.verified);
    this.#watchpoints = valid.flatMap(({ breakpoint: { id }, request: { place, access } }) =>
      'register' in place ? [] : [{ id, address: place.address, length: place.length, access }],
    );
    this.watchAlso(undefined);
    this.#bytes.clear();
    for (const { breakpoint, request } of valid)
      if (request.mode === breakpointModes.change && !('register' in request.place))
        this.#bytes.set(breakpoint.id, this.#read(request.place));
    this.registers.set(valid.flatMap(({ request: { place } }) => ('register' in place ? [place.register] : [])));
    return this.#data.map(({ breakpoint }) => breakpoint.status);
  }

  #makeData(request: DataBreakpointRequest): Breakpoint {
    const { place } = request;
    if (!('register' in place)) return new Breakpoint(this.#nextId++, 'data breakpoint', request, [{ address: place.address }], undefined);
    const why =
      registerValue(this.target.machine, place.register) === undefined
        ? `This processor has no register ${place.register}.`
        : request.access === 'write'
          ? undefined
          : 'A register can be watched for changes only.';
    return new Breakpoint(this.#nextId++, 'data breakpoint', request, [{ address: 0n }], why);
  }

  #read({ address, length }: { readonly address: bigint; readonly length: number }): Uint8Array {
    return this.target.machine.cpu.readMemory(address, length);
  }

  /** Takes all breakpoints away. */
  clear(): void {
    for (const path of [...this.#bySource.keys()]) this.setSource(path, []);
    whole(this.setFunctions([], never));
    this.setInstructions([]);
    this.setData([]);
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
    const found = this.#data.find(({ breakpoint }) => breakpoint.id === id);
    if (found === undefined || !this.#changed(found) || !this.#answer(found.breakpoint)) return undefined;
    return this.takeStop();
  }

  /** Where only changes are wanted: are the bytes other ones than before? */
  #changed({ breakpoint, request }: DataBreakpoint): boolean {
    const before = this.#bytes.get(breakpoint.id);
    if (before === undefined || 'register' in request.place) return true;
    const now = this.#read(request.place);
    this.#bytes.set(breakpoint.id, now);
    return now.length !== before.length || now.some((byte, index) => byte !== before[index]);
  }

  #registerChanged({ name, from, to }: RegisterChange): boolean {
    if (this.target.probes.quiet) return false;
    let stop = false;
    for (const { breakpoint, request } of this.#data) {
      if (!('register' in request.place) || request.place.register !== name || !breakpoint.verified || !this.#answer(breakpoint)) continue;
      stop = true;
      const hit = this.#hits[this.#hits.length - 1]!;
      hit.note ??= `$${name} changed from 0x${from.toString(16)} to 0x${to.toString(16)}, next comes ${this.target.describe(this.target.pc)}`;
    }
    return stop;
  }

  /** What a stop leads to beyond it: breakpoints for one hit go. Answers them. */
  afterStop(ids: readonly number[]): readonly BreakpointStatus[] {
    const gone = this.#all().filter(({ id, options }) => options.mode === breakpointModes.once && ids.includes(id));
    if (gone.length === 0) return [];
    for (const breakpoint of gone) breakpoint.disarm();
    const stays = (each: Breakpoint): boolean => !gone.includes(each);
    for (const [path, list] of this.#bySource) this.#bySource.set(path, list.filter(stays));
    this.#functions = this.#functions.filter(stays);
    this.#instructions = this.#instructions.filter(stays);
    if (this.#data.some(({ breakpoint }) => gone.includes(breakpoint)))
      this.setData(this.#data.filter(({ breakpoint }) => stays(breakpoint)).map(({ request }) => request));
    return gone.map(({ status }) => status);
  }

  #all(): readonly Breakpoint[] {
    return [
      ...[...this.#bySource.values()].flat(),
      ...this.#functions,
      ...this.#instructions,
      ...this.#data.map(({ breakpoint }) => breakpoint),
    ];
  }

  /** The guest goes another way from `moment` on: hits after it never were. */
  forgetAfter(moment: number): void {
    for (const each of this.#all()) each.forgetAfter(moment);
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
      this.#inPart.delete(breakpoint);
      changed.push(breakpoint.status);
    }
    return changed;
  }

  #resolving(
    kind: BreakpointKind,
    options: BreakpointOptions,
    old: readonly Breakpoint[],
    resolve: Resolver,
    { sites, why } = resolve(),
  ): Breakpoint {
    const breakpoint = this.#make(kind, options, old, sites, why);
    this.#resolvers.set(breakpoint, resolve);
    return breakpoint;
  }

  /** A new breakpoint, or the old one for the same request, with its number and its hits. */
  #make(
    kind: BreakpointKind,
    options: BreakpointOptions,
    old: readonly Breakpoint[],
    sites: readonly Site[],
    message: string | undefined,
  ): Breakpoint {
    const key = keyOf(options);
    const kept = old.find((each) => !this.#taken.has(each) && keyOf(each.options) === key);
    if (kept === undefined) return new Breakpoint(this.#nextId++, kind, options, sites, message);
    this.#taken.add(kept);
    kept.move(sites, message);
    return kept;
  }

  #replace(old: readonly Breakpoint[], made: Breakpoint[], store: (list: Breakpoint[]) => void): readonly BreakpointStatus[] {
    for (const breakpoint of old) breakpoint.disarm();
    for (const breakpoint of made) this.#arm(breakpoint);
    store(made);
    this.#taken.clear();
    return made.map(({ status }) => status);
  }

  #arm(breakpoint: Breakpoint): void {
    breakpoint.arm((address) => this.target.probes.add(address, () => (this.#answer(breakpoint) ? 'stop' : undefined)));
  }

  /** True where the hit stops the guest. */
  #answer(breakpoint: Breakpoint): boolean {
    const outcome = breakpoint.hit(this.evaluator, Number(this.target.machine.cpu.retired));
    if (outcome.kind === 'log') this.log(() => ({ text: outcome.text(), location: this.target.location(this.target.pc) }));
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

  *#functionSites(name: string, state: SearchState): Generator<number, Site[]> {
    const pattern = /^\/(.*)\/$/.exec(name.trim());
    const qualified = pattern === null ? /^([\w.-]+):([^:].*)$/.exec(name.trim()) : null;
    const query = pattern === null ? (qualified?.[2] ?? name.trim()) : regularExpression(pattern[1]!);
    if (query === undefined || query === '') return [];
    const library = qualified?.[1];
    const addresses: bigint[] = [];
    for (const file of this.target.symbolFiles) {
      // A program that the guest loaded is named as a whole, too.
      const isWhole = library === undefined || file.name.slice(file.name.lastIndexOf('/') + 1) === library;
      addresses.push(...(yield* file.functionAddresses({ name: query, search: state, ...(isWhole ? {} : { library }) })));
    }
    // Symbols know no library.
    const named = library === undefined ? this.#symbolSites(query, addresses.length > 0) : [];
    const all = [...new Set([...addresses, ...named])];
    // The first one's place is what is shown of it, as the stack will show it: the entry's row may name the line of the declaration.
    return all.map((address, index) => (index === 0 ? this.#site(address) : { address }));
  }

  /** Assembly's functions, and aliases of others, that debug information does not name. */
  #symbolSites(query: string | RegExp, isKnown: boolean): bigint[] {
    return this.target.symbolFiles.flatMap((file) => {
      const symbols = typeof query === 'string' ? file.symbolsNamed(query) : isKnown ? [] : file.searchSymbols(query, 1000);
      return symbols
        .filter(({ kind }) => kind === 'function' || (kind === 'label' && !isKnown))
        .map(({ address }) => file.prologueEnd(address));
    });
  }
}

function regularExpression(source: string): RegExp | undefined {
  try {
    return new RegExp(source);
  } catch {
    return undefined;
  }
}
