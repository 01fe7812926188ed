/** The details pane: what an option is, why it has its value, how to give it another, and what hangs on it. */
import {
  type ChangeView,
  type ClauseView,
  type CostView,
  type Details,
  type EffectView,
  type LinkList,
  type OptionLink,
  type PlansView,
  type PlanView,
  type RuleView,
  type SourcePlace,
  type ToExtension,
  type Tristate,
} from '../../shared/config-editor';
import { h, icon } from '../lib/dom';
import { inputProblem } from './validate';

/** Lists longer than this are shown folded. */
const longList = 8;

export class DetailsPane {
  readonly element = h('section', { class: 'details', 'aria-label': 'Details', tabindex: '-1' });
  private readonly plansBox = h('div', { class: 'plans' });
  private readonly costBox = h('div', { class: 'cost' });
  private details: Details | undefined;
  private generation = 0;
  private readonly unfolded = new Set<string>();

  constructor(private readonly send: (message: ToExtension) => void) {}

  show(details: Details | undefined, generation: number): void {
    const same = details !== undefined && details.row.id === this.details?.row.id;
    const scroll = same ? this.element.scrollTop : 0;
    const active = document.activeElement;
    const within = active instanceof HTMLElement && this.element.contains(active);
    const focus = same && within ? active.dataset['focus'] : undefined;
    this.details = details;
    this.generation = generation;
    this.plansBox.replaceChildren();
    this.costBox.replaceChildren();
    this.element.replaceChildren(...(details ? this.content(details) : [this.nothing()]));
    this.element.scrollTop = scroll;
    if (focus !== undefined) this.element.querySelector<HTMLElement>(`[data-focus="${focus}"]`)?.focus();
    // What had the focus is gone, or cannot have it any more: the next key still goes to the details.
    if (within && !this.element.contains(document.activeElement)) this.element.focus({ preventScroll: same });
  }

  /** Says what the option adds to the image, under its values. */
  showCost(name: string, { bytes, libraries }: CostView): void {
    if (name !== this.details?.row.name) return;
    const list = libraries.map(({ title, bytes: own }) => `${title} ${own.toLocaleString('en')}`).join(', ');
    const text = `This option costs ${bytes.toLocaleString('en')} bytes of the image: ${list}.`;
    this.costBox.replaceChildren(h('p', { title: 'Libraries that are there only for this option, at their size in the last build' }, text));
  }

  showPlans(plans: PlansView): void {
    if (plans.name !== this.details?.row.name || !this.details.unreachable.includes(plans.wanted)) return;
    this.plansBox.querySelector(`[data-wanted="${plans.wanted}"]`)?.remove();
    this.plansBox.append(this.plans(plans));
  }

  focus(): void {
    (this.element.querySelector<HTMLElement>('button, a, input') ?? this.element).focus();
  }

  private nothing(): HTMLElement {
    return h('p', { class: 'nothing' }, 'Select an option to see what it is, why it has its value, and what would change with it.');
  }

  private content(details: Details): (HTMLElement | string)[] {
    const { row } = details;
    const out: HTMLElement[] = [this.header(details)];
    const values = this.values(details);
    if (values) out.push(values);
    out.push(this.costBox);
    if (details.help !== undefined && details.help.trim() !== '') out.push(h('div', { class: 'help' }, ...paragraphs(details.help)));
    if (details.unreachable.length > 0) out.push(this.plansBox);
    if (details.summary !== undefined && row.kind !== 'choice') out.push(this.why(details));
    else if (details.dependsOn) out.push(section('Depends on', this.clause(details.dependsOn)));
    const related = this.related(details);
    if (related) out.push(related);
    out.push(
      section(
        details.places.length > 1 ? `Defined in ${details.places.length} places` : 'Defined in',
        h('ul', { class: 'plain' }, ...details.places.map((place) => h('li', {}, this.place(place)))),
      ),
    );
    return out;
  }

  private header({ row, usual }: Details): HTMLElement {
    const facts: HTMLElement[] = [];
    if (row.name !== undefined) facts.push(h('code', { class: 'symbol' }, row.name));
    if (row.type !== undefined) facts.push(h('span', { class: 'fact' }, row.type));
    if (row.low !== undefined) facts.push(h('span', { class: 'fact' }, `${row.low} to ${row.high ?? ''}`));
    if (usual !== undefined && usual !== row.value) facts.push(h('span', { class: 'fact' }, `default ${usual === '' ? 'empty' : usual}`));
    if (row.kind === 'menu' || row.kind === 'choice' || row.kind === 'comment') facts.push(h('span', { class: 'fact' }, row.kind));
    return h('header', {}, h('h2', {}, row.title), h('div', { class: 'facts' }, ...facts));
  }

