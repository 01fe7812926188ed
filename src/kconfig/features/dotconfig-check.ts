/** What is wrong with a .config, a defconfig or a fragment, and what would mend it. */
import { writeDefconfig } from '../dotconfig/defconfig';
import { assignmentLine } from '../dotconfig/write';
import { parseDotConfig, type Assignment } from '../dotconfig/read';
import { type Evaluation } from '../evaluate';
import { type Plan, type Step } from '../how';
import { nearest } from '../lint';
import { type KSymbol } from '../model';
import { rangeBounds } from '../range';
import { unmetDependency } from '../unmet';
import { escapeString, isValidText } from '../values';
import { comesFromMake, saysValue } from './dotconfig';
import { fixesOf, wholeLines, type Fix } from './fixes';
import { obstaclesOf } from './hover';
import { nodePlace, pathOf, type Edit, type Finding, type KconfigView } from './view';

/** How a file is to be judged. */
export interface DotConfigRole {
  /** A whole .config, in which every option has its line, as against a defconfig or fragment. */
  readonly whole: boolean;
  /** The library that defines an option which the tree does not have. */
  readonly provider?: (symbol: string) => string | undefined;
}

/** Names for suggestions are only looked for this often, as a file may be of another tree altogether. */
const mostSuggestions = 50;
const mostPlans = 3;

/** The findings of a text that `view.configuration` has been loaded from. */
export function checkDotConfig(view: KconfigView, text: string, role: DotConfigRole): Finding[] {
  const { configuration } = view;
  const { values, prefix } = configuration;
  const { model } = view.service.tree;
  const { assignments } = parseDotConfig(text, prefix, model.dialect);
  const found: Finding[] = configuration.diagnostics
    .filter((one) => one.start !== undefined && one.end !== undefined)
    .map(({ code, severity, message, start, end }) => ({ code, severity, message, start: start!, end: end! }));
  if (view.partial && model.byName.size === 0) return found;
  const needless = role.whole ? new Set<string>() : redundantNames(view);
  const last = new Map(assignments.map((one) => [one.name, one]));
  const names = [...model.byName.values()].filter((symbol) => symbol.isDefined).map((symbol) => symbol.label);
  let suggestions = 0;
  for (const assignment of assignments) {
    const symbol = model.byName.get(assignment.name);
    if (!symbol?.isDefined) {
      if (view.partial || isMakeVariable(assignment.name)) continue;
      const provider = role.provider?.(assignment.name);
      const suggestion = provider === undefined && suggestions++ < mostSuggestions ? nearest(assignment.name, names) : undefined;
      found.push(unknownFinding(assignment, prefix, suggestion, provider));
      continue;
    }
    if (last.get(assignment.name) !== assignment) continue;
    const finding = judge(view, symbol, assignment);
    if (finding) found.push(finding);
    else if (needless.has(assignment.name) && saysValue(values, symbol, assignment)) {
      found.push({
        code: 'config-redundant',
        severity: 'hint',
        message: `${prefix}${symbol.label} has this value without the line, too`,
        start: assignment.start,
        end: assignment.end,
        unnecessary: true,
      });
    }
  }
  found.push(...unmet(view, last));
  return found.sort((a, b) => a.start - b.start);
}

/** UK_NAME and its like are variables of make which upstream writes into defconfigs; kconfig passes over them. */
export function isMakeVariable(name: string): boolean {
  return name === 'UK_NAME';
}

function unknownFinding(assignment: Assignment, prefix: string, suggestion: string | undefined, provider: string | undefined): Finding {
  const hint =
    provider !== undefined ? `; the library ${provider} defines it` : suggestion === undefined ? '' : `; is ${prefix}${suggestion} meant?`;
  return {
    code: 'config-unknown-symbol',
    severity: 'warning',
    message: `nothing defines ${assignment.name}, so this line has no effect${hint}`,
    start: assignment.nameStart,
    end: assignment.nameEnd,
    ...(suggestion !== undefined && { suggestion: prefix + suggestion }),
  };
}

