/** Handles by which the other side names groups of rows, valid until the guest runs on; remembers texts to mark what changed. */
import { type VariableInfo } from './api';
import { errors } from './errors';
import { type ValueNode } from './value-node';

interface Group {
  /** Identity over several stops, to compare values: the path of names from the scope down. */
  readonly path: string;
  children(start?: number, count?: number): readonly ValueNode[];
}

export class ValueStore {
  #next = 1;
  readonly #groups = new Map<number, Group>();
  #texts = new Map<string, string>();
  #previous = new Map<string, string>();

  /** The guest runs on: handles end, and texts seen so far become the ones to compare with. */
  invalidate(): void {
    this.#groups.clear();
    if (this.#texts.size > 0) this.#previous = this.#texts;
    this.#texts = new Map();
  }

  add(path: string, children: Group['children']): number {
    const handle = this.#next;
    this.#next = (this.#next % 0x3fff_ffff) + 1;
    this.#groups.set(handle, { path, children });
    return handle;
  }

  children(handle: number, start?: number, count?: number): readonly VariableInfo[] {
    const group = this.#group(handle);
    return group.children(start, count).map((node) => this.present(node, group.path));
  }

  assign(handle: number, name: string, text: string): VariableInfo {
    const group = this.#group(handle);
    const node = group.children().find((each) => each.name === name);
    if (node === undefined) throw errors.unknownVariable(name);
    if (node.assign === undefined) throw errors.readOnly(name);
    return this.present(node.assign(text), group.path);
  }

  /** The expression of a row of a group, or undefined where it has none. */
  expressionOf(handle: number, name: string): string | undefined {
    return this.#group(handle)
      .children()
      .find((each) => each.name === name)?.evaluateName;
  }

  /** A row for the other side; `parent` is the path of the group it stands in. */
  present(node: ValueNode, parent: string): VariableInfo {
    const path = `${parent}/${node.name}`;
    const before = this.#previous.get(path);
    this.#texts.set(path, node.text);
    return {
      name: node.name,
      value: node.text,
      handle: node.children === undefined ? 0 : this.add(path, (start, count) => node.children?.(start, count) ?? []),
      readOnly: node.assign === undefined,
      changed: before !== undefined && before !== node.text,
      ...(node.type === undefined ? {} : { type: node.type }),
      ...(node.indexed === undefined ? {} : { indexed: node.indexed }),
      ...(node.named === undefined ? {} : { named: node.named }),
      ...(node.declaration === undefined ? {} : { declaration: node.declaration }),
      ...(node.pointsTo === undefined ? {} : { pointsTo: node.pointsTo }),
      ...(node.memory === undefined ? {} : { memory: node.memory }),
      ...(node.evaluateName === undefined ? {} : { evaluateName: node.evaluateName }),
    };
  }

  #group(handle: number): Group {
    const group = this.#groups.get(handle);
    if (group === undefined) throw errors.unknownHandle(handle);
    return group;
  }
}