  // Values

  private values(details: Details): HTMLElement | undefined {
    const { row, effects } = details;
    if (row.type === undefined || row.kind === 'choice') return undefined;
    if (row.accepts) {
      const names = row.kind === 'member' ? { n: 'not chosen', m: 'module', y: 'chosen' } : { n: 'No', m: 'Module', y: 'Yes' };
      const shown = row.type === 'tristate' ? (['n', 'm', 'y'] as const) : (['n', 'y'] as const);
      const takes = (value: Tristate): boolean => row.value === value || row.accepts?.includes(value) === true;
      const entry = shown.find((value) => row.value === value) ?? shown.find(takes);
      const buttons = shown.map((value) => {
        const now = row.value === value;
        return h(
          'button',
          {
            type: 'button',
            role: 'radio',
            class: `segment${now ? ' now' : ''}`,
            'data-focus': `value-${value}`,
            'aria-checked': String(now),
            tabindex: value === entry ? 0 : -1,
            disabled: !takes(value),
            onclick: () => !now && this.set(value),
          },
          names[value],
        );
      });
      return h(
        'div',
        { class: 'values' },
        h(
          'div',
          { class: 'line' },
          h('div', { class: 'segments', role: 'radiogroup', 'aria-label': 'Value', onkeydown: chooseByArrow }, ...buttons),
          this.resetButton(details),
          this.takeOther(details),
        ),
        row.reason !== undefined && h('p', { class: 'locked' }, icon('lock'), ` ${sentence(row.reason)}`),
        ...effects.map((effect) => this.effect(effect)),
      );
    }
    return h(
      'div',
      { class: 'values' },
      this.input(details),
      row.reason !== undefined && h('p', { class: 'locked' }, icon('lock'), ` ${sentence(row.reason)}`),
    );
  }

