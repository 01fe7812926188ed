/** Writes config.h, which C sources read. */
import { type Evaluation } from '../evaluate';
import { type KSymbol } from '../model';
import { escapeString } from '../values';
import { writtenSymbols } from './auto-conf';
import { mainTitle } from './write';

/** The text of config.h. */
export function writeConfigHeader(values: Evaluation, prefix: string): string {
  const lines = writtenSymbols(values).map((symbol) => define(values, symbol, prefix));
  return head(values) + lines.join('');
}

function head(values: Evaluation): string {
  const { dialect } = values;
  if (dialect.engine !== 'c') return '';
  const gap = dialect.spacedHeader ? ' *\n' : '';
  return `/*\n${gap} * Automatically generated file; DO NOT EDIT.\n * ${mainTitle(values)}\n${gap} */\n`;
}

function define(values: Evaluation, symbol: KSymbol, prefix: string): string {
  const text = values.text(symbol);
  const name = prefix + symbol.name;
  switch (symbol.type) {
    case 'bool':
    case 'tristate':
      return text === 'n' ? '' : `#define ${name}${text === 'm' ? '_MODULE' : ''} 1\n`;
    case 'hex':
      return `#define ${name} ${/^0[xX]/.test(text) ? '' : '0x'}${text}\n`;
    case 'string':
      return `#define ${name} "${escapeString(text)}"\n`;
    default:
      return `#define ${name} ${text}\n`;
  }
}
