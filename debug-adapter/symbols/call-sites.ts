/** Call sites of a function, for entry values and tail calls (DWARF 5, section 3.4, and GCC's form of it in DWARF 4). */
import { type CallSite } from './api';
import { AT, TAG } from './constants';
import { type Core } from './core';
import { Die } from './die';
import { type Entities, expressionOf } from './entities';

/** Call sites by function, read once: every value that a function was entered with is looked for among them. */
export class CallSites {
  private readonly known = new Map<number, readonly CallSite[]>();

  constructor(
    private readonly core: Core,
    private readonly entities: Entities,
  ) {}

  /** Those of the function holding an internal address. */
  of(address: number): readonly CallSite[] {
    const unit = this.core.unitMap.find(address);
    const found = unit && this.core.functions(unit).concrete.find(address);
    if (!unit || !found) return [];
    const frame = new Die(unit, found.value);
    let sites = this.known.get(frame.offset);
    if (!sites) this.known.set(frame.offset, (sites = callSitesIn(this.entities, frame)));
    return sites;
  }
}

function callSitesIn(entities: Entities, frame: Die): CallSite[] {
  const { unit } = frame;
  const tree = unit.tree();
  const sites: CallSite[] = [];
  const end = tree.ends[frame.index]!;
  for (let i = frame.index + 1; i < end; i++) {
    const { tag } = tree.abbrevs[i]!;
    if (tag !== TAG.call_site && tag !== TAG.GNU_call_site) continue;
    const site = callSite(entities, new Die(unit, i), frame);
    if (site) sites.push(site);
  }
  return sites;
}

function callSite(entities: Entities, die: Die, frame: Die): CallSite | undefined {
  // GCC's older form calls the return address low_pc.
  const returnPc = die.address(AT.call_return_pc) ?? die.address(AT.low_pc);
  if (returnPc === undefined) return undefined;
  const origin = die.ref(AT.call_origin) ?? die.ref(AT.abstract_origin);
  const target = die.block(AT.call_target) ?? die.block(AT.GNU_call_site_target);
  const values: CallSite['values'][number][] = [];
  for (const child of die.children()) {
    if (child.tag !== TAG.call_site_parameter && child.tag !== TAG.GNU_call_site_parameter) continue;
    const location = child.block(AT.location);
    const parameter = child.ref(AT.call_parameter) ?? child.ref(AT.abstract_origin);
    const value = child.block(AT.call_value) ?? child.block(AT.GNU_call_site_value);
    if (!value || (!location && !parameter)) continue;
    values.push({
      ...(location && { location }),
      ...(parameter && { parameter: parameter.offset }),
      value: expressionOf(die.unit, value, frame),
    });
  }
  let entries: readonly bigint[] | undefined;
  return {
    returnAddress: entities.address(returnPc),
    tailCall: die.flag(AT.call_tail_call) || die.flag(AT.GNU_tail_call),
    ...(origin && { callee: entities.function(origin) }),
    get calleeEntries() {
      return (entries ??= origin ? entriesOf(entities, origin) : []);
    },
    ...(target && { target: expressionOf(die.unit, target, frame) }),
    values,
  };
}

/** Entries of a called function: its own code, that of the instances of an abstract one, or the symbol's where it is only declared here. */
function entriesOf(entities: Entities, origin: Die): bigint[] {
  const own = entities.function(origin);
  if (own.entry !== undefined) return [own.entry];
  const around = entities.core.functionsAround(origin.unit);
  const instances = origin
    .origins()
    .flatMap(({ offset }) => around.flatMap(({ unit, instances: all }) => (all.get(offset) ?? []).map((index) => new Die(unit, index))));
  if (instances.length > 0) return instances.flatMap((die) => entities.function(die).entry ?? []);
  return entities.core.symbols.named(own.linkageName).flatMap(({ kind, address }) => (kind === 'tls' ? [] : [entities.address(address)]));
}
