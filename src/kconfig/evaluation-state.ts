/** What a configuration holds: the users' values, and what was computed from them, by symbol. */
import { type Diagnostic } from './diagnostics';
import { type Dialect } from './dialect';
import { type KSymbol, type Model, type Tri } from './model';

const letters = ['n', 'm', 'y'] as const;

/** `n`, `m` or `y`. */
export function triText(value: Tri): 'n' | 'm' | 'y' {
  return letters[value];
}

/** The tristate of a text's first letter, or undefined. */
export function triOf(text: string): Tri | undefined {
  switch (text[0]) {
    case 'y':
    case 'Y':
      return 2;
    case 'm':
    case 'M':
      return 1;
    case 'n':
    case 'N':
      return 0;
    default:
      return undefined;
  }
}

/** A user's value for a symbol. */
export type UserValue = Tri | string;

/** The state under a computation; nothing here computes. */
export abstract class EvaluationState {
  readonly dialect: Dialect;
  protected readonly valid: Uint8Array;
  protected readonly written: Uint8Array;
  protected readonly tris: Uint8Array;
  protected readonly texts: string[];
  protected readonly visible: Uint8Array;
  protected readonly direct: Uint8Array;
  protected readonly reverse: Uint8Array;
  protected readonly weak: Uint8Array;
  protected readonly hasUser: Uint8Array;
  protected readonly userTris: Uint8Array;
  protected readonly userTexts: (string | undefined)[];
  protected readonly picked = new Map<KSymbol, KSymbol | undefined>();
  protected readonly userPicked = new Map<KSymbol, KSymbol>();
  /** Members by the recency of their assignment, newest first (dialects that pick by priority). */
  protected readonly priority = new Map<KSymbol, KSymbol[]>();
  /** The graph's units that are to be computed by the next `settle`; made with the graph, at the first change. */
  protected dirty: Uint8Array | undefined;
  protected firstDirty = 0;
  /** Where set, only these of the graph's units are kept up to date. */
  protected scope: Uint8Array | undefined;
  /** Choices that lost their user's value while they were computed: `conf` sees that at its next computation. */
  protected readonly unsettled = new Set<KSymbol>();
  protected modulesOn = false;
  protected recursion = 0;
  protected onMessage: ((diagnostic: Diagnostic) => void) | undefined;

  constructor(
    readonly model: Model,
    from?: EvaluationState,
  ) {
    this.dialect = model.dialect;
    const count = model.symbols.length;
    const bytes = (key: Uint8Array | undefined): Uint8Array => (key ? key.slice() : new Uint8Array(count));
    this.valid = bytes(from?.valid);
    this.written = bytes(from?.written);
    this.tris = bytes(from?.tris);
    this.texts = from ? from.texts.slice() : new Array<string>(count).fill('');
    this.visible = bytes(from?.visible);
    this.direct = bytes(from?.direct);
    this.reverse = bytes(from?.reverse);
    this.weak = bytes(from?.weak);
    this.hasUser = bytes(from?.hasUser);
    this.userTris = bytes(from?.userTris);
    this.userTexts = from ? from.userTexts.slice() : new Array<string | undefined>(count).fill(undefined);
    if (from) {
      for (const [choice, member] of from.picked) this.picked.set(choice, member);
      for (const [choice, member] of from.userPicked) this.userPicked.set(choice, member);
      for (const [choice, members] of from.priority) this.priority.set(choice, [...members]);
      for (const choice of from.unsettled) this.unsettled.add(choice);
      this.modulesOn = from.modulesOn;
      this.scope = from.scope;
    }
  }

  /** Receives what the engine prints while it computes (unmet dependencies). */
  listen(listener: ((diagnostic: Diagnostic) => void) | undefined): void {
    this.onMessage = listener;
  }

  /** The value the user gave, whether or not it has effect. */
  userValue(symbol: KSymbol): UserValue | undefined {
    if (!this.hasUser[symbol.id]) return undefined;
    return symbol.isBoolean || symbol.isChoice ? (this.userTris[symbol.id] as Tri) : this.userTexts[symbol.id];
  }

  hasUserValue(symbol: KSymbol): boolean {
    return this.hasUser[symbol.id] === 1;
  }

  /** A text that is equal for two configurations exactly when their users' values are. */
  userKey(): string {
    const parts: string[] = [];
    for (const { id, isBoolean } of this.model.symbols) {
      if (this.hasUser[id]) parts.push(`${id}=${isBoolean ? this.userTris[id] : this.userTexts[id]}`);
    }
    for (const [choice, member] of this.userPicked) parts.push(`${choice.id}>${member.id}`);
    for (const [choice, members] of this.priority) parts.push(`${choice.id}:${members.map(({ id }) => id).join('.')}`);
    return parts.join(' ');
  }

  /** Gives or takes a user's value without any check and without computing; call `touch` and `settle` after. */
  putUser(symbol: KSymbol, value: UserValue | undefined): void {
    const { id } = symbol;
    this.hasUser[id] = value === undefined ? 0 : 1;
    if (typeof value === 'number') this.userTris[id] = value;
    else if (value !== undefined) this.userTexts[id] = value;
    else this.userTris[id] = 0;
  }

  /** Counts what was read for a choice as the user's value again. */
  markUser(choice: KSymbol): void {
    this.hasUser[choice.id] = 1;
  }

  /** The user's pick of a choice. */
  putPick(choice: KSymbol, member: KSymbol | undefined): void {
    if (member) this.userPicked.set(choice, member);
    else this.userPicked.delete(choice);
  }

  /** Moves a member of a choice to the front of those assigned. */
  promote(member: KSymbol): void {
    const { choice } = member;
    if (!choice) return;
    const order = this.priorityOf(choice).filter((other) => other !== member);
    order.unshift(member);
    this.priority.set(choice, order);
  }

  /** Takes all user values away. */
  clearUser(): void {
    this.hasUser.fill(0);
    this.userTris.fill(0);
    this.userTexts.fill(undefined);
    this.userPicked.clear();
    this.priority.clear();
  }

  protected priorityOf(choice: KSymbol): readonly KSymbol[] {
    return this.priority.get(choice) ?? choice.members;
  }
}
