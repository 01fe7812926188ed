/** Changes of a Kraftfile that leave every other byte as it is: they are insertions and deletions of text, found by the YAML nodes' offsets. */
import { isMap, isScalar, isSeq, type Node } from 'yaml';
import { applyEdits, type TextEdit } from './context';
import { KraftDocument, type Entry } from './document';
import { type KconfigEntry, type Kraftfile, readKraftfile, shortForm } from './model';

/** Edits, or why there are none. */
export type EditResult = { readonly edits: readonly TextEdit[] } | { readonly refused: string };

/** Whose options are meant. */
export type KconfigOwner =
  { readonly kind: 'unikraft' } | { readonly kind: 'library'; readonly name: string } | { readonly kind: 'target'; readonly index: number };

/** A library to add. */
export interface NewLibrary {
  readonly name: string;
  readonly version?: string;
  readonly source?: string;
}

/** A target to add. */
export interface NewTarget {
  readonly platform: string;
  readonly architecture: string;
  readonly name?: string;
}

/** Adds a library in the style of those that are there; nothing to do where it is there already. */
export function addLibrary(text: string, library: NewLibrary): EditResult {
  return edit(text, (editor) => {
    if (!isName(library.name)) return refuse(`“${library.name}” is no name of a library.`);
    if (editor.file.libraries.some(({ name }) => name.value === library.name)) return { edits: [] };
    const { name, version, source } = library;
    const uses = editor.file.libraries;
    const short = source === undefined && (uses.length === 0 || uses.filter(({ component }) => component.isShort).length * 2 > uses.length);
    const fields: readonly Field[] = [
      ...(source === undefined ? [] : [['source', quoted(source)] as const]),
      ['version', quoted(version ?? 'stable')],
    ];
    return editor.addField(['libraries'], [name, short ? quoted(version ?? 'stable') : fields]);
  });
}

/** Takes a library out, with its options; nothing to do where it is not there. */
export function removeLibrary(text: string, name: string): EditResult {
  return edit(text, (editor) => editor.removeField(['libraries'], name));
}

/** Sets an option; a short component or target becomes a long one for it. */
export function setKconfig(text: string, owner: KconfigOwner, symbol: string, value: string): EditResult {
  return edit(text, (editor) => {
    const bare = symbol.replace(/^CONFIG_/, '');
    if (!/^\w+$/.test(bare)) return refuse(`“${symbol}” is no name of an option.`);
    if (value === '') return refuse(`CONFIG_${bare} needs a value: kraft refuses an empty one.`);
    if (/[\r\n\0]/.test(value)) return refuse('A value is one line of text.');
    const entries = editor.optionsOf(owner);
    if (entries === undefined) return refuse(`The Kraftfile has no ${ownerTitle(owner)}.`);
    const old = entries.filter((entry) => entry.symbol === bare).at(-1);
    if (old) return editor.changeOption(old, bare, value);
    const list = entries[0]?.form === 'list';
    return list
      ? editor.addItem([...editor.ownerPath(owner), 'kconfig'], quoted(`CONFIG_${bare}=${value}`))
      : editor.addOption(owner, `CONFIG_${bare}`, editor.optionText(value));
  });
}

/** Takes an option's lines out; nothing to do where it is not set. */
export function unsetKconfig(text: string, owner: KconfigOwner, symbol: string): EditResult {
  return edit(text, (editor) => {
    const bare = symbol.replace(/^CONFIG_/, '');
    const entry = editor.optionsOf(owner)?.find((each) => each.symbol === bare);
    if (!entry) return { edits: [] };
    return editor.removeField([...editor.ownerPath(owner), 'kconfig'], entry.form === 'map' ? entry.name.value : entry);
  });
}

/** Adds a target in the style of those that are there. */
export function addTarget(text: string, target: NewTarget): EditResult {
  return edit(text, (editor) => {
    const { platform, architecture, name } = target;
    if (!isName(platform) || !isName(architecture) || (name !== undefined && !isName(name)))
      return refuse('A target needs a platform and an architecture, each one word.');
    const { targets } = editor.file;
    const short = name === undefined && (targets.length === 0 || targets.at(-1)!.isShort);
    if (short) return editor.addItem(['targets'], `${platform}/${architecture}`);
    const fields: readonly Field[] = [
      ...(name === undefined ? [] : [['name', name] as const]),
      ['platform', platform],
      ['architecture', architecture],
    ];
    return editor.addItem(['targets'], fields);
  });
}

