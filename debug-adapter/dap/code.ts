/** Requests on memory, instructions, modules and sources. */
import { type DebugProtocol } from '@vscode/debugprotocol';
import { type DisassembledInstruction } from '../control/api';
import { type Adapter } from './adapter';
import { protocolErrors } from './errors';
import { formatAddress, parseAddress } from './format';
import { type Handlers } from './handler';

/** One answer's limit; clients page through more. */
const mostBytes = 1 << 20;
const pageBytes = 4096n;

export const codeHandlers: Pick<
  Handlers,
  'readMemory' | 'writeMemory' | 'disassemble' | 'modules' | 'loadedSources' | 'source' | 'locations'
> = {
  readMemory: async (adapter, { memoryReference, offset, count }) => {
    const address = parseAddress(memoryReference, offset);
    const wanted = Math.min(count, mostBytes);
    const bytes = await adapter.debugger.readMemory(address, wanted);
    const hole = bytes.length < wanted ? await unmappedBytes(adapter, address + BigInt(bytes.length), wanted - bytes.length) : 0;
    return { address: formatAddress(address), data: encodeBase64(bytes), ...(hole === 0 ? {} : { unreadableBytes: hole }) };
  },

  writeMemory: async (adapter, { memoryReference, offset, data, allowPartial }) => {
    const address = parseAddress(memoryReference, offset);
    const bytes = decodeBase64(data);
    if (allowPartial !== true) {
      const readable = await adapter.debugger.readMemory(address, bytes.length);
      if (readable.length < bytes.length)
        throw protocolErrors.badArguments(
          'writeMemory',
          `only ${readable.length} of ${bytes.length} bytes at ${formatAddress(address)} are mapped`,
        );
    }
    const bytesWritten = await adapter.debugger.writeMemory(address, bytes);
    return { bytesWritten };
  },

  disassemble: async (adapter, { memoryReference, offset, instructionOffset = 0, instructionCount, resolveSymbols }) => {
    const list = await adapter.debugger.disassemble(parseAddress(memoryReference, offset), instructionOffset, instructionCount);
    return { instructions: list.map((each) => instruction(adapter, each, resolveSymbols ?? false)) };
  },

  modules: async (adapter, args) => {
    const list = await adapter.debugger.modules();
    const start = args?.startModule ?? 0;
    const wanted = list.slice(start, args?.moduleCount === undefined || args.moduleCount === 0 ? undefined : start + args.moduleCount);
    return {
      totalModules: list.length,
      modules: wanted.map(({ id, name, path, range, size, sections, symbolStatus }) => ({
        id,
        name,
        symbolStatus,
        ...(path === undefined ? {} : { path }),
        ...(range === undefined ? {} : { addressRange: `${formatAddress(range.low)}-${formatAddress(range.high)}` }),
        ...(size === undefined ? {} : { size }),
        ...(sections === undefined ? {} : { section: sections.join(' ') }),
      })),
    };
  },

  loadedSources: async (adapter) => ({
    sources: (await adapter.debugger.loadedSources()).map(({ path, md5 }) => ({
      ...adapter.source(path),
      ...(md5 === undefined ? {} : { checksums: [{ algorithm: 'MD5', checksum: md5 }] }),
    })),
  }),

  source: async (adapter, { source }) => {
    const path = source?.path;
    if (path === undefined) throw protocolErrors.badArguments('source', 'name the source by its path');
    // Only what the image was built from is handed out.
    const known = (await adapter.debugger.loadedSources()).some((each) => each.path === path);
    if (!known) throw protocolErrors.noSource(path, 'it is not part of the image');
    try {
      return { content: new TextDecoder().decode(await adapter.host.readFile(path)), mimeType: 'text/plain' };
    } catch {
      throw protocolErrors.noSource(path, 'the file cannot be read; if the sources moved, map their path under "sourceMap"');
    }
  },

  locations: (adapter, { locationReference }) => {
    const place = adapter.locations.get(locationReference);
    if (place === undefined) return Promise.reject(protocolErrors.unknownLocation(locationReference));
    return Promise.resolve({
      source: adapter.source(place.path),
      line: adapter.lineToClient(place.line),
      ...(place.column > 0 ? { column: adapter.columnToClient(place.column) } : {}),
    });
  },
};

function instruction(adapter: Adapter, each: DisassembledInstruction, withSymbols: boolean): DebugProtocol.DisassembledInstruction {
  const { location } = each;
  return {
    address: formatAddress(each.address),
    instruction: each.text,
    instructionBytes: [...each.bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    ...(withSymbols && each.symbol !== undefined ? { symbol: each.symbol } : {}),
    ...(location === undefined ? {} : { location: adapter.source(location.path), line: adapter.lineToClient(location.line) }),
    ...(each.valid ? {} : { presentationHint: 'invalid' as const }),
  };
}

/** Bytes from an unmapped address to the next mapped page, at most `most`. */
async function unmappedBytes(adapter: Adapter, address: bigint, most: number): Promise<number> {
  for (let at = (address / pageBytes + 1n) * pageBytes; at < address + BigInt(most); at += pageBytes)
    if ((await adapter.debugger.readMemory(BigInt.asUintN(64, at), 1)).length > 0) return Number(at - address);
  return most;
}

function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}

function decodeBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw protocolErrors.badArguments('writeMemory', 'the data is not base64');
  }
}
