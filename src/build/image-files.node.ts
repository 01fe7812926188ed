/** The files that a build ends with: the linked executable with its map, and from it the image of each target; and why they could not be written. */

import { writeFileSync } from 'node:fs';
import { multibootImage, stripExecutable } from './image';
import { ElfError, readExecutable } from './link/elf';
import { type LinkedPiece, type LinkResult } from './link/link';
import { type ImageStep, type LinkStep } from './plan';
import { type BuildProblem } from './problems';
import { executableSymbol } from './symbols';

/** An image of one target, with what goes with it. */
export interface BuiltImage {
  readonly target: string;
  readonly image: string;
  readonly symbols: string;
  /** The root file system as a cpio archive. */
  readonly initrd?: string;
}

/** Writes what the linker made, and a map of where it put what, with objects named from the build folder. */
export function writeLinked(step: LinkStep, bytes: Uint8Array, result: LinkResult, directory: string): void {
  writeFileSync(step.output, bytes, { mode: 0o755 });
  const prefix = `${directory}/`;
  const pieces = result
    .pieces()
    .map((p): LinkedPiece => (p.object.startsWith(prefix) ? { ...p, object: p.object.slice(prefix.length) } : p));
  writeFileSync(step.map, JSON.stringify(pieces));
}

/** Writes a target's image and the file with symbols beside it. @throws ElfError where the executable has no entry for the target. */
export function writeImage(step: ImageStep, linked: Uint8Array): void {
  const entry = executableSymbol(linked, readExecutable(linked, step.input), step.entry);
  if (entry === undefined) throw new ElfError(`${step.input} has no symbol ${step.entry}.`);
  const symbols = linked.slice();
  new DataView(symbols.buffer).setBigUint64(24, BigInt(entry), true);
  const stripped = stripExecutable(linked, step.input, entry);
  writeFileSync(step.image, step.protocol === 'multiboot' ? multibootImage(stripped, step.input, entry) : stripped, { mode: 0o755 });
  writeFileSync(step.symbols, symbols);
}

/** A fault of a build. */
export function fault(message: string, path = ''): BuildProblem {
  return { path, line: 1, column: 1, severity: 'error', message, source: 'build' };
}

/** What stopped a build, and what to do. */
export function stopFault(error: Error, directory: string): BuildProblem {
  if (error instanceof ElfError) return fault(error.message);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return fault(`There is no room left to write in ${directory}. Make room, and build again: what is finished is kept.`);
  return fault(`The build stopped: ${error.message}`);
}
