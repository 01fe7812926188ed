/** Requests that begin and end a session. */
import { type LaunchOptions } from '../control/api';
import { CodedError } from '../control/channel';
import { type Disk, parseDisk } from '../machine/extra-devices';
import { type Adapter } from './adapter';
import { capabilities } from './capabilities';
import { clientFeatures } from './client-features';
import { ProtocolError, protocolErrors } from './errors';
import { type Handlers } from './handler';
import { type LaunchArguments, parseLaunchArguments } from './launch-arguments';
import { findProgramSymbols, mostPrograms, readSupplement } from './program-symbols';

export const lifecycleHandlers: Pick<
  Handlers,
  'initialize' | 'launch' | 'attach' | 'configurationDone' | 'restart' | 'disconnect' | 'terminate' | 'cancel'
> = {
  initialize: async (adapter, args) => {
    adapter.client = clientFeatures(args);
    return Promise.resolve(capabilities());
  },

  launch: async (adapter, args) => {
    if (adapter.launched !== undefined) throw protocolErrors.alreadyLaunched();
    await launch(adapter, parseLaunchArguments(args));
    // Only now can breakpoints be resolved; the client sends them and then configurationDone.
    adapter.send('initialized', {});
  },

  attach: async (adapter, args) => {
    if (adapter.launched !== undefined) throw protocolErrors.alreadyLaunched();
    if ('session' in args) await launch(adapter, parseLaunchArguments(args));
    else if (adapter.owner === undefined || !adapter.borrow(adapter.owner)) throw protocolErrors.noSession();
    adapter.send('initialized', {});
  },

  configurationDone: async (adapter) => {
    const { session, borrows } = adapter;
    if (borrows) return adapter.debugger.report();
    if (session === undefined) return adapter.debugger.start();
    await adapter.debugger.openSession(session);
  },

  restart: async (adapter, args) => {
    const again = args?.arguments as (Parameters<typeof parseLaunchArguments>[0] & { readonly image?: unknown }) | undefined;
    const launched = again?.image === undefined ? adapter.launched : parseLaunchArguments(again);
    if (launched === undefined) throw protocolErrors.notLaunched();
    await launch(adapter, launched);
    adapter.send('initialized', {});
  },

  disconnect: async (adapter, args) => {
    if (adapter.borrows) {
      if (args?.terminateDebuggee === true) return end(adapter);
      await adapter.debugger.detach(args?.suspendDebuggee !== true);
    }
    await adapter.stopWorker();
  },

  terminate: async (adapter) => {
    await end(adapter);
    adapter.send('terminated', {});
  },

  cancel: () => Promise.resolve(),
};

/** Ends the machine, whoever's it is. */
async function end(adapter: Adapter): Promise<void> {
  const { borrows, owner } = adapter;
  if (adapter.launched !== undefined) await adapter.debugger.terminate();
  await adapter.stopWorker();
  if (borrows) await owner?.stopWorker();
}

export async function launch(adapter: Adapter, args: LaunchArguments): Promise<void> {
  const begun = adapter.beginLaunch();
  const loaded = adapter.progress.begin(`Loading ${args.image.slice(args.image.lastIndexOf('/') + 1)}`, () => void adapter.stopWorker());
  try {
    await load(adapter, args, begun);
  } finally {
    loaded();
  }
}

async function load(adapter: Adapter, args: LaunchArguments, begun: ReturnType<Adapter['beginLaunch']>): Promise<void> {
  const image = await read(adapter, 'image', args.image);
  const symbols = await readSymbols(adapter, args, image);
  const initrd = args.initrd === undefined ? undefined : await read(adapter, 'initrd', args.initrd);
  const disks = await Promise.all(args.disks.map((text) => readDisk(adapter, text)));
  const { symbols: programSymbols, leftOut } =
    initrd === undefined
      ? { symbols: [], leftOut: 0 }
      : await findProgramSymbols(adapter.host, initrd, {
          folders: [args.initrd!, args.image].map(folderOf),
          debugFolders: debugFoldersOf(adapter, args),
        });
  const session = args.session === undefined ? undefined : await read(adapter, 'session', args.session);
  const remote = await adapter.startWorker(args, begun);
  adapter.session = session;
  try {
    const { warnings } = await remote.launch({
      imageName: args.image,
      image,
      ...(symbols === undefined ? {} : { symbols }),
      ...(initrd === undefined ? {} : { initrd, initrdName: args.initrd! }),
      programSymbols,
      commandLine: args.cmdline,
      ...(args.net === undefined ? {} : { network: args.net }),
      disks,
      devices: args.devices,
      memory: args.memory * 1024 * 1024,
      cpuModel: args.cpu,
      clock: args.clock,
      stopOnEntry: args.stopOnEntry && !args.noDebug,
      stopAtEnd: args.noDebug ? 'never' : args.stopAtEnd,
      historyBytes: args.historyMemory * 1024 * 1024,
      trace: args.trace,
      sourceMap: Object.entries(args.sourceMap).map(([from, to]) => ({ from, to })),
    });
    const tooMany = `The RAM disk holds ${mostPrograms + leftOut} programs: symbols that lie apart were looked for for the first ${mostPrograms} only.`;
    for (const warning of leftOut === 0 ? warnings : [...warnings, tooMany])
      adapter.send('output', { category: 'important', output: `${warning}\n` });
  } catch (error) {
    if (!begun.overtaken()) await adapter.stopWorker();
    throw error instanceof CodedError ? protocolErrors.bootFailed(error.message) : error;
  }
}

/** The `.dbg` beside the image is what upstream's build leaves there; the image itself is stripped. */
async function readSymbols(adapter: Adapter, args: LaunchArguments, image: Uint8Array): Promise<LaunchOptions['symbols']> {
  const sibling = `${args.image}.dbg`;
  const name = args.symbols ?? ((await adapter.host.exists(sibling)) ? sibling : args.image);
  const bytes = name === args.image ? image : await read(adapter, 'symbols', name);
  const supplement = await readSupplement(adapter.host, bytes, [name], debugFoldersOf(adapter, args));
  if (args.symbols === undefined && name === args.image && supplement === undefined) return undefined;
  return { name, bytes, ...(supplement !== undefined && { supplement }) };
}

const debugFoldersOf = (adapter: Adapter, args: LaunchArguments): readonly string[] =>
  args.debugFileDirectories ?? adapter.host.debugFolders;

async function readDisk(adapter: Adapter, text: string): Promise<Disk> {
  const { file, readOnly } = parseDisk(text);
  return { name: file, bytes: await read(adapter, 'disks', file), readOnly };
}

const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/'))) || '.';

async function read(adapter: Adapter, field: string, path: string): Promise<Uint8Array> {
  try {
    return await adapter.host.readFile(path);
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    const code = (error as { readonly code?: string }).code;
    const fault =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EACCES'
          ? 'permission denied'
          : code === 'EISDIR'
            ? 'it is a folder'
            : String(error);
    throw protocolErrors.unreadable(field, path, fault);
  }
}
