/** Writes auto.conf and tristate.conf, which make reads. */
import { type Evaluation } from '../evaluate';
import { type KSymbol } from '../model';
import { assignmentLine, heading } from './write';

/** The symbols of the generated files, in their order. */
export function writtenSymbols(values: Evaluation): readonly KSymbol[] {
  return values.model.hashOrder.filter((symbol) => symbol.name !== undefined && !symbol.isConstant && values.isWritten(symbol));
}

/** The text of auto.conf: no lines for what is not set. */
export function writeAutoConf(values: Evaluation, prefix: string): string {
  const lines = writtenSymbols(values).map((symbol) => {
    const text = values.text(symbol);
    if (symbol.isBoolean && text === 'n') return '';
    if (symbol.type === 'string' && !values.dialect.quotedAutoConf) return `${prefix}${symbol.name}=${text}\n`;
    return assignmentLine(values, symbol, prefix);
  });
  return heading(values) + lines.join('');
}

/** The text of tristate.conf: M or Y for every tristate that is not n. */
export function writeTristateConf(values: Evaluation, prefix: string): string {
  const lines = writtenSymbols(values).map((symbol) => {
    const text = values.text(symbol);
    return symbol.type === 'tristate' && text !== 'n' ? `${prefix}${symbol.name}=${text.toUpperCase()}\n` : '';
  });
  return heading(values) + lines.join('');
}
