/** Answers the general queries and sets (GDB manual, appendix E.4): features, descriptions, threads, offsets. */
import { packetSize, Reply, splitAt, isCpuThread } from './commands';
import { type Debuggee } from './debuggee';
import { asciiBytes, escapeBinary, fromHex, parseCount, toHex } from './packet';
import { type MonitorHost, runMonitor } from './monitor';

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
      return 'QC1';
    case 'qfThreadInfo':
      return 'm1';
    case 'qsThreadInfo':
      return 'l';
    case 'qThreadExtraInfo':
      return isCpuThread(rest) ? toHex(asciiBytes('CPU 0')) : Reply.refused;
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

/** `object:read:annex:offset,length`. */
function transfer(debuggee: Debuggee, text: string): string | Uint8Array {
  const [object, operation, annex, window = ''] = text.split(':');
  if (operation !== 'read') return Reply.unsupported;
  const document =
    object === 'features' && annex === 'target.xml'
      ? debuggee.registers.description()
      : object === 'memory-map' && annex === ''
        ? memoryMap
        : undefined;
  if (document === undefined) return object === 'features' || object === 'memory-map' ? 'E00' : Reply.unsupported;
  const [first, second] = splitAt(window, ',');
  const offset = parseCount(first);
  const length = parseCount(second);
  if (offset === undefined || length === undefined) return Reply.malformed;
  // Half, so that a part of which every byte is escaped still fits.
  const part = asciiBytes(document).subarray(offset, offset + Math.min(length, packetSize / 2));
  const last = offset + part.length >= document.length;
  return Uint8Array.of((last ? 'l' : 'm').charCodeAt(0), ...escapeBinary(part));
}
