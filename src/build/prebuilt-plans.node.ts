/**
 * Plans that were made together with the prebuilt objects: each is kept with all that was looked at for it, and is the plan of a build where all of that is the
 * same. Such a build needs neither the Kconfig engine nor the reader of makefiles.
 */

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { type FileKind } from '../shared/files';
import { PC_LAYOUT } from './link/layout';
import { type ImageStep, type LinkStep } from './plan';
import { type SeenFiles } from './stamp.node';
import { PREBUILT_BUILD, PREBUILT_POOL, type PrebuiltFolders } from './prebuilt.node';

/** Something that a plan depends on: a file's text as its place in the bytes of all texts, what stands at a path, what a folder holds, what a path leads to. */
export type Look =
  | readonly ['text', path: string, from: number, to: number]
  | readonly ['kind', path: string, kind: FileKind | null]
  | readonly ['list', path: string, names: readonly string[]]
  | readonly ['real', path: string, real: string];

/** A plan as it is kept: numbers are parts of the file of parts. */
export interface KeptParts {
  readonly looks: readonly number[];
  readonly config: number;
  readonly writes: readonly (readonly [path: string, text: number])[];
  readonly link: Omit<LinkStep, 'layout' | 'kind'>;
  readonly images: readonly ImageStep[];
  /** Names of the prebuilt objects, as the link step has their paths. */
  readonly objects: readonly (readonly string[])[];
}

/** All that plans depend on, and for what each was made. */
export interface KeptIndex {
  /** Offset and size of each part, which is a JSON text; plans are large, and a build wants one of many. */
  readonly parts: readonly (readonly [number, number])[];
  readonly looks: readonly Look[];
  readonly plans: readonly KeptQuestion[];
}

/** What a plan answers; `asked` and `plan` are parts. */
export interface KeptQuestion {
  readonly app: string;
  readonly targets: string;
  readonly asked: number;
  readonly plan: number;
}

/** A plan with the folders of this machine. */
export interface KeptPlan {
  /** The complete configuration, in the form of a .config. */
  readonly config: string;
  readonly writes: readonly (readonly [path: string, text: string])[];
  readonly link: LinkStep;
  readonly images: readonly ImageStep[];
  /** Name of the prebuilt object by its path in the plan. */
  readonly objects: ReadonlyMap<string, string>;
}

/** What is to be built. */
export interface PlanQuestion {
  readonly folders: PrebuiltFolders;
  readonly app: string;
  readonly targets: readonly string[] | undefined;
  /** What the user chose, see askedConfiguration(). */
  readonly asked: string;
}

/** File names beside the pack. */
export const KEPT_INDEX = 'plans.json';
export const KEPT_PARTS = 'plans.txt';
export const KEPT_TEXTS = 'texts.txt';

/** Folders that stand for others in a plan as they are, wherever the plan names them: make splits words and has characters of its own. */
const PLAIN_FOLDER = /^[A-Za-z0-9_./+-]+$/;

/** The kept plan that answers, where nothing that it depends on has changed. */
export function findPlan(folder: string, { folders, app, targets, asked }: PlanQuestion, files: SeenFiles): KeptPlan | undefined {
  const { pool, build } = folders;
  if (![pool, build].every((path) => PLAIN_FOLDER.test(path)) || !app.startsWith(`${pool}/`)) return undefined;
  const real = (text: string): string => text.replaceAll(PREBUILT_POOL, pool).replaceAll(PREBUILT_BUILD, build);
  let parts: number | undefined;
  try {
    const index = JSON.parse(readFileSync(`${folder}/${KEPT_INDEX}`, 'utf8')) as KeptIndex;
    const file = (parts = openSync(`${folder}/${KEPT_PARTS}`, 'r'));
    const part = (number: number): unknown => JSON.parse(real(readPart(file, index.parts[number]!)));
    const question = JSON.stringify(toKept(asked, folders));
    const own = toKept(app, folders);
    const found = index.plans.find(
      (q) =>
        q.app === own &&
        q.targets === (targets?.join() ?? '') &&
        index.parts[q.asked]![1] === question.length &&
        readPart(file, index.parts[q.asked]!) === question,
    );
    if (!found) return undefined;
    const kept = part(found.plan) as KeptParts;
    const texts = readFileSync(`${folder}/${KEPT_TEXTS}`);
    if (!kept.looks.every((i) => holds(index.looks[i]!, real, texts, files))) return undefined;
    return {
      config: part(kept.config) as string,
      writes: kept.writes.map(([path, text]) => [path, part(text) as string]),
      link: { ...kept.link, kind: 'link', layout: PC_LAYOUT },
      images: kept.images,
      objects: new Map(kept.link.groups.flatMap((g, i) => g.objects.map((path, k) => [path, kept.objects[i]![k]!] as const))),
    };
  } catch {
    // None are kept, or they are damaged: the plan is made anew.
    return undefined;
  } finally {
    if (parts !== undefined) closeSync(parts);
  }
}

/** A text with other names for the folders of this machine. */
export function toKept(text: string, { pool, build }: PrebuiltFolders): string {
  return text.replaceAll(build, PREBUILT_BUILD).replaceAll(pool, PREBUILT_POOL);
}

function readPart(file: number, [offset, size]: readonly [number, number]): string {
  const bytes = Buffer.allocUnsafe(size);
  return bytes.toString('latin1', 0, readSync(file, bytes, 0, size, offset));
}

/** Whether a look gives today what it gave then. */
function holds(look: Look, real: (text: string) => string, texts: Uint8Array, files: SeenFiles): boolean {
  const path = real(look[1]);
  switch (look[0]) {
    case 'text':
      return files.holds(path, texts.subarray(look[2], look[3]));
    case 'kind':
      return (files.kind(path) ?? null) === look[2];
    case 'list': {
      const names = files.list(path);
      return names.length === look[2].length && look[2].every((name, i) => name === names[i]);
    }
    case 'real':
      return files.realPath(path) === real(look[2]);
  }
}