function judge(view: KconfigView, symbol: KSymbol, assignment: Assignment): Finding | undefined {
  const { configuration } = view;
  const { values, prefix } = configuration;
  const { start, end, value } = assignment;
  const wanted = value === undefined ? 'n' : value;
  const base = { start, end };
  if (symbol.isBoolean && value !== undefined && !/^[ynm]$/.test(value) && /^[ynm]/.test(value)) {
    return {
      ...base,
      code: 'config-trailing',
      severity: 'warning',
      message: `only the first letter of “${value}” counts; write ${prefix}${symbol.label}=${value[0]}`,
    };
  }
  // What the reader has said already need not be said again.
  if (value !== undefined && symbol.type !== 'string' && !isValidText(symbol.type, value)) return undefined;
  if (symbol.type === 'bool' && value === 'm') return undefined;
  if (saysValue(values, symbol, assignment) || comesFromMake(symbol)) return undefined;
  const bounds = symbol.type === 'int' || symbol.type === 'hex' ? rangeBounds(values, symbol) : undefined;
  if (bounds && value !== undefined) {
    const number = bounds.read(value);
    if (number < bounds.low || number > bounds.high) {
      const message = `${value} is outside the range ${bounds.lowText} to ${bounds.highText}, so the value is ${values.text(symbol)}`;
      return { ...base, code: 'config-out-of-range', severity: 'warning', message };
    }
  }
  const proof = configuration.why(symbol);
  const now = proof.value === '' ? 'empty' : proof.value;
  const node = symbol.nodes[0]!;
  const related = [{ place: nodePlace(view, node), message: `${symbol.label} is defined here` }];
  if (
    proof.reason.file !== undefined &&
    proof.reason.line !== undefined &&
    (proof.reason.kind === 'select' || proof.reason.kind === 'choice')
  ) {
    related.push({ place: { path: pathOf(view, proof.reason.file), start: 0, end: 0 }, message: proof.reason.text });
  }
  const why =
    proof.visible === 0
      ? symbol.prompts.length === 0
        ? `it has no prompt, so only defaults and other options set it (${proof.reason.text})`
        : obstaclesOf(proof)
            .map((line) => line.slice(2).replaceAll('`', '').replace(/\\/g, ''))
            .join('; ')
      : proof.reason.text;
  return {
    ...base,
    code: symbol.prompts.length === 0 ? 'config-without-prompt' : 'config-not-taken',
    severity: 'warning',
    message: `${symbol.label} is ${wanted} here, but comes to ${now}: ${why}`,
    wanted: { symbol: symbol.label, value: plain(symbol, wanted) },
    related: related.slice(0, 1),
  };
}

/** A value as the engine takes it: without quotes. */
function plain(symbol: KSymbol, value: string): string {
  return symbol.type === 'string' ? value.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1') : symbol.isBoolean ? value[0]! : value;
}

/** Names whose line is not in the least text that gives this configuration. */
function redundantNames(view: KconfigView): Set<string> {
  const { values, prefix } = view.configuration;
  const needed = new Set(parseDotConfig(writeDefconfig(values, prefix), prefix).assignments.map((one) => one.name));
  return new Set([...view.service.tree.model.byName.keys()].filter((name) => !needed.has(name)));
}

function unmet(view: KconfigView, lines: ReadonlyMap<string, Assignment>): Finding[] {
  const { values } = view.configuration;
  const found: Finding[] = [];
  for (const symbol of view.service.tree.model.byName.values()) {
    if (!symbol.isDefined || !symbol.isBoolean || values.reverseDependency(symbol) <= values.directDependency(symbol)) continue;
    const selector = symbol.reverseDependency && firstSelector(values, symbol);
    const line = lines.get(symbol.label) ?? (selector === undefined ? undefined : lines.get(selector));
    const { start, end } = line ?? { start: 0, end: 0 };
    found.push({
      code: 'unmet-dependency',
      severity: 'warning',
      message: unmetDependency(values, symbol).printed?.trim() ?? '',
      start,
      end,
      related: [{ place: nodePlace(view, symbol.nodes[0]!), message: `${symbol.label} is defined here` }],
    });
  }
  return found;
}

function firstSelector(values: Evaluation, symbol: KSymbol): string | undefined {
  for (const other of values.model.symbols) {
    if (!other.isDefined || other.isConstant || values.tri(other) === 0) continue;
    if (other.properties.some((one) => one.kind === 'select' && one.target === symbol)) return other.label;
  }
  return undefined;
}

