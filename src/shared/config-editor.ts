/** What the configuration editor's two sides tell each other: the extension, which holds the configuration, and the page that shows it. */

/** A value of a bool or tristate. */
export type Tristate = 'n' | 'm' | 'y';

export type OptionType = 'unknown' | 'bool' | 'tristate' | 'int' | 'hex' | 'string';

export type RowKind = 'menu' | 'comment' | 'option' | 'choice' | 'member';

/** What sets a row apart. */
export type Mark = 'changed' | 'new' | 'modified' | 'selected' | 'implied' | 'invisible' | 'different' | 'context';

/** One line of the tree as it is shown. Ids are those of the generation of the tree that the state names. */
export interface Row {
  readonly id: number;
  /** From 1, as screen readers count. */
  readonly level: number;
  readonly position: number;
  readonly siblings: number;
  readonly kind: RowKind;
  /** The prompt or title; the name where there is none. */
  readonly title: string;
  readonly name?: string;
  readonly type?: OptionType;
  /** A choice's value is its member's title. */
  readonly value?: string;
  /** The values that a bool or tristate takes now. */
  readonly accepts?: readonly Tristate[];
  /** Whether a number or text may be changed now. */
  readonly editable?: boolean;
  readonly low?: string;
  readonly high?: string;
  /** Undefined where nothing is below. */
  readonly open?: boolean;
  readonly marks: readonly Mark[];
  /** In a few words: why the row cannot be changed. */
  readonly reason?: string;
  /** The value in the configuration that is compared with, where it is another. */
  readonly other?: string;
}

/** A menu above a row. */
export interface Crumb {
  readonly id: number;
  readonly title: string;
}

/** Where something is written; `path` is absolute. */
export interface SourcePlace {
  readonly label: string;
  readonly path: string;
  readonly line: number;
}

/** Another option, by name. */
export interface OptionLink {
  readonly name: string;
  readonly title?: string;
  readonly value?: string;
  /** False for names that nothing defines. */
  readonly defined: boolean;
}

/** A condition with its truth. */
export interface ClauseView {
  readonly text: string;
  readonly value: Tristate;
  readonly kind: 'symbol' | 'compare' | 'not' | 'and' | 'or' | 'none';
  readonly operands: readonly ClauseView[];
  readonly symbols: readonly OptionLink[];
}

/** One rule that speaks about a value. */
export interface RuleView {
  readonly kind: string;
  /** What it did to the value; `none` where it had no effect. */
  readonly effect: 'decides' | 'raises' | 'limits' | 'none';
  readonly text: string;
  readonly place?: SourcePlace;
  readonly condition?: ClauseView;
  readonly by?: OptionLink;
}

/** A value that changes. */
export interface ChangeView {
  readonly name: string;
  readonly title?: string;
  readonly before: string;
  readonly after: string;
  /** The option can be seen only after, or only before. */
  readonly visibility?: 'appears' | 'disappears';
}

/** What one change of the option would bring. */
export interface EffectView {
  readonly value: string;
  /** Without the option itself; at most `mostChanges`. */
  readonly changes: readonly ChangeView[];
  readonly count: number;
  readonly warnings: readonly string[];
}

/** Longer lists are cut. */
export const mostChanges = 200;

/** A list of options that may have been cut. */
export interface LinkList {
  readonly links: readonly OptionLink[];
  readonly count: number;
}

/** All about one row. */
export interface Details {
  readonly row: Row;
  readonly crumbs: readonly Crumb[];
  readonly help?: string;
  readonly places: readonly SourcePlace[];
  /** The value without the user's say. */
  readonly usual?: string;
  /** Whether there is a value of the user's to take away. */
  readonly resettable: boolean;
  readonly effects: readonly EffectView[];
  readonly summary?: string;
  readonly rules: readonly RuleView[];
  readonly dependsOn?: ClauseView;
  readonly selects: LinkList;
  readonly implies: LinkList;
  readonly selectedBy: LinkList;
  readonly impliedBy: LinkList;
  readonly dependents: LinkList;
  /** Values that it does not take now, for which plans are looked for. */
  readonly unreachable: readonly string[];
}

