/** Answers the general queries and sets (GDB manual, appendix E.4): features, descriptions, threads, offsets. */
import { packetSize, Reply, splitAt } from './commands';
import { type Debuggee } from './debuggee';
import { asciiBytes, escapeBinary, fromHex, parseCount, toHex } from './packet';
import { type MonitorHost, runMonitor } from './monitor';
import { parseThread } from './threads';

/**
 * Linear memory: gdb takes what is not listed for absent, and where the guest maps memory is its own affair, at any time. Two halves, since a length of
 * 2^64 does not fit its number.
 */
const memoryMap = `<?xml version="1.0"?>
<!DOCTYPE memory-map PUBLIC "+//IDN gnu.org//DTD GDB Memory Map V1.0//EN" "http://sourceware.org/gdb/gdb-memory-map.dtd">
<memory-map>
<memory type="ram" start="0x0" length="0x8000000000000000"/>
<memory type="ram" start="0x8000000000000000" length="0x8000000000000000"/>
</memory-map>
`;

const features = [
  `PacketSize=${packetSize.toString(16)}`,
  'QStartNoAckMode+',
  'qXfer:features:read+',
  'qXfer:memory-map:read+',
  'qXfer:threads:read+',
  'swbreak+',
  'hwbreak+',
  'vContSupported+',
  'ReverseStep+',
  'ReverseContinue+',
];

/** Answers a `q` or `Q` packet; empty for one that is not known, as the protocol wants it. */
export function answerQuery(host: MonitorHost, text: string): string | Uint8Array {
  const [name] = text.split(/[:,;]/, 1);
  const rest = text.slice(name!.length + 1);
  switch (name) {
    case 'qSupported':
      return features.join(';');
    case 'qXfer':
      return transfer(host.debuggee, rest);
    case 'qC':
      return `QC${host.debuggee.threads.current.toString(16)}`;
    case 'qfThreadInfo':
      return `m${host.debuggee.threads
        .list()
        .map(({ id }) => id.toString(16))
        .join(',')}`;
    case 'qsThreadInfo':
      return 'l';
    case 'qThreadExtraInfo':
      return extraInfo(host.debuggee, rest);
    // An attached program is let go when gdb quits, a created one killed.
    case 'qAttached':
      return '1';
    // Images run where they are linked.
    case 'qOffsets':
      return 'Text=0;Data=0;Bss=0';
    // gdb offers to look symbols up; none are needed.
    case 'qSymbol':
      return Reply.ok;
    case 'qRcmd': {
      const line = fromHex(rest);
      if (line === undefined) return Reply.malformed;
      const answer = runMonitor(host, new TextDecoder().decode(line));
      return answer === '' ? Reply.ok : toHex(new TextEncoder().encode(answer));
    }
    default:
      return Reply.unsupported;
  }
}

/** What gdb shows beside a thread's number. */
function extraInfo({ threads }: Debuggee, text: string): string {
  const id = parseThread(text);
  const thread = threads.list().find((each) => each.id === (typeof id === 'number' ? id : threads.current));
  if (id === undefined || thread === undefined) return Reply.refused;
  return toHex(new TextEncoder().encode(thread.state === 'running' ? thread.name : `${thread.name} (${thread.state})`));
}

/** `object:read:annex:offset,length`. */
function transfer(debuggee: Debuggee, text: string): string | Uint8Array {
  const [object, operation, annex, window = ''] = text.split(':');
  if (operation !== 'read') return Reply.unsupported;
  const document =
    object === 'features' && annex === 'target.xml'
      ? debuggee.registers.description()
      : object === 'memory-map' && annex === ''
        ? memoryMap
        : object === 'threads' && annex === ''
          ? debuggee.threads.document()
          : undefined;
  if (document === undefined) return ['features', 'memory-map', 'threads'].includes(object ?? '') ? 'E00' : Reply.unsupported;
  const [first, second] = splitAt(window, ',');
  const offset = parseCount(first);
  const length = parseCount(second);
  if (offset === undefined || length === undefined) return Reply.malformed;
  // Half, so that a part of which every byte is escaped still fits.
  const part = asciiBytes(document).subarray(offset, offset + Math.min(length, packetSize / 2));
  const last = offset + part.length >= document.length;
  return Uint8Array.of((last ? 'l' : 'm').charCodeAt(0), ...escapeBinary(part));
}
