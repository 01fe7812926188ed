/** Writes down plans with all that they depend on, for builds that find everything as it was; see prebuilt-plans.node.ts. */

import { writeFileSync } from 'node:fs';
import { type FileKind, type Files } from '../shared/files';
import { type BuildPlan, type ImageStep, type LinkStep } from './plan';
import { type PrebuiltFolders } from './prebuilt.node';
import {
  KEPT_INDEX,
  KEPT_PARTS,
  KEPT_TEXTS,
  type KeptIndex,
  type KeptParts,
  type KeptQuestion,
  type Look,
  type PlanQuestion,
  toKept,
} from './prebuilt-plans.node';

/** Files that note what was asked of them, and what they answered. */
export class WatchedFiles implements Files {
  readonly texts = new Map<string, string | undefined>();
  readonly kinds = new Map<string, FileKind | undefined>();
  readonly lists = new Map<string, readonly string[]>();
  readonly reals = new Map<string, string>();

  constructor(private readonly files: Files) {}

  read(): never {
    throw new Error('A kept plan can depend on texts alone.');
  }

  readText(path: string): string | undefined {
    return noted(this.texts, path, () => this.files.readText(path));
  }

  kind(path: string): FileKind | undefined {
    return noted(this.kinds, path, () => this.files.kind(path));
  }

  list(path: string): readonly string[] {
    return noted(this.lists, path, () => this.files.list(path));
  }

  realPath(path: string): string {
    return noted(this.reals, path, () => this.files.realPath(path));
  }
}

function noted<T>(notes: Map<string, T>, path: string, ask: () => T): T {
  if (!notes.has(path)) notes.set(path, ask());
  return notes.get(path)!;
}

/** JSON with no character beyond ASCII, so that places are the same in bytes and in characters. */
function ascii(json: string): string {
  return json.replace(/[^\0-\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A plan with what it was made from. */
export interface PlanRecord {
  readonly questions: readonly Omit<PlanQuestion, 'folders'>[];
  readonly folders: PrebuiltFolders;
  readonly plan: BuildPlan;
  /** The complete configuration as text. */
  readonly config: string;
  readonly files: WatchedFiles;
  /** Name of each prebuilt object by its path in the plan. */
  readonly objects: ReadonlyMap<string, string>;
}

/** Collects plans; equal parts and looks are kept once. */
export class PlanRecorder {
  private readonly parts = new Map<string, number>();
  private readonly looks = new Map<string, { readonly index: number; readonly look: Look }>();
  private readonly places = new Map<string, number>();
  private readonly questions: KeptQuestion[] = [];
  private length = 0;

  /** Adds a plan. */
  add({ questions, folders, plan, config, files, objects }: PlanRecord): void {
    const portable = (text: string): string => toKept(text, folders);
    const part = (value: unknown): number => this.part(portable(JSON.stringify(value)));
    const link = plan.steps.find((s): s is LinkStep => s.kind === 'link');
    if (!link) return;
    const { groups, gcSections, entries, output, map } = link;
    const kept: KeptParts = {
      looks: this.look(files, folders, portable),
      config: part(config),
      writes: plan.steps.flatMap((s) => (s.kind === 'write' ? [[s.output, part(s.text)] as const] : [])),
      link: { groups, gcSections, entries, output, map },
      images: plan.steps.filter((s): s is ImageStep => s.kind === 'image'),
      objects: groups.map((g) => g.objects.map((path) => objects.get(path)!)),
    };
    const at = part(kept);
    for (const { app, targets, asked } of questions)
      this.questions.push({ app: portable(app), targets: targets?.join() ?? '', asked: part(asked), plan: at });
  }

  /** Writes all of them into a folder. */
  write(folder: string): void {
    let length = 0;
    const texts = [...this.parts.keys()].map(ascii);
    const parts = texts.map((text): [number, number] => [(length += text.length) - text.length, text.length]);
    const index: KeptIndex = { parts, looks: [...this.looks.values()].map((l) => l.look), plans: this.questions };
    writeFileSync(`${folder}/${KEPT_INDEX}`, JSON.stringify(index));
    writeFileSync(`${folder}/${KEPT_PARTS}`, texts.join(''));
    writeFileSync(`${folder}/${KEPT_TEXTS}`, [...this.places.keys()].join(''));
  }

  private part(text: string): number {
    let at = this.parts.get(text);
    if (at === undefined) this.parts.set(text, (at = this.parts.size));
    return at;
  }

  private look(files: WatchedFiles, { build }: PrebuiltFolders, portable: (text: string) => string): number[] {
    const looks: Look[] = [];
    for (const [path, text] of files.texts)
      looks.push(text === undefined ? ['kind', path, files.kind(path) ?? null] : ['text', path, ...this.place(text)]);
    for (const [path, kind] of files.kinds) if (files.texts.get(path) === undefined) looks.push(['kind', path, kind ?? null]);
    for (const [path, names] of files.lists) looks.push(['list', path, names]);
    for (const [path, real] of files.reals) looks.push(['real', path, real]);
    // What the build folder holds is made from the rest.
    const outside = looks.filter(([, path]) => path !== build && !path.startsWith(`${build}/`));
    return [...new Set(outside.map((look) => this.number(JSON.parse(portable(JSON.stringify(look))) as Look)))];
  }

  private number(look: Look): number {
    const key = JSON.stringify(look);
    const known = this.looks.get(key);
    if (known) return known.index;
    const index = this.looks.size;
    this.looks.set(key, { index, look });
    return index;
  }

  /** Where a text's bytes are among those of all. */
  private place(text: string): [number, number] {
    let from = this.places.get(text);
    if (from === undefined) {
      this.places.set(text, (from = this.length));
      this.length += Buffer.byteLength(text);
    }
    return [from, from + Buffer.byteLength(text)];
  }
}
