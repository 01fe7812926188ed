/** Compares what the debugger shows of a stopped machine with what gdb sees of the same one: lines, functions, frames, arguments and locals. */
import { localVariables, variableValue } from '../../../debug-adapter/control/expr/names';
import { completed, fieldsOf, isReference, memberValue, structureOf } from '../../../debug-adapter/control/expr/members';
import { rowOf } from '../../../debug-adapter/control/expr/rows';
import { part, type Value } from '../../../debug-adapter/control/expr/value';
import { type Target } from '../../../debug-adapter/control/target';
import { evaluationContext, type StackFrame } from '../../../debug-adapter/control/unwind';
import { type ValueNode } from '../../../debug-adapter/control/value-node';
import { stripType, type Type, type Variable } from '../../../debug-adapter/symbols/api';
import { type Leaf, leafLimits, type PeerFrame, type PeerStop } from './gdb-peer';

/** A difference, with what kind it is for counting and for the list of those that are explained. */
export interface Difference {
  readonly kind: 'frames' | 'function' | 'pc' | 'line' | 'frame kind' | 'variables' | 'value';
  readonly text: string;
}

export interface StopResult {
  readonly frames: number;
  readonly values: number;
  readonly gone: number;
  readonly differences: readonly Difference[];
  /** Differences in which gdb is the one that is wrong or has less to tell, by their explanation. */
  readonly explained: readonly string[];
}

/** Where gdb and we differ rightly. */
export const explanations = {
  outermost: 'gdb shows the zero or garbage above the outermost function as one more frame',
  resolved: 'gdb does not follow a call site to a function that was also inlined: it finds no tail call or entry value where we do',
  entryOfInlined:
    'gdb computes what a call site passed in the function around an inlined one instead of in the caller, whose frame base it needs',
  notEntered: 'gdb lists a variable of a block that is not entered here, as optimised out or with the value of one that is static',
  inherited: 'a variable of a block that was optimised away whole is listed by one side only, as optimised out',
  taggedInRegisters: 'gdb reads the tag of a union that does not lie in memory from address 0',
  undescribed: 'gdb reads a part that no piece of the location describes, or whose place is told by the object in memory, as something',
  beyondRegister: 'gdb takes the registers with the next numbers for what does not fit into the one that DWARF names',
  unconstructed: 'gdb shows nothing of an object, one of whose virtual bases cannot be reached',
  sizeless: 'gdb wants a place for a value that has no size',
  longFile: 'gdb keeps the line of a call that was inlined in 16 bits (m_line of its symbols)',
  unsized: 'gdb shows elements of an array whose length is optimised away',
  flags: 'gdb takes the flags that inline assembly pushed for a return address',
  innermost: 'gdb shows one frame of a function that left by a tail call, with the name of the innermost that was inlined there',
  inner: 'gdb takes a caller whose stack lies at lower addresses, as an application and a kernel may have them, for damage, and ends',
  notCode: 'gdb goes on from a return address at which no code is',
  switching: 'gdb does not unwind assembly that moves the stack pointer to another stack, or guesses through what lies there',
} as const;

/** Frames through which one value was handed on, at the most that were seen. */
const longestChain = 5;

const base = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** A function's name without what the two sides spell differently: parameters, template arguments, suffixes of clones, hashes of Rust's manglings, offsets. */
export function plainName(name: string): string {
  let plain = name
    .replace(/\+0x[0-9a-f]+$/, '')
    .replace(/::h[0-9a-f]{16}$/, '')
    .replace(/\[[0-9a-f]{16}\]/g, '')
    .replace(/\.(part|isra|constprop|cold|lto_priv)(\.\d+)?/g, '');
  for (let before = ''; before !== plain;) {
    before = plain;
    plain = plain
      .replace(/<[^<>]*>/g, '')
      .replace(/\[abi:\w+\]/g, '')
      .replace(/\([^()]*\)( const)?/g, '');
  }
  return plain;
}