/** Sets the version of the core. */
export function setCoreVersion(text: string, version: string): EditResult {
  return edit(text, (editor) => {
    const { unikraft } = editor.file;
    if (unikraft?.version) return { edits: [{ ...span(unikraft.version), text: quoted(version) }] };
    if (unikraft?.isShort) return refuse('The core is named by its source; change that.');
    return unikraft ? editor.addField(['unikraft'], ['version', quoted(version)]) : editor.addField([], ['unikraft', quoted(version)]);
  });
}

type Field = readonly [string, string | readonly Field[]];

function refuse(refused: string): EditResult {
  return { refused };
}

function span({ start, end }: { start: number; end: number }): { start: number; end: number } {
  return { start, end };
}

function isName(name: string): boolean {
  return /^[A-Za-z0-9_][\w.+-]*$/.test(name);
}

function ownerTitle(owner: KconfigOwner): string {
  return owner.kind === 'unikraft' ? 'core' : owner.kind === 'library' ? `library ${owner.name}` : `target ${owner.index + 1}`;
}

/** A text as YAML reads it back: plain where that is safe, else in double quotes. */
function quoted(value: string): string {
  // A plain text must not look like a number, a switch, null, or anything with a meaning of its own.
  if (/^[A-Za-z_./][\w./+@:-]*$/.test(value) && !/:$|^(true|false|null|yes|no|on|off|y|n|\.inf|\.nan)$/i.test(value)) return value;
  if (/^(0|[1-9]\d{0,14})$/.test(value)) return value;
  return JSON.stringify(value);
}

/** Runs a change, and keeps it only where the result is as sound as the text was. */
function edit(text: string, change: (editor: Editor) => EditResult): EditResult {
  const file = readKraftfile(text);
  const errors = (document: KraftDocument): number => document.faults.filter((fault) => fault.severity === 'error').length;
  if (errors(file.document) > 0) return refuse('The Kraftfile has faults in its YAML; mend them first.');
  if (text.trim() !== '' && !file.document.root && file.document.yaml?.contents) return refuse('The Kraftfile is no map of keys.');
  const result = change(new Editor(file));
  if ('refused' in result || result.edits.length === 0) return result;
  const after = KraftDocument.parse(applyEdits(text, result.edits));
  return errors(after) > 0 || !after.root
    ? refuse('The Kraftfile is written in a way that cannot be changed safely; change it by hand.')
    : result;
}

class Editor {
  private readonly document: KraftDocument;
  private readonly text: string;
  private readonly eol: string;
  private readonly unit: number;

  constructor(readonly file: Kraftfile) {
    this.document = file.document;
    this.text = file.document.text;
    this.eol = this.text.includes('\r\n') ? '\r\n' : '\n';
    this.unit = this.indentUnit();
  }

  optionsOf(owner: KconfigOwner): readonly KconfigEntry[] | undefined {
    const { unikraft, libraries, targets } = this.file;
    if (owner.kind === 'unikraft') return unikraft?.kconfig ?? [];
    if (owner.kind === 'target') return targets[owner.index]?.kconfig;
    return libraries.find(({ name }) => name.value === owner.name)?.component.kconfig;
  }

  ownerPath(owner: KconfigOwner): (string | number)[] {
    return owner.kind === 'unikraft' ? ['unikraft'] : owner.kind === 'library' ? ['libraries', owner.name] : ['targets', owner.index];
  }

