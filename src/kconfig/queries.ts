/** Answers questions about a model that editors ask: what stands here, where else is it written, what hangs on it. */
import { graphOf } from './graph';
import { type KSymbol, type MenuNode, type Model, type ModelFile, type Property, type Reference } from './model';
import { type Statement } from './ast';

/** Indexes of one model, made when first asked for. */
export class ModelQueries {
  private bySymbol: Map<KSymbol, Reference[]> | undefined;
  private byFile: Map<string, Reference[]> | undefined;
  private nodesByFile: Map<string, MenuNode[]> | undefined;

  constructor(readonly model: Model) {}

  /** Every place where the symbol's name is written, definitions among them; each once, however often its file is read. */
  references(symbol: KSymbol): readonly Reference[] {
    if (!this.bySymbol) {
      const index = new Map<KSymbol, Reference[]>();
      for (const list of this.fileIndex().values()) {
        for (const reference of list) {
          const known = index.get(reference.symbol);
          if (known) known.push(reference);
          else index.set(reference.symbol, [reference]);
        }
      }
      this.bySymbol = index;
    }
    return this.bySymbol.get(symbol) ?? [];
  }

  /** The references in one file, by their offsets. */
  referencesIn(file: string): readonly Reference[] {
    return this.fileIndex().get(file) ?? [];
  }

  /** The reference at an offset of a file. */
  referenceAt(file: string, offset: number): Reference | undefined {
    return this.referencesIn(file).find((reference) => reference.start <= offset && offset <= reference.end);
  }

  /** The statement that holds an offset. */
  statementAt(file: string, offset: number): Statement | undefined {
    const statements = this.model.files.get(file)?.syntax.statements ?? [];
    let low = 0;
    let high = statements.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const statement = statements[middle]!;
      if (endOf(statement) < offset) low = middle + 1;
      else high = middle;
    }
    const found = statements[low];
    return found && found.start <= offset ? found : undefined;
  }

  /** The entries that a file defines, in its order. */
  nodesIn(file: string): readonly MenuNode[] {
    if (!this.nodesByFile) {
      const index = new Map<string, MenuNode[]>();
      for (const node of this.model.nodes()) {
        const list = index.get(node.file);
        if (list) list.push(node);
        else index.set(node.file, [node]);
      }
      this.nodesByFile = index;
    }
    return this.nodesByFile.get(file) ?? [];
  }

  /** The files that a path on disk was read as (a file may be named in several ways). */
  filesAt(path: string): readonly ModelFile[] {
    return [...this.model.files.values()].filter((file) => file.path === path);
  }

  /** The symbols that a symbol's value is computed from. */
  usedBy(symbol: KSymbol): readonly KSymbol[] {
    return graphOf(this.model).uses[symbol.id] ?? [];
  }

  /** The symbols whose value is computed from this one's. */
  usersOf(symbol: KSymbol): readonly KSymbol[] {
    return graphOf(this.model).users[symbol.id] ?? [];
  }

  /** The `select` and `imply` statements that name the symbol. */
  selectorsOf(symbol: KSymbol): readonly Property[] {
    const found: Property[] = [];
    for (const user of this.usedBy(symbol)) {
      for (const property of user.properties) {
        if ((property.kind === 'select' || property.kind === 'imply') && property.target === symbol) found.push(property);
      }
    }
    return found;
  }

  private fileIndex(): Map<string, Reference[]> {
    if (this.byFile) return this.byFile;
    const index = new Map<string, Map<number, Reference>>();
    for (const reference of this.model.references) {
      let list = index.get(reference.file);
      if (!list) index.set(reference.file, (list = new Map<number, Reference>()));
      if (!list.has(reference.start)) list.set(reference.start, reference);
    }
    this.byFile = new Map([...index].map(([file, list]) => [file, [...list.values()].sort((a, b) => a.start - b.start)]));
    return this.byFile;
  }
}

function endOf(statement: Statement): number {
  return statement.kind === 'help' ? Math.max(statement.end, statement.help.end) : statement.end;
}