/** Compares one stop. `frames` are ours without labels of boundaries. */
export function compareStop(target: Target, shown: readonly StackFrame[], peer: PeerStop): StopResult {
  const differences: Difference[] = [];
  const explained: string[] = [];
  const theirFrames = withoutFlags(shown, peer.frames, explained);
  if (isSwitching(shown[0])) return { frames: 1, values: 0, gone: 0, differences, explained: [explanations.switching] };
  const frames = aligned(shown, theirFrames, explained);
  let values = 0;
  let gone = 0;
  const say = (kind: Difference['kind'], text: string): void => void differences.push({ kind, text });
  const beyond = theirFrames.slice(frames.length);
  if (beyond.length > 0 && beyond.every(({ name }) => name === null)) explained.push(explanations.outermost);
  else if (beyond.length > 0 && (beyond[0]!.name === null || !isCode(target, BigInt(beyond[0]!.pc)))) explained.push(explanations.notCode);
  else if (peer.end.startsWith('previous frame inner') && isInner(frames, theirFrames.length)) explained.push(explanations.inner);
  else if (frames.length !== theirFrames.length) {
    const names = (list: readonly { readonly name: string | null }[]): string => list.map(({ name }) => name ?? '??').join(' < ');
    say('frames', `ours ${frames.length}: ${names(frames)}\n      gdb ${theirFrames.length}: ${names(theirFrames)} (${peer.end})`);
  }
  const count = Math.min(frames.length, theirFrames.length);
  for (let i = 0; i < count; i++) {
    const frame = frames[i]!;
    const theirs = theirFrames[i]!;
    const where = `#${i} ${theirs.name ?? '??'}`;
    if (`0x${frame.pc.toString(16)}` !== theirs.pc) {
      say('pc', `${where}: ours 0x${frame.pc.toString(16)} (${frame.origin}), gdb ${theirs.pc}`);
      return { frames: count, values, gone, differences, explained };
    }
    compareNames(frame, theirs, where, say);
    const line = frame.symbolic?.position ?? frame.symbols?.lineAt(frame.lookup);
    const ours = line === undefined || line.line === 0 ? ':0' : `${base(line.file.path)}:${line.line}`;
    const expected = theirs.line === 0 ? ':0' : `${base(theirs.file)}:${theirs.line}`;
    const isCut = frames[i - 1]?.origin === 'inlined' && line !== undefined && line.line > 0xffff && theirs.line === (line.line & 0xffff);
    if (isCut && base(line.file.path) === base(theirs.file)) explained.push(explanations.longFile);
    else if (ours !== expected) say('line', `${where} at ${theirs.pc}: ours ${ours}, gdb ${expected}`);
    if (frame.origin === 'inlined' && theirs.kind === 'tail-call' && frame.physical?.origin === 'tail-call')
      explained.push(explanations.innermost);
    else if ((frame.origin === 'inlined') !== (theirs.kind === 'inlined'))
      say('frame kind', `${where}: ours ${frame.origin}, gdb ${theirs.kind}`);
    // Values on entry that are the caller's own on entry again are computed further up, where the chain of them ends.
    const inlined = theirFrames.slice(i, i + longestChain).some(({ kind }) => kind === 'inlined');
    const result = compareVariables(target, frame, theirs.variables, inlined, where, say, explained);
    values += result.values;
    gone += result.gone;
  }
  return { frames: count, values, gone, differences, explained };
}

/** Our frames without those of tail calls that gdb does not find. */
function aligned(frames: readonly StackFrame[], theirs: readonly PeerFrame[], explained: string[]): readonly StackFrame[] {
  const kept: StackFrame[] = [];
  for (const frame of frames) {
    const same = theirs[kept.length]?.pc === `0x${frame.pc.toString(16)}`;
    if (!same && frame.physical?.origin === 'tail-call') explained.push(explanations.resolved);
    else kept.push(frame);
  }
  return kept;
}

const isCode = (target: Target, address: bigint): boolean => target.symbolsAt(address)?.isCode(address) === true;

/** Whether the stack of the frame at an index, where gdb ended before it, lies below that of the frames which the last that gdb has was called from. */
function isInner(frames: readonly StackFrame[], index: number): boolean {
  const last = frames[index - 1]?.cfa;
  const before = frames[index - 2]?.cfa;
  return index < frames.length && last !== undefined && before !== undefined && last < before;
}