  /** A value of an option in the style that the file has for switches. */
  optionText(value: string): string {
    if (value !== 'y' && value !== 'n') return quoted(value);
    const written = [this.file.unikraft, ...this.file.libraries.map((each) => each.component), ...this.file.targets]
      .flatMap((each) => each?.kconfig ?? [])
      .filter((entry) => entry.form === 'map' && /^[yn]$/.test(entry.value?.value ?? ''))
      .map((entry) => this.text.slice(entry.value!.start, entry.value!.end));
    const last = written.at(-1) ?? '"y"';
    if (/^'/.test(last)) return `'${value}'`;
    if (/^"/.test(last)) return `"${value}"`;
    return /^[yn]$/.test(last) ? value : value === 'y' ? 'true' : 'false';
  }

  changeOption(old: KconfigEntry, symbol: string, value: string): EditResult {
    if (old.value?.value === value) return { edits: [] };
    if (old.form === 'list') {
      // The whole item is written anew, as its quotes may have to change.
      const item = this.document.pathAt(old.name.start)?.node;
      return item
        ? { edits: [{ ...this.document.span(item), text: quoted(`CONFIG_${symbol}=${value}`) }] }
        : refuse('The option cannot be found.');
    }
    const text = this.optionText(value);
    if (old.value) return { edits: [{ ...span(old.value), text }] };
    const entry = this.entryAt(old.name.start);
    if (!entry) return refuse('The option cannot be found.');
    if (entry.value) return { edits: [{ ...this.document.span(entry.value), text }] };
    const colon = this.afterColon(entry);
    return colon === undefined ? refuse('The option has no colon.') : { edits: [{ start: colon, end: colon, text: ` ${text}` }] };
  }

  /** Adds an option to a map of options, making what is missing on the way. */
  addOption(owner: KconfigOwner, name: string, value: string): EditResult {
    const path = this.ownerPath(owner);
    const node = this.nodeAt(path);
    const resolved = this.document.resolved(node);
    if (node && resolved !== node) return refuse('What is an alias of something else cannot be changed here.');
    if (isScalar(node) && (node.source ?? '') !== '' && node.value !== null) return this.lengthen(owner, node, name, value);
    if (owner.kind === 'unikraft' && !this.file.unikraft)
      return this.addField(
        [],
        [
          'unikraft',
          [
            ['version', 'stable'],
            ['kconfig', [[name, value]]],
          ],
        ],
      );
    const kconfig = isMap(resolved) ? this.document.entries(resolved).find((entry) => entry.key === 'kconfig') : undefined;
    return kconfig ? this.addField([...path, 'kconfig'], [name, value]) : this.addField(path, ['kconfig', [[name, value]]]);
  }

  /** Turns a component or target of one word into a map that has options. */
  private lengthen(owner: KconfigOwner, node: Node, name: string, value: string): EditResult {
    const { start, end } = this.document.span(node);
    const written = this.text.slice(start, end);
    if (owner.kind === 'target') {
      const target = this.file.targets[owner.index]!;
      if (!target.platform || !target.architecture) return refuse('The target is no PLATFORM/ARCHITECTURE.');
      const column = this.columnOf(start);
      const fields: readonly Field[] = [
        ['platform', quoted(target.platform.value)],
        ['architecture', quoted(target.architecture.value)],
        ['kconfig', [[name, value]]],
      ];
      if (this.isInFlow(start)) return { edits: [{ start, end, text: this.flow(fields) }] };
      return {
        edits: [
          {
            start,
            end,
            text: this.block(fields, column)
              .slice(column)
              .replace(/\r?\n$/, ''),
          },
        ],
      };
    }
    const key =
      owner.kind === 'unikraft'
        ? this.document.entries(this.document.root).find((each) => each.key === 'unikraft')
        : this.entryOf(['libraries'], owner.name);
    if (!key) return refuse('The component cannot be found.');
    const word = this.document.scalarText(node) ?? '';
    const form = shortForm(word);
    const fields: readonly Field[] = [form.source === undefined ? ['version', written] : ['source', written], ['kconfig', [[name, value]]]];
    if (this.isInFlow(start)) return { edits: [{ start, end, text: this.flow(fields) }] };
    const indent = this.columnOf(key.keySpan.start) + this.unit;
    const colon = this.afterColon(key);
    if (colon === undefined || /[|>&!*]/.test(this.text.slice(colon, start)))
      return refuse('The component is written in a way that cannot be changed safely.');
    // Blanks between colon and value go; a comment after the value stays on the key's line.
    const comment = /^[ \t]*(#.*)?/.exec(this.text.slice(end).split(/\r?\n/, 1)[0]!)![0];
    const lineEnd = end + comment.length;
    return {
      edits: [
        { start: colon, end, text: '' },
        { start: lineEnd, end: lineEnd, text: `${this.eol}${this.block(fields, indent).replace(/(\r?\n)$/, '')}` },
      ],
    };
  }

  /** Adds a key with its value at the end of a map, making the map where it is missing. */
  addField(path: readonly (string | number)[], field: Field): EditResult {
    if (path.length === 0) return this.addTop(field);
    const node = this.nodeAt(path);
    const target = this.document.resolved(node);
    if (node && target !== node) return refuse('What is an alias of something else cannot be changed here.');
    if (isSeq(target)) return refuse(`“${path.join('.')}” is a list here; change it by hand.`);
    if (isMap(target)) {
      if (target.flow) return this.addToFlow(target, target.items.length > 0, this.flowField(field));
      const entries = this.document.entries(target);
      const first = entries[0];
      if (!first) return refuse('The map has no keys.');
      const indent = this.columnOf(first.keySpan.start);
      return this.insertAfter(this.contentEnd(target), this.block([field], indent));
    }
    if (target && (this.document.scalarText(target) ?? '') !== '')
      return refuse(`“${path.join('.')}” is one text here; change it by hand.`);
    return this.fillEmpty(
      path,
      (indent) => this.block([field], indent),
      () => addParent(path, field, (up, f) => this.addField(up, f)),
    );
  }

  /** Adds an item to a list, making the list where it is missing. */
  addItem(path: readonly (string | number)[], item: string | readonly Field[]): EditResult {
    const node = this.nodeAt(path);
    const target = this.document.resolved(node);
    if (node && target !== node) return refuse('What is an alias of something else cannot be changed here.');
    if (isMap(target)) return refuse(`“${path.join('.')}” is a map here; change it by hand.`);
    const write = (indent: number): string => {
      const lines = typeof item === 'string' ? `${' '.repeat(indent + 2)}${item}${this.eol}` : this.block(item, indent + 2);
      return `${' '.repeat(indent)}- ${lines.slice(indent + 2)}`;
    };
    if (isSeq(target)) {
      if (target.flow) return this.addToFlow(target, target.items.length > 0, typeof item === 'string' ? item : this.flow(item));
      const first = this.document.items(target)[0];
      if (!first) return refuse('The list has no items.');
      const dash = this.text.lastIndexOf('-', this.document.span(first).start);
      if (dash < 0) return refuse('The list has no dashes.');
      return this.insertAfter(this.contentEnd(target), write(this.columnOf(dash)));
    }
    if (target && (this.document.scalarText(target) ?? '') !== '')
      return refuse(`“${path.join('.')}” is one text here; change it by hand.`);
    const key = path.at(-1)!;
    return this.fillEmpty(path, write, () => {
      if (path.length !== 1) return refuse('The list is missing.');
      return this.appendToEnd(`${String(key)}:${this.eol}${write(this.unit)}`);
    });
  }

  /** Takes a key, or the item that an option of a list is, out of a map or list with all its lines. */
  removeField(path: readonly (string | number)[], what: string | KconfigEntry): EditResult {
    const target = this.document.resolved(this.nodeAt(path));
    const all = typeof what === 'string' ? this.document.entries(target) : [];
    const entry = all.find((each) => each.key === what);
    const items = typeof what === 'string' ? [] : this.document.items(target);
    const item = items.find(
      (each) =>
        typeof what !== 'string' && this.document.span(each).start <= what.name.start && this.document.span(each).end >= what.name.end,
    );
    if (!entry && !item) return { edits: [] };
    const start = entry ? entry.keySpan.start : this.document.span(item).start;
    const end = entry
      ? entry.value
        ? this.contentEnd(entry.value)
        : (this.afterColon(entry) ?? entry.keySpan.end)
      : this.contentEnd(item!);
    if ((isMap(target) || isSeq(target)) && target.flow) return { edits: [this.cutFromFlow(start, end)] };
    // The last one takes its parent's key along, unless a comment would be lost or the key is an item's first.
    if ((entry ? all.length : items.length) === 1) {
      const parent = this.entryOf(path.slice(0, -1), String(path.at(-1)));
      const between = parent && this.text.slice(parent.keySpan.end, start);
      if (parent && between !== undefined && !between.includes('#') && this.ownsLine(parent.keySpan.start))
        return { edits: [this.cutLines(parent.keySpan.start, end)] };
      if (parent) {
        const colon = this.afterColon(parent);
        if (colon === undefined) return refuse('The key has no colon.');
        return { edits: [{ start: colon, end: colon, text: isSeq(target) ? ' []' : ' {}' }, this.cutLines(start, end)] };
      }
    }
    if (!this.ownsLine(start)) return refuse('It shares its line with something else; change it by hand.');
    return { edits: [this.cutLines(start, end)] };
  }

  // Text

  private addTop(field: Field): EditResult {
    return this.appendToEnd(
      this.block(
        [field],
        this.document.root && !this.document.root.flow
          ? this.columnOf(this.document.entries(this.document.root)[0]?.keySpan.start ?? 0)
          : 0,
      ),
    );
  }

  /** At the end of the top map, before comments that close the file only where nothing else separates them. */
  private appendToEnd(block: string): EditResult {
    const { root } = this.document;
    if (!root) {
      const before = this.text === '' || this.text.endsWith('\n') ? '' : this.eol;
      return { edits: [{ start: this.text.length, end: this.text.length, text: before + block }] };
    }
    if (root.flow) return refuse('The Kraftfile is written in braces; change it by hand.');
    return this.insertAfter(this.contentEnd(root), block);
  }

  /** Puts lines below an empty key, or, where the key is missing as well, lets `orElse` make it. */
  private fillEmpty(path: readonly (string | number)[], write: (indent: number) => string, orElse: () => EditResult): EditResult {
    const entry = this.entryOf(path.slice(0, -1), String(path.at(-1)));
    if (!entry) return orElse();
    const colon = this.afterColon(entry);
    if (colon === undefined || this.isInFlow(entry.keySpan.start)) return refuse(`“${path.join('.')}” cannot be filled here.`);
    const edits: TextEdit[] = entry.value ? [{ ...this.document.span(entry.value), text: '' }] : [];
    const inserted = this.insertAfter(
      entry.value ? this.document.span(entry.value).end : colon,
      write(this.columnOf(entry.keySpan.start) + this.unit),
    );
    return 'edits' in inserted ? { edits: [...edits, ...inserted.edits] } : inserted;
  }

  /** Inserts whole lines after the line on which `offset` lies. */
  private insertAfter(offset: number, lines: string): EditResult {
    // A block text ends with its line.
    if (offset > 0 && this.text[offset - 1] === '\n') return { edits: [{ start: offset, end: offset, text: lines }] };
    const next = this.text.indexOf('\n', offset);
    if (next >= 0) return { edits: [{ start: next + 1, end: next + 1, text: lines }] };
    return { edits: [{ start: this.text.length, end: this.text.length, text: this.eol + lines.replace(/\r?\n$/, '') }] };
  }

  private addToFlow(node: Node, hasItems: boolean, text: string): EditResult {
    const { end } = this.document.span(node);
    const close = end - 1;
    if (close < 0 || !/[}\]]/.test(this.text[close]!)) return refuse('The braces have no end.');
    if (!hasItems) return { edits: [{ start: close, end: close, text: this.text[close] === '}' ? ` ${text} ` : text }] };
    const at = this.lastChildEnd(node);
    if (at === undefined) return refuse('The braces hold nothing that can be read.');
    const trailing = /^\s*,/.test(this.text.slice(at, close));
    return { edits: [{ start: at, end: at, text: `${trailing ? ',' : ', '}${trailing ? ' ' : ''}${text}` }] };
  }

  private cutFromFlow(start: number, end: number): TextEdit {
    const after = /^\s*,\s*/.exec(this.text.slice(end));
    if (after) return { start, end: end + after[0].length, text: '' };
    const before = /,\s*$/.exec(this.text.slice(0, start));
    return { start: before ? start - before[0].length : start, end, text: '' };
  }

  private cutLines(start: number, end: number): TextEdit {
    const from = this.text.lastIndexOf('\n', start - 1) + 1;
    if (end > from && this.text[end - 1] === '\n') return { start: from, end, text: '' };
    const next = this.text.indexOf('\n', end);
    if (next >= 0) return { start: from, end: next + 1, text: '' };
    // The last line of a file without an end of line: the one before loses its.
    const before = from > 0 && this.text[from - 2] === '\r' ? from - 2 : Math.max(0, from - 1);
    return { start: before, end: this.text.length, text: '' };
  }

  /** Whether nothing but blanks, or a dash, stands before an offset on its line. */
  private ownsLine(offset: number): boolean {
    const line = this.text.slice(this.text.lastIndexOf('\n', offset - 1) + 1, offset);
    const char = /^\s*(-\s+)?$/.exec(line);
    // A map's first key after its dash does not own the line: the rest of the item hangs on it.
    return char !== null && (char[1] === undefined || !/^[^\s#"']+:(\s|$)/.test(this.text.slice(offset)));
  }

  private columnOf(offset: number): number {
    return offset - (this.text.lastIndexOf('\n', offset - 1) + 1);
  }

  private block(fields: readonly Field[], indent: number): string {
    return fields
      .map(
        ([key, value]) =>
          `${' '.repeat(indent)}${key}:${typeof value === 'string' ? ` ${value}${this.eol}` : `${this.eol}${this.block(value, indent + this.unit)}`}`,
      )
      .join('');
  }

  private flow(fields: readonly Field[]): string {
    return `{ ${fields.map((field) => this.flowField(field)).join(', ')} }`;
  }

  private flowField([key, value]: Field): string {
    return `${key}: ${typeof value === 'string' ? (/[,[\]{}]/.test(value) && !/^["']/.test(value) ? JSON.stringify(value) : value) : this.flow(value)}`;
  }

  // Nodes

  /** The end of the last thing that is written in a node, comments left out. */
  private contentEnd(node: Node): number {
    if ((isMap(node) || isSeq(node)) && node.flow) return this.document.span(node).end;
    const last = this.lastChildEnd(node);
    if (last !== undefined) return last;
    if (isScalar(node) && (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED'))
      return Math.min(node.range?.[1] ?? 0, this.text.length);
    return this.document.span(node).end;
  }

  private lastChildEnd(node: Node): number | undefined {
    if (isMap(node)) {
      const last = this.document.entries(node).at(-1);
      return last && (last.value ? this.contentEnd(last.value) : (this.afterColon(last) ?? last.keySpan.end));
    }
    const last = isSeq(node) ? this.document.items(node).at(-1) : undefined;
    return last && this.contentEnd(last);
  }

  private nodeAt(path: readonly (string | number)[]): Node | undefined {
    let node: Node | undefined = this.document.root;
    for (const step of path) {
      if (typeof step === 'number') node = this.document.items(node)[step];
      else
        node = this.document
          .entries(node)
          .filter((entry) => entry.key === step)
          .at(-1)?.value;
      if (node === undefined) return undefined;
    }
    return node;
  }

  private entryOf(path: readonly (string | number)[], key: string): Entry | undefined {
    const map = this.nodeAt(path);
    return this.document
      .entries(map)
      .filter((entry) => entry.key === key)
      .at(-1);
  }

  private entryAt(offset: number): Entry | undefined {
    const at = this.document.pathAt(offset);
    return at?.isKey ? this.entryOf(at.path.slice(0, -1), String(at.path.at(-1))) : undefined;
  }

  /** The offset just after a key's colon. */
  private afterColon({ keySpan }: Entry): number | undefined {
    const match = /^[ \t]*:/.exec(this.text.slice(keySpan.end));
    return match ? keySpan.end + match[0].length : undefined;
  }

  private isInFlow(offset: number): boolean {
    const walk = (node: Node | undefined): boolean => {
      const { start, end } = this.document.span(node);
      if (!node || offset < start || offset > end) return false;
      if ((isMap(node) || isSeq(node)) && node.flow) return true;
      const children = isMap(node) ? this.document.entries(node).map((entry) => entry.value) : isSeq(node) ? this.document.items(node) : [];
      return children.some((child) => walk(child));
    };
    return walk(this.document.root);
  }

  /** How far the file's blocks are indented: by the first one that is. */
  private indentUnit(): number {
    for (const { value } of this.document.entries(this.document.root)) {
      if (!isMap(value) || value.flow) continue;
      const first = this.document.entries(value)[0];
      const column = first && this.columnOf(first.keySpan.start);
      if (column !== undefined && column > 0 && column <= 8) return column;
    }
    return 2;
  }
}

/** A field below a key that is missing: the key with the field in it, one level up. */
function addParent(
  path: readonly (string | number)[],
  field: Field,
  add: (path: readonly (string | number)[], field: Field) => EditResult,
): EditResult {
  const key = path.at(-1);
  return typeof key === 'string' ? add(path.slice(0, -1), [key, [field]]) : refuse('There is nothing to add to.');
}