/** The fixes of one finding. */
export function fixDotConfig(view: KconfigView, text: string, finding: Finding): Fix[] {
  const { prefix } = view.configuration;
  const { start, end, code, suggestion } = finding;
  const fix = fixesOf(finding);
  const remove = (title: string): Fix => fix(title, [wholeLines(text, start, end)]);
  if (suggestion !== undefined)
    return [fix(`Change to ${suggestion}`, [{ start, end, text: suggestion }], true), remove('Remove this line')];
  switch (code) {
    case 'config-unknown-symbol':
    case 'config-unexpected':
      return [...mendLine(text, finding, prefix, fix), remove('Remove this line')];
    case 'config-redundant':
      return [remove('Remove this line, which changes nothing')];
    case 'config-trailing':
      return [fix('Keep the first letter', [{ start, end, text: text.slice(start, end).replace(/=(.).*$/, '=$1') }], true)];
    case 'config-reassigned':
      return earlierLine(text, finding, prefix).map((edit) => fix('Remove the earlier line, which this one overrides', [edit], true));
    case 'config-not-taken':
    case 'config-without-prompt':
      return [...planFixes(view, text, finding), remove('Remove this line, which has no effect')];
    case 'config-out-of-range': {
      const assignment = parseDotConfig(text, prefix).assignments.find((one) => one.start === start);
      const symbol = assignment && view.service.tree.model.byName.get(assignment.name);
      const bounds = symbol && rangeBounds(view.configuration.values, symbol);
      if (!bounds || assignment.value === undefined) return [];
      const near = bounds.read(assignment.value) < bounds.low ? bounds.lowText : bounds.highText;
      return [fix(`Change to ${near}`, [{ start: assignment.valueStart, end: assignment.valueEnd, text: near }], true)];
    }
    case 'config-invalid-value':
      return [remove('Remove this line, which has no effect')];
    default:
      return [];
  }
}

/** `CONFIG_X = y`, `X=y` and `#CONFIG_X is not set` in the form that counts. */
function mendLine(
  text: string,
  { start, end }: Finding,
  prefix: string,
  fix: (title: string, edits: readonly Edit[], preferred?: boolean) => Fix,
): Fix[] {
  const line = text.slice(start, end);
  const match = new RegExp(`^\\s*(?:export\\s+)?(${prefix})?([A-Za-z0-9_]+)\\s*=\\s*(.*?)\\s*$`).exec(line);
  if (!match) return [];
  const mended = `${prefix}${match[2]}=${match[3]}`;
  return mended === line ? [] : [fix(`Write “${mended}”`, [{ start, end, text: mended }], true)];
}

function earlierLine(text: string, { start }: Finding, prefix: string): Edit[] {
  const { assignments } = parseDotConfig(text, prefix);
  const own = assignments.find((one) => one.start === start);
  const earlier = assignments.findLast((one) => one.start < start && one.name === own?.name);
  return earlier ? [wholeLines(text, earlier.start, earlier.end)] : [];
}

/** Plans that make the value come true, as edits of the text. */
export function planFixes(view: KconfigView, text: string, finding: Finding): Fix[] {
  const { configuration } = view;
  const { wanted } = finding;
  const symbol = wanted && configuration.symbol(wanted.symbol);
  if (!symbol) return [];
  const { plans } = configuration.how(symbol, wanted.value, { plans: mostPlans });
  return plans
    .filter((plan) => plan.steps.length > 0)
    .map((plan, index) => ({
      title: planTitle(plan, configuration.prefix),
      kind: 'quickfix' as const,
      preferred: index === 0,
      finding,
      edits: planEdits(text, plan.steps, configuration.prefix),
    }));
}

function planTitle({ steps, changes }: Plan, prefix: string): string {
  const others = changes.length - steps.length;
  const shown = steps.map((step) => `${prefix}${step.symbol.label}=${step.value}`).join(', ');
  return `Set ${shown}${others > 0 ? ` (changes ${others} more)` : ''}`;
}

