/** Symbolic frames at a pc: the function, what is inlined into it there, and the variables in scope. */
import { type Scope, type SourcePosition, type SymbolicFrame } from './api';
import { AT, TAG } from './constants';
import { type Core } from './core';
import { type Die } from './die';
import { type Entities } from './entities';
import { declaredIn, entryOf } from './functions';
import { lineAt } from './lines';
import { rangesOf } from './ranges';

/** DIEs from the concrete function inwards. */
function nestingAt(core: Core, pc: number): Die[] {
  const unit = core.unitMap.find(pc);
  return unit ? core.functions(unit).nesting(pc) : [];
}

function callSite(entities: Entities, die: Die): SourcePosition | undefined {
  return die.has(AT.call_line) ? entities.position(die, AT.call_file, AT.call_line, AT.call_column) : undefined;
}

/** Innermost first. */
export function framesAt(core: Core, entities: Entities, pc: number): SymbolicFrame[] {
  const frames: SymbolicFrame[] = [];
  let position: SourcePosition | undefined = lineAt(core, entities, pc);
  for (const die of nestingAt(core, pc).reverse()) {
    if (die.tag !== TAG.inlined_subroutine && die.tag !== TAG.subprogram) continue;
    const inlined = die.tag === TAG.inlined_subroutine;
    const ranges = rangesOf(die).filter((range) => core.sections.isCode(range.low));
    const origin = inlined ? (die.ref(AT.abstract_origin) ?? die) : die;
    const site = inlined ? callSite(entities, die) : undefined;
    const entry = inlined ? entryOf(die, ranges) : undefined;
    frames.push({
      function: entities.function(origin),
      inlined,
      ranges: ranges.map((range) => entities.range(range)),
      ...(position && { position }),
      ...(site && { callSite: site }),
      ...(entry !== undefined && { entry: entities.address(entry) }),
    });
    position = site;
  }
  return frames;
}

function kindOf(tag: number): Scope['kind'] {
  if (tag === TAG.subprogram) return 'function';
  if (tag === TAG.inlined_subroutine) return 'inlined';
  return tag === TAG.catch_block ? 'catch' : 'block';
}

function isVariable(tag: number): boolean {
  return tag === TAG.variable || tag === TAG.formal_parameter || tag === TAG.constant;
}

/** Scopes of one frame of `framesAt`, innermost first. */
export function scopesAt(core: Core, entities: Entities, pc: number, frameIndex: number): Scope[] {
  const nesting = nestingAt(core, pc);
  const concrete = nesting[0];
  const scopes: Scope[] = [];
  let frame = 0;
  for (const die of nesting.reverse()) {
    const isFunction = die.tag === TAG.inlined_subroutine || die.tag === TAG.subprogram;
    if (frame === frameIndex) {
      scopes.push({
        kind: kindOf(die.tag),
        ranges: rangesOf(die).map((range) => entities.range(range)),
        variables: declaredIn(die, isVariable).map((variable) => entities.variable(variable, concrete)),
      });
    }
    if (isFunction) frame++;
    if (frame > frameIndex) break;
  }
  return scopes;
}
