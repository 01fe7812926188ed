/** Judges a Kraftfile: everything that kraft would refuse, ignore, or take otherwise than it looks. */
import { type KSymbol } from '../kconfig/model';
import { isScalar, type Node } from 'yaml';
import { guessedSymbol, type KraftContext, type TextEdit } from './context';
import { type Entry, type Span } from './document';
import { type Component, isSemver, type KconfigEntry, type Kraftfile, kraftVersion, shapeOf, type Target, targetSuffix } from './model';
import { nearest } from './near';
import { architectures, type KeyFact, keyFact, keysOf, type Place, platforms, stepInto, type ValueFact, valueFact } from './schema';

export type KraftSeverity = 'error' | 'warning' | 'information';

/** A fault with its exact place. */
export interface KraftDiagnostic extends Span {
  readonly code: string;
  readonly severity: KraftSeverity;
  readonly message: string;
  /** A change that mends it. */
  readonly fix?: { readonly title: string; readonly edits: readonly TextEdit[] };
}

/** All that is wrong, in the order of the text. */
export function validate(kraftfile: Kraftfile, context: KraftContext = {}): KraftDiagnostic[] {
  return new Validator(kraftfile, context).run();
}

class Validator {
  private readonly found: KraftDiagnostic[] = [];

  constructor(
    private readonly file: Kraftfile,
    private readonly context: KraftContext,
  ) {}