/** A way to a wanted value. */
export interface PlanView {
  readonly steps: readonly ChangeView[];
  /** What changes besides the steps. */
  readonly changes: readonly ChangeView[];
  readonly count: number;
}

/** Ways to a value, or why there is none. */
export interface PlansView {
  readonly name: string;
  readonly wanted: string;
  readonly plans: readonly PlanView[];
  readonly obstacles: readonly ClauseView[];
  /** False where the search was cut short. */
  readonly complete: boolean;
}

/** A message at the top of the page. */
export interface Banner {
  readonly severity: 'error' | 'warning' | 'information';
  readonly text: string;
  readonly place?: SourcePlace;
  readonly action?: { readonly title: string; readonly message: ToExtension };
}

/** What the page shows above the tree, and how long the tree is. */
export interface State {
  /** Grows with every change of the rows. */
  readonly revision: number;
  /** Grows when the Kconfig files are read anew: ids of rows then mean others. */
  readonly generation: number;
  readonly title: string;
  readonly total: number;
  /** Options in the whole tree, and how many of them the query finds. */
  readonly options: number;
  readonly found?: number;
  readonly changed: number;
  readonly showAll: boolean;
  readonly query: string;
  readonly queryError?: string;
  /** What the configuration is compared with. */
  readonly comparison?: { readonly name: string; readonly different: number };
  /** The selected row and its place; -1 where it is not shown. */
  readonly selected?: number;
  readonly selectedIndex: number;
  readonly modules: boolean;
  readonly banners: readonly Banner[];
}

/** What an option that is on adds to the image that was built last. */
export interface CostView {
  readonly bytes: number;
  /** Libraries that are there only for it, largest first. */
  readonly libraries: readonly { readonly title: string; readonly bytes: number }[];
}

/** From the extension to the page. */
export type ToPage =
  | { readonly type: 'state'; readonly state: State; readonly start: number; readonly rows: readonly Row[]; readonly scroll: boolean }
  | { readonly type: 'rows'; readonly revision: number; readonly start: number; readonly rows: readonly Row[] }
  | { readonly type: 'details'; readonly details: Details | undefined }
  | { readonly type: 'plans'; readonly plans: PlansView }
  | { readonly type: 'cost'; readonly name: string; readonly cost: CostView }
  /** Asks before a change; answered with `confirm`. */
  | { readonly type: 'review'; readonly title: string; readonly effect: EffectView; readonly name: string }
  /** Says what a change has changed, or why it was refused. */
  | {
      readonly type: 'notice';
      readonly text: string;
      readonly severity: 'information' | 'warning';
      readonly changes: readonly ChangeView[];
    }
  | { readonly type: 'focusSearch' }
  /** There is no tree to show. */
  | { readonly type: 'failed'; readonly text: string };

/** From the page to the extension. `node` is a row's id. */
export type ToExtension =
  | { readonly type: 'ready'; readonly query: string; readonly showAll: boolean }
  | { readonly type: 'view'; readonly start: number; readonly end: number }
  | { readonly type: 'fold'; readonly node: number; readonly generation: number; readonly open: boolean }
  | { readonly type: 'foldAll'; readonly open: boolean }
  | { readonly type: 'showAll'; readonly on: boolean }
  | { readonly type: 'search'; readonly query: string }
  | { readonly type: 'select'; readonly node: number; readonly generation: number }
  | { readonly type: 'reveal'; readonly name: string }
  | { readonly type: 'set'; readonly node: number; readonly generation: number; readonly value: string }
  | { readonly type: 'reset'; readonly node: number; readonly generation: number }
  | { readonly type: 'confirm'; readonly apply: boolean }
  | { readonly type: 'plan'; readonly name: string; readonly wanted: string }
  | { readonly type: 'applyPlan'; readonly name: string; readonly wanted: string; readonly index: number }
  | { readonly type: 'open'; readonly path: string; readonly line: number }
  | { readonly type: 'update' }
  | { readonly type: 'compare' }
  | { readonly type: 'endComparison' }
  /** Opens the setting that lets commands of the Kconfig files run. */
  | { readonly type: 'shellSetting' }
  | { readonly type: 'saveDefconfig' }
  | { readonly type: 'openText' };