  private input(details: Details): HTMLElement {
    const { row } = details;
    const problem = h('div', { class: 'problem', role: 'alert' });
    const input = h('input', {
      class: 'text-input',
      type: 'text',
      spellcheck: 'false',
      'aria-label': row.title,
      'data-focus': 'input',
      disabled: row.editable !== true,
    });
    input.value = row.value ?? '';
    const check = (): boolean => {
      const text = inputProblem(row, input.value);
      problem.textContent = text ?? '';
      input.setAttribute('aria-invalid', String(text !== undefined));
      return text === undefined;
    };
    const commit = (): void => {
      if (input.value !== row.value && check()) this.set(input.value);
    };
    input.addEventListener('input', check);
    input.addEventListener('change', commit);
    input.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      input.value = row.value ?? '';
      check();
      event.stopPropagation();
    });
    return h('div', {}, h('div', { class: 'line' }, input, this.resetButton(details), this.takeOther(details)), problem);
  }

  private resetButton({ resettable, usual, row }: Details): HTMLElement | undefined {
    if (!resettable) return undefined;
    const title =
      row.kind === 'member'
        ? 'Back to the default member'
        : `Back to the default${usual === undefined ? '' : `, ${usual === '' ? 'empty' : usual}`}`;
    return h(
      'button',
      {
        type: 'button',
        class: 'link-button',
        title,
        'data-focus': 'reset',
        onclick: () => this.send({ type: 'reset', node: row.id, generation: this.generation }),
      },
      'Reset',
    );
  }

  private takeOther({ row }: Details): HTMLElement | undefined {
    const { other } = row;
    if (other === undefined) return undefined;
    return h(
      'button',
      { type: 'button', class: 'link-button', 'data-focus': 'other', onclick: () => this.set(other) },
      `Take ${other === '' ? 'the empty value' : other} from the other`,
    );
  }

  private set(value: string): void {
    if (this.details) this.send({ type: 'set', node: this.details.row.id, generation: this.generation, value });
  }

  private effect(effect: EffectView): HTMLElement | undefined {
    if (effect.count === 0 && effect.warnings.length === 0) return undefined;
    const { row } = this.details!;
    const doing =
      row.kind === 'member'
        ? 'Choosing it'
        : effect.value === 'y'
          ? 'Turning it on'
          : effect.value === 'n'
            ? 'Turning it off'
            : 'Making it a module';
    const title =
      effect.count === 0
        ? `${doing} brings a warning`
        : `${doing} changes ${effect.count} other ${effect.count === 1 ? 'option' : 'options'}`;
    return this.fold(
      `effect ${effect.value}`,
      title,
      effect.count <= longList,
      changeList(effect.changes, effect.count, (name) => this.reveal(name)),
      ...effect.warnings.map(warning),
    );
  }

  // Plans

  private plans({ wanted, plans, obstacles, complete }: PlansView): HTMLElement {
    const name = this.details?.row.name ?? '';
    const verb = wanted === 'y' ? 'turn it on' : wanted === 'n' ? 'turn it off' : 'make it a module';
    const content: HTMLElement[] =
      plans.length > 0
        ? plans.map((plan, index) => this.plan(plan, () => this.send({ type: 'applyPlan', name, wanted, index })))
        : [
            h(
              'p',
              { class: 'muted' },
              complete ? 'No change in the menus leads there. In its way:' : 'None was found within the time allowed. In its way:',
            ),
            ...obstacles.map((clause) => this.clause(clause)),
          ];
    const heading =
      plans.length === 0 ? `It cannot be ${wanted === 'y' ? 'turned on' : wanted === 'n' ? 'turned off' : 'a module'}` : `To ${verb}`;
    const box = section(heading, ...content);
    box.dataset['wanted'] = wanted;
    return box;
  }

  private plan(plan: PlanView, apply: () => void): HTMLElement {
    const title = plan.steps.map((step) => `${step.name}=${step.after}`).join(', ');
    return h(
      'div',
      { class: 'plan' },
      h(
        'div',
        { class: 'plan-steps' },
        changeList(plan.steps, plan.steps.length, (name) => this.reveal(name)),
        plan.count > 0 &&
          this.fold(
            `plan ${title}`,
            `changes ${plan.count} more`,
            false,
            changeList(plan.changes, plan.count, (name) => this.reveal(name)),
          ),
      ),
      h('button', { type: 'button', class: 'button', 'aria-label': `Apply the plan: ${title}`, onclick: apply }, 'Apply'),
    );
  }

  // Why

  private why(details: Details): HTMLElement {
    const { rules } = details;
    const told = rules.filter((rule) => rule.effect !== 'none');
    const rest = rules.filter((rule) => rule.effect === 'none');
    const value = details.row.value === '' ? 'empty' : (details.row.value ?? '');
    return section(
      `Why it is ${value}`,
      ...(told.length === 0 ? [h('p', {}, sentence(details.summary ?? ''))] : told.map((rule) => this.rule(rule, true))),
      rest.length > 0 &&
        this.fold(
          'rules',
          `${rest.length} other ${rest.length === 1 ? 'rule' : 'rules'} about it`,
          told.length === 0 || rest.length <= 3,
          ...rest.map((rule) => this.rule(rule, false)),
        ),
    );
  }

  private rule(rule: RuleView, strong: boolean): HTMLElement {
    const mark = { decides: 'pass-filled', raises: 'arrow-circle-up', limits: 'arrow-circle-down', none: 'circle-outline' }[rule.effect];
    return h(
      'div',
      { class: `rule ${rule.effect}` },
      icon(mark),
      h(
        'div',
        {},
        h(
          'span',
          { class: strong ? 'rule-text strong' : 'rule-text' },
          rule.by ? rule.text.replace(new RegExp(`\\s*${rule.by.name}$`), '') : rule.text,
        ),
        rule.by && ' ',
        rule.by && this.linkTo(rule.by),
        rule.place && ' ',
        rule.place && this.place(rule.place),
        rule.condition && !(rule.by && rule.condition.text === rule.by.name) && this.clause(rule.condition),
      ),
    );
  }

  /** A condition: each clause on a line of its own, with its truth and links to its symbols. */
  private clause(clause: ClauseView): HTMLElement {
    const parts = clause.kind === 'and' || clause.kind === 'or' ? clause.operands : [];
    const truth = h(
      'span',
      {
        class: `truth ${clause.value}`,
        title: clause.value === 'y' ? 'holds' : clause.value === 'm' ? 'holds as a module' : 'does not hold',
      },
      icon(clause.value === 'n' ? 'x' : 'check'),
      h('span', { class: 'sr' }, clause.value === 'n' ? 'false: ' : 'true: '),
    );
    if (parts.length === 0) return h('div', { class: `clause ${clause.value}` }, truth, h('span', {}, ...this.linked(clause)));
    return h(
      'div',
      { class: `clause ${clause.value}` },
      truth,
      h('span', { class: 'joined' }, clause.kind === 'and' ? 'all of' : 'any of'),
      h('div', { class: 'operands' }, ...parts.map((part) => this.clause(part))),
    );
  }

  /** A leaf's text with its symbols as links. */
  private linked(clause: ClauseView): (HTMLElement | string)[] {
    const symbols = new Map<string, OptionLink>();
    const collect = (each: ClauseView): void => {
      for (const symbol of each.symbols) symbols.set(symbol.name, symbol);
      each.operands.forEach(collect);
    };
    collect(clause);
    return clause.text.split(/([A-Za-z0-9_]+)/).map((piece) => {
      const link = symbols.get(piece);
      return link ? this.linkTo(link, clause.kind !== 'symbol') : piece;
    });
  }

  // Links

  private linkTo(link: OptionLink, withValue = true): HTMLElement {
    if (!link.defined) return h('span', { class: 'undefined', title: 'Nothing defines it' }, `${link.name} (undefined)`);
    const value = link.value === undefined || !withValue ? '' : ` = ${link.value === '' ? 'empty' : link.value}`;
    return h(
      'span',
      {},
      h('button', { type: 'button', class: 'link', title: link.title, onclick: () => this.reveal(link.name) }, link.name),
      value !== '' && h('span', { class: 'muted' }, value),
    );
  }

  private reveal(name: string): void {
    this.send({ type: 'reveal', name });
  }

  private place(place: SourcePlace): HTMLElement {
    return h(
      'button',
      {
        type: 'button',
        class: 'link place',
        title: `Open ${place.path}`,
        onclick: () => this.send({ type: 'open', path: place.path, line: place.line }),
      },
      place.label,
    );
  }

  private related(details: Details): HTMLElement | undefined {
    const lists: readonly (readonly [string, LinkList])[] = [
      ['Selects', details.selects],
      ['Implies', details.implies],
      ['Selected by', details.selectedBy],
      ['Implied by', details.impliedBy],
      ['Used by', details.dependents],
    ];
    const shown = lists.filter(([, list]) => list.count > 0);
    if (shown.length === 0) return undefined;
    return section(
      'Related options',
      ...shown.map(([title, list]) => {
        const items = h(
          'ul',
          { class: 'plain' },
          ...list.links.map((link) =>
            h('li', {}, this.linkTo(link), link.title !== undefined && h('span', { class: 'muted title-of' }, link.title)),
          ),
        );
        const cut = list.count > list.links.length ? h('p', { class: 'muted' }, `and ${list.count - list.links.length} more`) : undefined;
        return this.fold(title, `${title} ${list.count}`, list.count <= longList, items, cut);
      }),
    );
  }

  private fold(key: string, title: string, open: boolean, ...children: (HTMLElement | undefined)[]): HTMLElement {
    const wanted = this.unfolded.has(`+${key}`) || (open && !this.unfolded.has(`-${key}`));
    const element = h('details', { open: wanted }, h('summary', {}, title), ...children);
    element.addEventListener('toggle', () => {
      this.unfolded.delete(`${element.open ? '-' : '+'}${key}`);
      if (element.open !== open) this.unfolded.add(`${element.open ? '+' : '-'}${key}`);
    });
    return element;
  }
}

