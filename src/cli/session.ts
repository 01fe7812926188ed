/** `--record` and `--replay`: sessions as files, which the editor opens too, and which repeat a run exactly on any machine. */
import { complete } from '../../debug-adapter/control/history/history';
import {
  decodeSession,
  encodeSession,
  repeatSession,
  type SavedSession,
  type SessionLaunch,
} from '../../debug-adapter/control/history/session-file';
import { type PlainDevice } from '../../debug-adapter/machine/extra-devices';
import { type PcMachine } from '../../debug-adapter/machine/machine';
import { type RunIo } from './io';
import { type Outcome } from './run';
import { type RunOptions } from './run-options';

const failed = 125;

/** Writes what happened to a machine, up to where it stands. */
export function writeSession(path: string, machine: PcMachine, launch: SessionLaunch, io: RunIo): void {
  const end = Number(machine.cpu.retired);
  const { journal } = machine;
  io.writeFile(path, encodeSession({ launch, journal, end, position: end, hash: machine.hash(), state: machine.save() }));
}

export interface Replay {
  /** The run's options with what the session decides. Throws an Error for people where the two contradict each other. */
  settings(options: RunOptions): RunOptions;
  /** Runs the machine to the session's end; `after` is called between slices. Throws a CodedError where the launch is another one. */
  repeat(machine: PcMachine, launch: SessionLaunch, after: () => void): Outcome;
}

/** Reads a session. Throws a CodedError where the file is none. */
export function readSession(path: string, io: RunIo): Replay {
  const session = decodeSession(io.readFile(path));
  return {
    settings: (options) => settingsOf(session, options),
    repeat(machine, launch, after) {
      const same = complete(repeatSession(machine, session, launch, after));
      if (same) return { status: 0, exit: 'replayed', message: `Repeated exactly: ${session.end} instructions.` };
      return {
        status: failed,
        exit: 'diverged',
        message: 'The session went another way than when it was recorded: it was recorded by another version of the emulator.',
      };
    },
  };
}

function settingsOf({ launch }: SavedSession, options: RunOptions): RunOptions {
  const cpu = launch.cpuModel.startsWith('min') ? 'min' : 'default';
  return {
    ...options,
    append: launch.commandLine,
    memory: launch.memory / (1 << 20),
    cpu,
    calibrate: launch.cpuModel.endsWith('calibrated'),
    ...(launch.network ? { net: options.net ?? 'user' } : {}),
    devices: launch.devices as readonly PlainDevice[],
  };
}
