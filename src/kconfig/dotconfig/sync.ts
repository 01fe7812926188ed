/** What `conf` leaves for make beside auto.conf: what that was made from, and a touched file for each option whose value is another. */
import { type Evaluation } from '../evaluate';
import { type Model } from '../model';
import { escapeString } from '../values';
import { parseDotConfig } from './read';

/** The folder of these files, below the one that make works in. */
export const syncFolder = 'include/config';

/** The text of auto.conf.cmd: make reads auto.conf anew where a file or a variable that it was made from has changed. */
export function writeAutoConfDependencies(model: Model, autoConf: string): string {
  const files = [...model.files.keys()].reverse();
  const variables = [...model.environment].map(([name, value]) => `ifneq "$(${name})" "${value}"\n${autoConf}: FORCE\nendif\n`);
  return `deps_config := \\\n\t${files.join(' \\\n\t')}\n\n${autoConf}: \\\n\t$(deps_config)\n\n${variables.join('')}\n$(deps_config): ;\n`;
}

/** The files to touch, below `syncFolder`, where `before` is the auto.conf that there was; what was compiled with an option depends on its file. */
export function touchedFiles(values: Evaluation, before: string | undefined, prefix: string): string[] {
  const old = new Map(parseDotConfig(before ?? '', prefix).assignments.map(({ name, value }) => [name, value]));
  const touched: string[] = [];
  for (const symbol of values.model.hashOrder) {
    const { name } = symbol;
    if (name === undefined || symbol.isConstant || symbol.isChoice || symbol.noWrite || symbol.type === 'unknown') continue;
    const was = old.get(name);
    const text = values.text(symbol);
    const now = !values.isWritten(symbol) ? undefined : symbol.type === 'string' ? `"${escapeString(text)}"` : text;
    if (was === now || (was === undefined && symbol.isBoolean && now === 'n')) continue;
    touched.push(`${name.replaceAll('_', '/').toLowerCase()}.h`);
  }
  return touched;
}