/** The line of a value in a .config. */
export function lineFor(symbol: KSymbol, value: string, prefix: string): string {
  if (symbol.isBoolean) return value === 'n' ? `# ${prefix}${symbol.label} is not set` : `${prefix}${symbol.label}=${value}`;
  return `${prefix}${symbol.label}=${symbol.type === 'string' ? `"${escapeString(value)}"` : value}`;
}

/** Edits that put values into a .config: lines that are there are changed, others added at the end. */
export function planEdits(text: string, steps: readonly Step[], prefix: string): Edit[] {
  const lines = new Map(parseDotConfig(text, prefix).assignments.map((one) => [one.name, one]));
  const edits: Edit[] = [];
  let added = '';
  for (const { symbol, value } of new Map(steps.map((step) => [step.symbol, step])).values()) {
    const line = lines.get(symbol.label);
    const wanted = lineFor(symbol, value, prefix);
    if (line) edits.push({ start: line.start, end: line.end, text: wanted });
    else added += `${wanted}\n`;
    // A choice's other members give way.
    if (!symbol.choice || value !== 'y') continue;
    for (const member of symbol.choice.members) {
      const other = member === symbol ? undefined : lines.get(member.label);
      if (other?.value === 'y') edits.push({ start: other.start, end: other.end, text: lineFor(member, 'n', prefix) });
    }
  }
  if (added !== '') {
    const feed = text === '' || text.endsWith('\n') ? '' : '\n';
    edits.push({ start: text.length, end: text.length, text: feed + added });
  }
  return edits.sort((a, b) => a.start - b.start);
}

/** What a plan sets beside the option that it is for, ` with A=y, B=n`; empty where that is nothing. */
export function othersIn(steps: readonly Step[], symbol: KSymbol): string {
  const others = steps.filter((one) => one.symbol !== symbol).map((one) => `${one.symbol.label}=${one.value}`);
  return others.length === 0 ? '' : ` with ${others.join(', ')}`;
}

/** Changes offered for the line at an offset: enable, disable, take on the value that the tree gives. */
export function refactorDotConfig(view: KconfigView, text: string, offset: number): Fix[] {
  const { values, prefix } = view.configuration;
  const line = parseDotConfig(text, prefix).assignments.find(({ start, end }) => offset >= start && offset <= end);
  const symbol = line && view.service.tree.model.byName.get(line.name);
  if (!line || !symbol?.isDefined) return [];
  const change = (title: string, wanted: string): Fix => ({
    title,
    kind: 'refactor',
    edits: [{ start: line.start, end: line.end, text: wanted }],
  });
  const fixes: Fix[] = [];
  if (symbol.isBoolean) {
    const wanted = line.value !== undefined && !line.value.startsWith('n') ? 'n' : 'y';
    const title = `${wanted === 'y' ? 'Enable' : 'Disable'} ${symbol.label}`;
    if (values.text(symbol) === wanted) fixes.push(change(title, lineFor(symbol, wanted, prefix)));
    else {
      // The line alone has no effect where other options decide; with them it has.
      const [plan] = view.configuration.how(symbol, wanted, { plans: 1 }).plans;
      if (plan && plan.steps.length > 0)
        fixes.push({ title: title + othersIn(plan.steps, symbol), kind: 'refactor', edits: planEdits(text, plan.steps, prefix) });
    }
    if (line.value === 'n') fixes.push(change(`Write “# ${prefix}${symbol.label} is not set”`, lineFor(symbol, 'n', prefix)));
  }
  if (!saysValue(values, symbol, line)) {
    const now = assignmentLine(values, symbol, prefix).trimEnd();
    if (now !== '' && !fixes.some((one) => one.edits[0]?.text === now)) fixes.push(change(`Write the value it has: ${now}`, now));
  }
  return fixes;
}

/** One fix that removes every line without effect on the result. */
export function removeAllRedundant(text: string, findings: readonly Finding[]): Fix | undefined {
  const redundant = findings.filter((one) => one.code === 'config-redundant');
  if (redundant.length < 2) return undefined;
  return {
    title: `Remove all ${redundant.length} lines that change nothing`,
    kind: 'quickfix',
    finding: redundant[0]!,
    edits: redundant.map(({ start, end }) => wholeLines(text, start, end)),
  };
}