  run(): KraftDiagnostic[] {
    const { document } = this.file;
    for (const fault of document.faults) this.say('kraftfile-yaml', fault.severity, fault, fault.message);
    const { root } = document;
    if (!root) {
      const blank = document.text.replace(/^\s*#.*$/gm, '').trim() === '';
      if (blank)
        this.say('kraftfile-empty', 'error', { start: 0, end: 0 }, 'The Kraftfile is empty. It needs at least spec, unikraft and targets.');
      else if (document.faults.length === 0)
        this.say('kraftfile-form', 'error', { start: 0, end: document.text.length }, 'A Kraftfile is a map of keys, such as “spec: v0.6”.');
      return this.sorted();
    }
    this.walk('root', root);
    this.spec(root);
    this.required();
    this.components();
    this.targets();
    this.values();
    return this.sorted();
  }

  private sorted(): KraftDiagnostic[] {
    return this.found.sort((a, b) => a.start - b.start || a.end - b.end);
  }

  private say(code: string, severity: KraftSeverity, { start, end }: Span, message: string, fix?: KraftDiagnostic['fix']): void {
    this.found.push({ code, severity, start, end, message, ...(fix && { fix }) });
  }

  // Keys and forms

  private walk(place: Place, node: Node): void {
    const { document } = this.file;
    const facts = keysOf(place);
    const seen = new Map<string, Entry>();
    for (const entry of document.entries(node)) {
      const fact = facts.length > 0 ? keyFact(place, entry.key) : undefined;
      this.repeated(entry, fact, seen);
      if (facts.length > 0 && !fact) {
        this.unknownKey(place, entry, facts);
        continue;
      }
      if (fact) this.form(entry, fact);
      const next = stepInto(place, entry.key);
      const value = document.resolved(entry.value);
      if (next && value) this.walk(next, value);
    }
    for (const [index, item] of document.items(node).entries()) {
      const next = stepInto(place, index);
      if (next && document.resolved(item)) this.walk(next, document.resolved(item)!);
    }
  }

  private repeated(entry: Entry, fact: KeyFact | undefined, seen: Map<string, Entry>): void {
    const meaning = fact?.means ?? entry.key;
    const before = seen.get(meaning);
    seen.set(meaning, entry);
    if (!before) return;
    const message =
      before.key === entry.key
        ? `“${entry.key}” stands here twice; only one of them can count.`
        : `“${before.key}” and “${entry.key}” mean the same; give one of them.`;
    this.say('kraftfile-repeated', 'error', entry.keySpan, message);
  }

  private unknownKey(place: Place, entry: Entry, facts: readonly KeyFact[]): void {
    if (place === 'root' && entry.key.startsWith('x-')) return;
    const meant = nearest(
      entry.key,
      facts.map((fact) => fact.key),
    );
    const names = facts.filter((fact) => fact.means === undefined).map((fact) => fact.key);
    const where = place === 'root' ? 'A Kraftfile' : place === 'component' ? 'A component' : `A ${place}`;
    const message = `${where} has no key “${entry.key}”; kraft passes over it. ${meant ? `Do you mean “${meant}”?` : `There are ${names.join(', ')}.`}`;
    this.say('kraftfile-unknown-key', 'warning', entry.keySpan, message, meant === undefined ? undefined : replace(entry.keySpan, meant));
  }

  private form(entry: Entry, fact: KeyFact): void {
    const { document, version } = this.file;
    const value = document.resolved(entry.value);
    const shape = shapeOf(value);
    if (version === '0.5' && fact.since === '0.6' && fact.key !== 'spec') {
      this.say('kraftfile-too-new', 'warning', entry.keySpan, `“${fact.key}” came with version 0.6 of the format; this file says 0.5.`);
    }
    if (shape === 'nothing') {
      const mayBeEmpty =
        fact.place === 'libraries' ||
        fact.place === 'component' ||
        fact.place === 'kconfig' ||
        fact.place === 'env' ||
        fact.place === 'labels';
      if (!mayBeEmpty) this.say('kraftfile-empty-value', 'error', entry.keySpan, `“${entry.key}” has no value.`);
      return;
    }
    if (fact.shapes.includes(shape) || (shape !== 'map' && shape !== 'list' && fact.shapes.includes('text'))) return;
    const span = document.span(entry.value);
    const wanted = fact.shapes
      .filter((each) => each !== 'number' || fact.shapes.length === 1)
      .map((each) => `a ${each === 'text' ? 'text' : each}`)
      .join(' or ');
    this.say(
      'kraftfile-form',
      fact.key === 'rootfs' ? 'warning' : 'error',
      span,
      `“${entry.key}” takes ${wanted}, and this is a ${shape}.`,
    );
  }

  // The parts

  private spec(root: Node): void {
    const { spec, document } = this.file;
    if (!spec) {
      if (document.entries(root).some((entry) => entry.key === 'spec' || entry.key === 'specification')) return;
      const fix = {
        title: 'Add spec: v0.6',
        edits: [{ start: document.span(root).start, end: document.span(root).start, text: 'spec: v0.6\n' }],
      };
      const first = document.entries(root)[0]?.keySpan ?? { start: 0, end: 0 };
      this.say(
        'kraftfile-no-spec',
        'error',
        first,
        'The Kraftfile does not say which version of the format it has. Begin it with “spec: v0.6”.',
        fix,
      );
    } else if (!isSemver(spec.value))
      this.say('kraftfile-spec', 'error', spec, `“${spec.value}” is no version; kraft asks for one such as v0.6.`, replace(spec, 'v0.6'));
    else if (kraftVersion(spec.value) === undefined)
      this.say(
        'kraftfile-spec',
        'warning',
        spec,
        `Version ${spec.value} of the format is not known; there are 0.5 and 0.6.`,
        replace(spec, 'v0.6'),
      );
  }

  private required(): void {
    const { unikraft, runtime, template, version, targets, document, outdir, name } = this.file;
    const { keySpan } = document.entries(document.root)[0] ?? { keySpan: { start: 0, end: 0 } };
    if (!unikraft && !runtime && !template) {
      this.say(
        'kraftfile-no-core',
        'error',
        keySpan,
        `The Kraftfile names no core: add “unikraft: stable”${version === '0.5' ? '' : ', or a runtime'}.`,
      );
    } else if (!unikraft && version === '0.5' && !template)
      this.say('kraftfile-no-core', 'error', keySpan, 'Version 0.5 of the format needs “unikraft”.');
    if (unikraft && targets.length === 0) {
      const key = document.entries(document.root).find((entry) => entry.key === 'targets');
      this.say(
        'kraftfile-no-targets',
        'warning',
        key?.keySpan ?? keySpan,
        'There is no target, so that nothing can be built: add one such as “qemu/x86_64”.',
      );
    }
    if (outdir && outdir.value !== name?.value) {
      this.say(
        'kraftfile-outdir',
        'information',
        outdir,
        `kraft takes the value of outdir as the project’s name, too: images will be named “${outdir.value}”.`,
      );
    }
  }

  private components(): void {
    const { unikraft, template, runtime, libraries } = this.file;
    for (const [title, component] of [
      ['unikraft', unikraft],
      ['template', template],
      ['runtime', runtime],
    ] as const) {
      if (component) this.component(title, component);
    }
    for (const { name, component } of libraries) {
      this.component(name.value, component);
      this.library(name.value, name, component);
    }
  }

  private component(title: string, component: Component): void {
    if (!component.isShort && component.source === undefined && component.version === undefined && title !== 'runtime') {
      this.say(
        'kraftfile-no-version',
        'warning',
        component,
        `${title} has neither a version nor a source: kraft cannot know what to fetch. Give “version: stable”.`,
      );
    }
    this.kconfig(component.kconfig);
  }

  private library(name: string, span: Span, component: Component): void {
    const { libraries, model } = this.context;
    const info = libraries?.find((each) => each.title === name);
    if (libraries && !info && component.source === undefined) {
      const meant = nearest(
        name,
        libraries.map((each) => each.title),
      );
      const advice = meant ? `Do you mean “${meant}”?` : 'Update the index, or give its source.';
      this.say(
        'kraftfile-unknown-library',
        'warning',
        span,
        `The pool has no library “${name}”. ${advice}`,
        meant === undefined ? undefined : replace(span, meant),
      );
    }
    const { version } = component;
    if (info && version && info.versions.length > 0 && !component.source) {
      const known = [...info.channels, ...info.versions.map((each) => each.version)];
      // A commit or a branch is no version that an index lists.
      if (/^v?\d+(\.\d+)+$/.test(version.value) && !known.includes(version.value) && !known.includes(version.value.replace(/^v/, ''))) {
        this.say(
          'kraftfile-unknown-version',
          'warning',
          version,
          `${name} has no version ${version.value}; there are ${known.slice(0, 8).join(', ')}.`,
        );
      }
    }
    const guess = guessedSymbol(name);
    if (model && info?.symbol !== undefined && info.symbol !== guess && !model.byName.get(guess)?.isDefined) {
      const isSet = this.allKconfig().some((entry) => entry.symbol === info.symbol);
      if (!isSet)
        this.say(
          'kraftfile-guess',
          'warning',
          span,
          `kraft sets CONFIG_${guess} for this library, which no Config.uk defines. Set CONFIG_${info.symbol} under its kconfig.`,
        );
    }
  }

  private allKconfig(): KconfigEntry[] {
    const { unikraft, libraries, targets } = this.file;
    return [
      ...(unikraft?.kconfig ?? []),
      ...libraries.flatMap((each) => each.component.kconfig),
      ...targets.flatMap((each) => each.kconfig),
    ];
  }

  private targets(): void {
    const seen = new Map<string, Target>();
    for (const target of this.file.targets) {
      const { architecture, platform, kernel, name } = target;
      if (target.isShort && (!architecture || !platform)) {
        this.say('kraftfile-target', 'error', target, 'A target in one word is PLATFORM/ARCHITECTURE, such as qemu/x86_64.');
      } else if (!architecture || !platform) {
        const missing = [...(platform ? [] : ['platform']), ...(architecture ? [] : ['architecture'])].join(' and ');
        this.say('kraftfile-target', 'error', this.firstLine(target), `The target has no ${missing}; kraft needs both.`);
      }
      if (architecture) this.oneOf('architecture', architecture, architectures);
      if (platform) this.oneOf('platform', platform, platforms);
      if (kernel && name && kernel.value !== name.value)
        this.say(
          'kraftfile-kernel',
          'information',
          kernel,
          `kraft takes the value of kernel as the target’s name: “${name.value}” will not count.`,
        );
      this.kconfig(target.kconfig);
      const suffix = targetSuffix(target);
      if (suffix === undefined) continue;
      const key = `${name?.value ?? kernel?.value ?? ''}\0${suffix}`;
      if (seen.has(key))
        this.say(
          'kraftfile-same-target',
          'warning',
          this.firstLine(target),
          `There is a target ${suffix} of this name already. Give it a name of its own.`,
        );
      seen.set(key, target);
    }
  }

  private firstLine({ start, end }: Span): Span {
    const line = this.file.document.text.indexOf('\n', start);
    return { start, end: line < 0 ? end : Math.min(end, line) };
  }

  private oneOf(what: string, word: { value: string } & Span, facts: readonly ValueFact[]): void {
    if (valueFact(facts, word.value)) return;
    const all = facts.flatMap((fact) => [fact.value, ...fact.spellings]);
    const meant =
      nearest(word.value, all) ??
      facts.find((fact) => fact.value.replace(/\W|_/g, '') === word.value.toLowerCase().replace(/\W|_/g, ''))?.value;
    const message = `There is no ${what} “${word.value}”; there are ${facts.map((fact) => fact.value).join(', ')}.`;
    this.say(`kraftfile-${what}`, 'error', word, message, meant === undefined ? undefined : replace(word, meant));
  }

  private values(): void {
    const { volumes, env, document } = this.file;
    for (const volume of volumes)
      if (!volume.source)
        this.say('kraftfile-volume', 'error', this.firstLine(volume), 'The volume has no source: give the folder on the host.');
    for (const { name } of env) {
      if (!/^[A-Za-z_]\w*$/.test(name.value))
        this.say('kraftfile-env', 'warning', name, `“${name.value}” is no name of an environment variable.`);
    }
    const command = document.entries(document.root).find((entry) => entry.key === 'cmd')?.value;
    for (const item of document.items(command)) {
      if (!isScalar(document.resolved(item)))
        this.say('kraftfile-form', 'error', document.span(item), 'Each item of cmd is one argument, a text.');
    }
  }

  // Options

  private kconfig(entries: readonly KconfigEntry[]): void {
    const seen = new Set<string>();
    for (const entry of entries) {
      const { name, symbol, value } = entry;
      if (entry.form === 'list' && value === undefined) {
        this.say('kraftfile-kconfig', 'error', name, `An option in a list is NAME=VALUE; this one has no value.`);
      } else if (value === undefined)
        this.say(
          'kraftfile-kconfig',
          'error',
          name,
          `${name.value} has no value; kraft refuses the file. Say “y” or “n”, or take the line out.`,
        );
      if (!name.value.startsWith('CONFIG_') && symbol !== '') {
        const fix = { title: `Write CONFIG_${symbol}`, edits: [{ start: name.start, end: name.start, text: 'CONFIG_' }] };
        this.say(
          'kraftfile-prefix',
          'warning',
          name,
          `Options are written with CONFIG_ here; without it, make passes over ${name.value}.`,
          fix,
        );
      }
      // A map's repeated keys were said already.
      if (seen.has(symbol) && entry.form === 'list')
        this.say('kraftfile-repeated', 'warning', name, `${name.value} is set here twice; the last one counts.`);
      seen.add(symbol);
      this.option(entry);
    }
  }

  private option({ name, symbol, value, isRadix }: KconfigEntry): void {
    const { model } = this.context;
    if (!model || model.byName.size === 0) return;
    const known = model.byName.get(symbol);
    if (!known?.isDefined) {
      const meant = nearest(symbol, definedNames(model.byName));
      const message = `No Config.uk defines ${symbol}: it is dropped without a word.${meant ? ` Do you mean ${meant}?` : ''}`;
      this.say('kraftfile-unknown-option', 'warning', name, message, meant === undefined ? undefined : replace(name, `CONFIG_${meant}`));
      return;
    }
    if (!value) return;
    const fault = valueFault(known, value.value);
    if (isRadix && known.type === 'hex')
      this.say(
        'kraftfile-radix',
        'warning',
        value,
        `kraft writes this number in decimal (${value.value}), and ${symbol} is hexadecimal: put it in quotes.`,
      );
    else if (fault) this.say('kraftfile-value', 'error', value, fault);
    else if (known.prompts.length === 0)
      this.say(
        'kraftfile-no-prompt',
        'information',
        name,
        `${symbol} has no prompt: its value follows from other options, and this line does nothing.`,
      );
  }
}

function* definedNames(symbols: ReadonlyMap<string, KSymbol>): Generator<string> {
  for (const [name, symbol] of symbols) if (symbol.isDefined) yield name;
}

/** What is wrong with a value for a symbol of its type; undefined for nothing. */
function valueFault(symbol: KSymbol, value: string): string | undefined {
  const { label, type } = symbol;
  switch (type) {
    case 'bool':
      return value === 'y' || value === 'n' ? undefined : `${label} is a switch: y or n, not “${value}”.`;
    case 'tristate':
      return /^[ymn]$/.test(value) ? undefined : `${label} is y, m or n, not “${value}”.`;
    case 'int':
      return /^-?\d+$/.test(value) ? undefined : `${label} is a whole number, not “${value}”.`;
    case 'hex':
      return /^(0[xX])?[0-9a-fA-F]+$/.test(value) ? undefined : `${label} is a hexadecimal number, such as 0x1000, not “${value}”.`;
    default:
      return undefined;
  }
}

function replace({ start, end }: Span, text: string): NonNullable<KraftDiagnostic['fix']> {
  return { title: `Change to ${text}`, edits: [{ start, end, text }] };
}
