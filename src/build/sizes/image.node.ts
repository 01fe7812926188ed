/** Finds what tells of an image's sizes beside it on disk: the file with symbols, our linker's map, an upstream build folder. */

import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { NodeFiles } from '../../shared/files.node';
import { type LinkedPiece } from '../link/link';
import { mapPath } from '../plan';
import { TARGETS } from '../pool-targets';
import { SizeError, sizesOfImage, type SizeSources } from './image';
import { readLibraryIndex } from './libraries';
import { type SizeReport } from './model';

/** Where to look, besides beside the image. */
export interface SizePlaces {
  /** File with symbols; default: IMAGE.dbg, else IMAGE itself. */
  readonly symbols?: string;
  /** Build folder of an upstream build; default: the image's own folder. */
  readonly build?: string;
}

/** Sizes of an image on disk. @throws SizeError, or the error of reading a file. */
export function readImageSizes(image: string, places: SizePlaces = {}): SizeReport {
  const path = resolve(image).replaceAll('\\', '/');
  const symbols = places.symbols ?? (isFile(`${path}.dbg`) ? `${path}.dbg` : path);
  const bytes = readFileSync(symbols);
  const map = readMap(path, symbols);
  const folder = (places.build ?? dirname(path)).replaceAll('\\', '/');
  const libraries = map ? undefined : readLibraryIndex(new NodeFiles(), folder);
  const sources: SizeSources = { ...(map && { map }), ...(libraries && { libraries }) };
  return { ...sizesOfImage(symbols, bytes, sources), name: image };
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** The map of the build that made an image, unless that is older than the image's file. */
function readMap(image: string, symbols: string): readonly LinkedPiece[] | undefined {
  const file = basename(image).replace(/\.dbg$/, '');
  const target = Object.keys(TARGETS).find((t) => file.endsWith(`_${t}`));
  if (target === undefined) return undefined;
  const path = mapPath(dirname(image), file.slice(0, -target.length - 1));
  const [map, made] = [statSync(path, { throwIfNoEntry: false }), statSync(symbols)];
  // The image is made from the linked file right after the map.
  if (!map?.isFile() || map.mtimeMs > made.mtimeMs) return undefined;
  const pieces: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!Array.isArray(pieces) || !pieces.every(isPiece)) throw new SizeError(`${path} is not a link map; build the image again.`);
  return pieces;
}

function isPiece(value: unknown): value is LinkedPiece {
  if (typeof value !== 'object' || value === null) return false;
  const piece: Partial<Record<keyof LinkedPiece, unknown>> = value;
  return (
    [piece.unit, piece.object, piece.section, piece.output].every((v) => typeof v === 'string') &&
    [piece.address, piece.size].every((v) => typeof v === 'number')
  );
}
