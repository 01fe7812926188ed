/** What a build remembers of the last one, to do only what has changed: stat results first, hashes of contents where these differ. */

import { createHash } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { CLOCK_STEP } from './stamp.node';
import { type ToolchainMemory } from './toolchain.node';

/** A file as it was when a step used it. */
interface FileRecord {
  size: number;
  mtimeMs: number;
  hash: string;
}

/** A step that was done. */
interface StepRecord {
  /** Hash of what the step does: its arguments. */
  key: string;
  /** Files that it read, in order. */
  inputs: readonly string[];
  /** Hash over their contents. */
  contents: string;
  outputs: readonly string[];
  /** Sizes and times of the outputs: one that a later build broke off at is not this step's any more. */
  made: string;
  /** What the step printed though it went well: warnings. */
  log: string;
}

interface StateFile {
  version: number;
  toolchain?: ToolchainMemory;
  files: Record<string, FileRecord>;
  steps: Record<string, StepRecord>;
}

const VERSION = 4;

/** Hash of a text or of bytes. */
export function hashOf(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('base64').slice(0, 32);
}

/** The memory of one build folder. */
export class BuildState {
  private readonly old: StateFile;
  private readonly steps: Record<string, StepRecord> = {};
  private readonly files: Record<string, FileRecord> = {};
  /** Files that this build has written: their times are no sign of somebody's hand. */
  private readonly own = new Set<string>();
  /** Files looked at in this build: their hash, or undefined where there is none. */
  private readonly seen = new Map<string, string | undefined>();
  toolchain: ToolchainMemory | undefined;
  private dirty = false;

  constructor(private readonly path: string) {
    this.old = load(path);
    this.toolchain = this.old.toolchain;
  }

  /** Hash of a file's content, undefined where it cannot be read. */
  fileHash(path: string): string | undefined {
    if (this.seen.has(path)) return this.seen.get(path);
    let hash: string | undefined;
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isFile()) {
      const known = this.old.files[path];
      if (known?.size === stat.size && known.mtimeMs === stat.mtimeMs) {
        hash = known.hash;
      } else {
        hash = hashOf(readFileSync(path));
        this.dirty = true;
      }
      this.files[path] = { size: stat.size, mtimeMs: stat.mtimeMs, hash };
    }
    this.seen.set(path, hash);
    return hash;
  }

  /** Forgets what is known of a file that this build has written. */
  changed(path: string): void {
    this.own.add(path);
    this.seen.delete(path);
    delete this.old.files[path];
  }

  /** What the step printed, where it need not be done again: same arguments, same inputs, outputs still there. Undefined: do it. */
  upToDate(id: string, key: string): string | undefined {
    const record = this.old.steps[id];
    if (record?.key !== key) return undefined;
    if (madeOf(record.outputs) !== record.made) return undefined;
    if (this.contents(record.inputs) !== record.contents) return undefined;
    this.steps[id] = record;
    return record.log;
  }

  /** Files that the steps of this build read, and those that they wrote. */
  get taken(): { inputs: Set<string>; outputs: Set<string> } {
    const all = Object.values(this.steps);
    return { inputs: new Set(all.flatMap((s) => s.inputs)), outputs: new Set(all.flatMap((s) => s.outputs)) };
  }

  /** Notes that a step was done; `started` is when, as Date.now() has it. An input that was changed after that may have been read before or after. */
  done(id: string, key: string, inputs: readonly string[], outputs: readonly string[], log: string, started: number): void {
    for (const o of outputs) this.changed(o);
    const doubtful = inputs.some((path) => !this.own.has(path) && changedSince(path, started));
    this.steps[id] = { key, inputs, contents: doubtful ? '' : this.contents(inputs), outputs, made: madeOf(outputs), log };
    this.dirty = true;
  }

  private contents(inputs: readonly string[]): string {
    return hashOf(inputs.map((path) => `${path}\0${this.fileHash(path) ?? 'none'}`).join('\0'));
  }

  /** Writes the memory down, whole or not at all. */
  save(): void {
    if (!this.dirty && this.toolchain?.key === this.old.toolchain?.key) return;
    const state: StateFile = {
      version: VERSION,
      ...(this.toolchain && { toolchain: this.toolchain }),
      files: this.files,
      steps: this.steps,
    };
    const temporary = `${this.path}.new`;
    writeFileSync(temporary, JSON.stringify(state));
    renameSync(temporary, this.path);
  }
}

function madeOf(outputs: readonly string[]): string {
  return outputs
    .map((path) => statSync(path, { throwIfNoEntry: false }))
    .map((stat) => (stat ? `${stat.size} ${stat.mtimeMs}` : 'none'))
    .join();
}

/** Whether a file was changed at or after a time, or so shortly before that its own time cannot tell. */
function changedSince(path: string, time: number): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= time - CLOCK_STEP;
}

function load(path: string): StateFile {
  try {
    const state = JSON.parse(readFileSync(path, 'utf8')) as StateFile;
    if (state.version === VERSION && typeof state.files === 'object' && typeof state.steps === 'object') return state;
  } catch {
    // None yet, or cut off: build everything.
  }
  return { version: VERSION, files: {}, steps: {} };
}
