/** Texts with `$0` for the cursor, opened as the only Kconfig file of a tree. */
import { parseDotConfig } from '../../../../src/kconfig/dotconfig/read';
import { type DialectName } from '../../../../src/kconfig/dialect';
import { type Edit, type KconfigView } from '../../../../src/kconfig/features/view';
import { type FileSyntax } from '../../../../src/kconfig/ast';
import { KconfigService } from '../../../../src/kconfig/service';
import { MemoryFiles } from '../memory-files';

export const rootPath = '/w/Config.uk';

export interface Marked {
  readonly text: string;
  readonly offset: number;
}

/** Takes the mark out of a text. */
export function marked(source: string): Marked {
  const offset = source.indexOf('$0');
  if (offset < 0) throw new Error('no $0 in the text');
  return { text: source.slice(0, offset) + source.slice(offset + 2), offset };
}

export interface Opened extends Marked {
  readonly view: KconfigView;
  readonly syntax: FileSyntax;
  readonly files: MemoryFiles;
}

export interface OpenOptions {
  readonly config?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly dialect?: DialectName;
  readonly environment?: Readonly<Record<string, string>>;
  readonly partial?: boolean;
}

/** Opens a text; where it has no mark, the offset is -1. */
export function open(source: string, options: OpenOptions = {}): Opened {
  const { text, offset } = source.includes('$0') ? marked(source) : { text: source, offset: -1 };
  const files = new MemoryFiles({ [rootPath]: text, ...options.files });
  const service = new KconfigService({
    files,
    cwd: '/w',
    root: rootPath,
    environment: { CONFIG_: 'CONFIG_', ...options.environment },
    ...(options.dialect && { dialect: options.dialect }),
  });
  const view: KconfigView = {
    service,
    configuration: service.openConfiguration(options.config, '/w/.config'),
    partial: options.partial ?? false,
  };
  return { text, offset, view, files, syntax: service.tree.model.files.get(rootPath)!.syntax };
}

/** A text with edits made. */
export function edited(text: string, edits: readonly Edit[]): string {
  let out = text;
  for (const edit of [...edits].sort((a, b) => b.start - a.start)) out = out.slice(0, edit.start) + edit.text + out.slice(edit.end);
  return out;
}

/** Names and values of a .config's lines. */
export function lines(text: string): string[] {
  return parseDotConfig(text, 'CONFIG_').assignments.map(({ name, value }) => `${name}=${value ?? 'unset'}`);
}