/** gdb's frames without one that is the flags, which lie where the compiler says that the return address does. */
function withoutFlags(frames: readonly StackFrame[], theirs: readonly PeerFrame[], explained: string[]): readonly PeerFrame[] {
  const isOurs = (pc: string | undefined): boolean => frames.some((frame) => `0x${frame.pc.toString(16)}` === pc);
  const index = theirs.findIndex(({ name, pc }, i) => i > 0 && name === null && areFlags(BigInt(pc)) && isOurs(theirs[i + 1]?.pc));
  if (index < 0) return theirs;
  explained.push(explanations.flags);
  return theirs.filter((_, i) => i !== index);
}

/** Bit 1 is always set; bits 3, 5, 15 and those from 22 on never are (SDM vol. 1, 3.4.3). */
const areFlags = (value: bigint): boolean => (value & 2n) !== 0n && (value & ~0x3f_7fd7n) === 0n;

/** Unikraft's assembly that goes over to another stack, in which no rules tell where the return address is. */
const isSwitching = (frame: StackFrame | undefined): boolean =>
  frame?.symbolic === undefined && /^ukarch_(ctx_switch|execenv_load)\b/.test(frame?.name ?? '');

type Say = (kind: Difference['kind'], text: string) => void;

function compareNames(frame: StackFrame, theirs: PeerFrame, where: string, say: Say): void {
  const expected = plainName(theirs.name ?? '');
  const candidates = [frame.name, frame.symbolic?.function.qualifiedName ?? '', frame.symbolic?.function.linkageName ?? ''].map(plainName);
  if (candidates.includes(expected)) return;
  // An inheriting constructor has the name of the class that inherits in DWARF, and of the inherited one in its symbol.
  if (/CI[12]/.test(frame.symbolic?.function.linkageName ?? '')) return;
  // Of several symbols for one address any will do.
  const symbol = frame.symbols?.symbolAt(frame.lookup);
  if (frame.symbolic === undefined && symbol !== undefined && theirs.name !== null)
    if (frame.symbols?.symbolsNamed(theirs.name).some(({ address }) => address === symbol.address) === true) return;
  say('function', `${where} at ${theirs.pc}: ours ${frame.name}`);
}