/** Arrows go through a group of radio buttons and choose, as they do in every other. */
function chooseByArrow(event: KeyboardEvent): void {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (step === undefined || !(event.currentTarget instanceof HTMLElement)) return;
  const buttons = [...event.currentTarget.querySelectorAll<HTMLButtonElement>('button:not(:disabled)')];
  const from = buttons.findIndex((button) => button === document.activeElement);
  const next = buttons[(from + step + buttons.length) % buttons.length];
  event.preventDefault();
  event.stopPropagation();
  next?.focus();
  next?.click();
}

function warning(text: string): HTMLElement {
  return h('p', { class: 'warning' }, icon('warning'), ` ${text}`);
}

function section(title: string, ...children: (HTMLElement | undefined | false)[]): HTMLElement {
  return h('section', { class: 'part', 'aria-label': title }, h('h3', {}, title), ...children);
}

/** Options with their old and new values. */
export function changeList(changes: readonly ChangeView[], count: number, reveal: (name: string) => void): HTMLElement {
  const more = count > changes.length ? h('li', { class: 'muted' }, `and ${count - changes.length} more`) : undefined;
  return h(
    'ul',
    { class: 'plain changes' },
    ...changes.map((change) =>
      h(
        'li',
        {},
        h('button', { type: 'button', class: 'link', title: change.title, onclick: () => reveal(change.name) }, change.name),
        ' ',
        h('span', { class: 'from' }, change.before === '' ? 'empty' : change.before),
        icon('arrow-small-right'),
        h('span', { class: 'to' }, change.after === '' ? 'empty' : change.after),
        change.visibility && h('span', { class: 'muted' }, ` ${change.visibility}`),
      ),
    ),
    more,
  );
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A help text's paragraphs; lines that are indented or listed keep their breaks. */
function paragraphs(help: string): HTMLElement[] {
  return help
    .trim()
    .split(/\n\s*\n/)
    .map((text) => {
      const kept = /^\s+\S/m.test(text) || /^\s*[-*]/m.test(text);
      return h('p', { class: kept ? 'kept' : '' }, kept ? text : text.replace(/\s*\n\s*/g, ' '));
    });
}
