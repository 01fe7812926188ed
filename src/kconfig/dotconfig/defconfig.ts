/** Writes a minimal configuration: only what differs from the defaults (`savedefconfig`). */
import { type Evaluation } from '../evaluate';
import { triText } from '../evaluate';
import { type KSymbol, type Tri } from '../model';
import { assignmentLine, walkMenu } from './write';

/** The text of a defconfig. */
export function writeDefconfig(values: Evaluation, prefix: string): string {
  const out: string[] = [];
  const done = new Set<KSymbol>();
  walkMenu(values.model.root, ({ symbol }) => {
    if (!symbol || symbol.isChoice || done.has(symbol) || !values.isWritten(symbol)) return;
    done.add(symbol);
    if (!values.isChangeable(symbol)) return;
    if (values.text(symbol) === defaultText(values, symbol)) return;
    if (isDefaultMember(values, symbol)) return;
    out.push(assignmentLine(values, symbol, prefix));
  });
  return out.join('');
}

/** The value that a symbol has where the user says nothing; a number's range is not applied. */
export function defaultText(values: Evaluation, symbol: KSymbol): string {
  // The library knows that defaults mean nothing to a member of a choice.
  const property = symbol.choice && values.dialect.engine === 'kconfiglib' ? undefined : values.activeDefault(symbol);
  if (!symbol.isBoolean) {
    const source = property?.value?.kind === 'symbol' ? property.value.symbol : undefined;
    if (source) return values.text(source);
    const empty = values.dialect.zeroForEmptyNumber && symbol.type !== 'string';
    return empty ? (symbol.type === 'hex' ? '0x0' : '0') : '';
  }
  let value: number = property ? Math.min(values.evaluate(property.value), values.condition(property)) : 0;
  value = Math.max(value, values.reverseDependency(symbol));
  const modules = values.model.modules;
  if (value === 1 && !symbol.choice && (!modules || values.tri(modules) === 0)) value = 2;
  if (value === 1 && symbol.type === 'bool') value = 2;
  return triText(Math.max(value, values.impliedValue(symbol)) as Tri);
}

/** A member that is y only because its choice picks it by default. */
function isDefaultMember(values: Evaluation, symbol: KSymbol): boolean {
  const { choice } = symbol;
  if (!choice || choice.optional || symbol.type !== 'bool') return false;
  return values.tri(symbol) === 2 && values.defaultPick(choice) === symbol;
}