function compareVariables(
  target: Target,
  frame: StackFrame,
  theirs: PeerFrame['variables'],
  inlined: boolean,
  where: string,
  say: Say,
  explained: string[],
): { values: number; gone: number } {
  const seen = new Set<string>();
  const all = localVariables(frame);
  // A declaration of something external in a block is none of its variables to gdb.
  const ours = all.filter(
    (each) => each.name !== '' && each.kind !== 'global' && !seen.has(each.name) && seen.add(each.name) !== undefined,
  );
  const names = (list: readonly { readonly name: string }[]): string => [...new Set(list.map(({ name }) => name))].sort().join(' ');
  const isNothing = (text: string): boolean => text === '<gone>' || isNowhere(text) || (inlined && text === '0');
  // A static variable of a block has its value wherever the guest is; compilers number their symbols.
  const isStatic = (name: string): boolean => frame.symbols?.searchSymbols(new RegExp(`^${name}\\.\\d+$`), 1).length === 1;
  const shown = theirs.filter(
    ({ name, leaves }) =>
      seen.has(name) || !(leaves.every(([, text]) => isNothing(text)) || isStatic(name) || all.some((each) => each.name === name)),
  );
  if (shown.length < theirs.length) explained.push(explanations.notEntered);
  const listed = ours.filter((each) => {
    if (theirs.some(({ name }) => name === each.name)) return true;
    const isGone = leavesOf(target, frame, variableValue({ target, frame }, each, frame.symbols!)).every(([, text]) => text === '<gone>');
    if (isGone && inlined) explained.push(explanations.inherited);
    return !(isGone && inlined);
  });
  if (names(listed) !== names(shown)) say('variables', `${where}: ours [${names(listed)}], gdb [${names(theirs)}]`);
  let values = 0;
  let gone = 0;
  for (const variable of theirs) {
    const own = ours.find(({ name }) => name === variable.name);
    if (own === undefined) continue;
    const value = variableValue({ target, frame }, own, frame.symbols!);
    const leaves = leavesOf(target, frame, value);
    values++;
    if (variable.leaves.every(([, text]) => text === '<gone>')) gone++;
    const difference = firstDifference(leaves, variable.leaves);
    if (difference === undefined) continue;
    if (value.type.byteSize === 0 && variable.leaves.every(([, text]) => text === '<gone>')) {
      explained.push(explanations.sizeless);
      continue;
    }
    const [only] = variable.leaves;
    // One virtual base that cannot be reached is all that it says of an object that is not constructed yet.
    const unreachable = leaves.some(([, text]) => text === '<memory>' || text.startsWith('<Where '));
    if (variable.leaves.length === 1 && only![1] === '<memory>' && leaves.length > 1 && unreachable) {
      explained.push(explanations.unconstructed);
      continue;
    }
    if (value.location.kind === 'register' && leaves.length === variable.leaves.length) {
      if (leaves.every(([, text], i) => text === '<gone>' || text === normalised(variable.leaves[i]![1]))) {
        explained.push(explanations.beyondRegister);
        continue;
      }
    }
    if (value.location.kind !== 'memory') {
      if (variable.leaves.length === 1 && isNowhere(only![1])) {
        explained.push(explanations.taggedInRegisters);
        continue;
      }
      const isUndescribed = (text: string): boolean => ['0', '0x0', '<synthetic pointer>', '<memory>'].includes(text);
      // Where a virtual base lies is told by a pointer that is gone: gdb then looks anywhere.
      if (variable.leaves.length === 1 && only![1] === '<memory>' && leaves.every(([, text]) => text === '<gone>')) {
        explained.push(explanations.undescribed);
        continue;
      }
      if (leaves.length === variable.leaves.length) {
        const theirText = (i: number): string => normalised(variable.leaves[i]![1]);
        if (leaves.every(([, text], i) => text === theirText(i) || (text === '<gone>' && isUndescribed(theirText(i))))) {
          explained.push(explanations.undescribed);
          continue;
        }
      }
    }
    if (leaves.length === 0 && isUnsized(own.type, value.type)) {
      explained.push(explanations.unsized);
      continue;
    }
    const onEntry = isEntryValue(target, frame, own);
    if (onEntry && variable.leaves.every(([, text]) => text === '<gone>')) explained.push(explanations.resolved);
    else if (onEntry && inlined) explained.push(explanations.entryOfInlined);
    else say('value', `${where} at 0x${frame.pc.toString(16)} ${variable.name}${difference}`);
  }
  return { values, gone };
}

/** Compares what a function returned with what gdb's `finish` says of it. */
export function compareReturned(
  target: Target,
  frame: StackFrame,
  name: string,
  ours: Value | undefined,
  theirs: { readonly leaves: readonly Leaf[]; readonly text: string },
): Difference[] {
  const leaves = ours === undefined ? [] : leavesOf(target, frame, ours);
  const difference = firstDifference(leaves, theirs.leaves);
  return difference === undefined ? [] : [{ kind: 'value', text: `${name} returned${difference}\n      ${theirs.text.trim()}` }];
}

const isNowhere = (text: string): boolean => /^<Cannot access memory at address 0x[08]>$/.test(text);

/** Whether a variable's value is computed from what a register held on entry. */
function isEntryValue(target: Target, frame: StackFrame, variable: Variable): boolean {
  let asked = false;
  const entryValue = (): undefined => void (asked = true);
  frame.symbols?.locate(variable, { ...evaluationContext(target, frame), entryValue });
  return asked;
}

/** Whether an array's length is told by something that is gone. */
const isUnsized = (declared: Type, here: Type): boolean => {
  const [bare, sized] = [stripType(declared), stripType(here)];
  return (
    bare.kind === 'array' &&
    sized.kind === 'array' &&
    bare.dimensions.some(({ dynamicCount }) => dynamicCount !== undefined) &&
    sized.dimensions.some(({ count }) => count === undefined)
  );
};

