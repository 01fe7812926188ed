/** Explains a page fault: who touched what, what is mapped there and around it, and why the processor refused. */
import { type GuestModel } from '../guest';
import { describeRights, mappedRanges, sizeText, walkTables } from '../page-tables';
import { hex } from '../registers';
import { type Target } from '../target';
import { walkStack } from '../unwind';

/** Error code bits (SDM vol. 3A, 4.7). */
const Code = { present: 1, write: 2, reserved: 8, fetch: 16 } as const;
/** Accesses this near to 0 go through a null pointer. */
const nullBytes = 0x1000n;
/** This far below a stack's end is still that stack's. */
const stackReach = 0x10000n;

/** The details of a page fault that is about to be delivered; the first line is the whole in one sentence. */
export function explainPageFault(target: Target, guest: GuestModel | undefined, errorCode: number): string {
  const address = target.register('cr2');
  // Without NX in use the error code does not tell fetches from reads.
  const fetched = (errorCode & Code.fetch) !== 0 || ((errorCode & Code.write) === 0 && address === target.pc);
  const access = fetched ? 'An instruction fetch' : (errorCode & Code.write) !== 0 ? 'A write' : 'A read';
  const lines = [`${access} of ${named(target, address)} faulted: ${reason(target, address, errorCode)}.`];
  const thread = guest?.infos().find(({ id }) => id === guest.currentId());
  // After a jump to nowhere it is the caller who is to blame.
  const from = fetched && target.symbolsAt(target.pc) === undefined ? (walkStack(target, 2)[1]?.lookup ?? target.pc) : target.pc;
  lines.push(`By ${target.describe(from)} at ${hex(from)}${thread === undefined ? '' : `, thread ${thread.name}`}.`);
  lines.push(...guesses(target, guest, address, fetched), mappingAround(target, address));
  return lines.filter((line) => line !== '').join('\n');
}

function named(target: Target, address: bigint): string {
  const name = target.describe(address);
  return name.startsWith('0x') ? hex(address) : `${name} (${hex(address)})`;
}

function reason(target: Target, address: bigint, errorCode: number): string {
  const mapping = target.machine.cpu.translate(address);
  if ((errorCode & Code.present) === 0) {
    const walk = walkTables(target, address);
    const last = walk[walk.length - 1];
    return last === undefined || last.present ? 'no page is mapped there' : `no page is mapped there (its ${last.level} is not present)`;
  }
  if ((errorCode & Code.reserved) !== 0) return 'a reserved bit is set in its page table entry';
  if (mapping?.writable === false && (errorCode & Code.write) !== 0) return 'the page is read-only';
  if (mapping?.executable === false && (errorCode & Code.fetch) !== 0) return 'the page is not executable';
  return 'the page does not allow it';
}

/** What the address most likely is. */
function guesses(target: Target, guest: GuestModel | undefined, address: bigint, fetched: boolean): string[] {
  if (address < nullBytes)
    return [
      fetched
        ? 'A call or jump through a null pointer.'
        : `A null pointer was used${address === 0n ? '' : `, for what lies ${address} bytes into an object or array`}.`,
    ];
  const overflown = guest?.list().threads.find(({ stack }) => stack !== 0n && address < stack && stack - address <= stackReach);
  if (overflown !== undefined)
    return [`That is ${overflown.stack - address} bytes below the stack of thread ${overflown.name}: it overflowed.`];
  if (address >> 47n !== 0n && address >> 47n !== 0x1ffffn) return ['The address is not canonical.'];
  const section = target.symbolsAt(address)?.sectionAt(address);
  return section === undefined ? [] : [`It lies in section ${section} of the image.`];
}

/** The mapping that holds the address, or its neighbours. */
function mappingAround(target: Target, address: bigint): string {
  const { ranges } = mappedRanges(target);
  const text = ({ linear, size, ...rights }: (typeof ranges)[number]): string =>
    `${hex(linear)}-${hex(linear + size)} (${sizeText(size)}, ${describeRights(rights)})`;
  const holding = ranges.find(({ linear, size }) => address >= linear && address < linear + size);
  if (holding !== undefined) return `Its mapping: ${text(holding)}.`;
  const below = ranges.filter(({ linear, size }) => linear + size <= address).pop();
  const above = ranges.find(({ linear }) => linear > address);
  return [
    ...(below === undefined ? [] : [`The mapping below: ${text(below)}.`]),
    ...(above === undefined ? [] : [`The mapping above: ${text(above)}.`]),
  ].join(' ');
}