function firstDifference(ours: readonly Leaf[], theirs: readonly Leaf[]): string | undefined {
  // A whole that is gone is one leaf to gdb.
  if (theirs.length === 1 && theirs[0]![1] === '<gone>' && ours.every(([, text]) => text === '<gone>')) return undefined;
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    const own = ours[i];
    const their = theirs[i];
    // gdb cannot take a tagged union apart that does not lie in memory.
    if (their?.[1] === '<in registers>') return undefined;
    // gdb's Python has no number for a pointer to a member.
    // A variable of Go that holds a function is none of gdb's values.
    if (their?.[1] === '?7' || their?.[1] === '?16' || their?.[1] === '<Cannot convert value to long.>') continue;
    // gdb has no word for it.
    if (own?.[1] === 'nullptr') continue;
    if (own === undefined || their === undefined || own[1] !== normalised(their[1]))
      return `${their?.[0] ?? own?.[0] ?? ''}: ours ${own?.[1] ?? 'nothing'}, gdb ${their?.[1] ?? 'nothing'}`;
  }
  return undefined;
}

const complex = /^(\S+) ([+-]) (\S+)i$/;

const normalised = (text: string): string =>
  complex.test(text)
    ? text.replace(complex, (_, real, sign, imaginary) => `c${Number(real)},${Number(imaginary) * (sign === '-' ? -1 : 1)}`)
    : text.startsWith('<Invalid floating')
      ? 'fNaN'
      : text.startsWith('f') && text !== 'false'
        ? `f${Number(text.slice(1).replace('inf', 'Infinity'))}`
        : text;

function leavesOf(target: Target, frame: StackFrame, value: Value): readonly Leaf[] {
  const out: Leaf[] = [];
  const options = { hex: false, raw: true };
  walk(rowOf({ target, frame }, '', value, undefined, options), '', value, 0);
  return out;

  function walk(node: ValueNode, path: string, value: Value, depth: number): void {
    if (out.length >= leafLimits.leaves) return;
    const bare = completed(target, value.type);
    if (isReference(bare)) {
      out.push([path, node.memory === undefined ? leafText(node.text, bare) : `0x${node.memory.toString(16)}`]);
      return;
    }
    const structure = structureOf(target, bare);
    if (structure !== undefined) {
      if (depth >= leafLimits.depth) return;
      const children = node.children?.() ?? [];
      fieldsOf(target, value, structure).forEach(({ member }, i) => {
        const child = children[i]!;
        // Where its place cannot be computed, the row has no parts and says why.
        if (child.children === undefined && child.text.startsWith('<') && out.length < leafLimits.leaves)
          out.push([`${path}.${child.name}`, leafText(child.text, member.type)]);
        else walk(child, `${path}.${child.name}`, memberValue(target, value, member), depth + 1);
      });
    } else if (bare.kind === 'array') {
      if (depth >= leafLimits.depth) return;
      const count = Number(bare.dimensions[0]?.count ?? 0n);
      const size = count === 0 ? 0 : (bare.byteSize ?? 0) / count;
      const inner: Type = bare.dimensions.length > 1 ? { ...bare, byteSize: size, dimensions: bare.dimensions.slice(1) } : bare.element;
      node.children?.(0, leafLimits.elements).forEach((child, i) => {
        walk(child, path + child.name, part(value, inner, i * size), depth + 1);
      });
    } else out.push([path, leafText(node.text, bare)]);
  }
}

function leafText(text: string, type: Type): string {
  if (/^<(Optimised away|Only something that lies in memory|Register .* (was not saved|is not known))/.test(text)) return '<gone>';
  if (/^<(Memory|Address|Nothing).*(mapped|read)/.test(text)) return '<memory>';
  if (text.startsWith('<')) return text;
  if (text === '()') return '0';
  if (type.kind === 'enum') return /\((-?\d+)\)$/.exec(text)?.[1] ?? text;
  if (type.kind === 'base' && type.encoding === 'complex') return normalised(text);
  if (type.kind === 'base' && type.encoding === 'float') return `f${Number(text)}`;
  return text.split(' ', 1)[0]!;
}
