/** Writes .config, byte for byte as the dialect's own tool does. */
import { type Evaluation } from '../evaluate';
import { type KSymbol, type MenuNode } from '../model';
import { escapeString } from '../values';

/** The title that stands in the heads of all files. */
export function mainTitle(values: Evaluation): string {
  return values.model.root.prompt?.text ?? 'Main menu';
}

/** The four comment lines at the top of .config and auto.conf. */
export function heading(values: Evaluation): string {
  // The C engine's buffer for the head holds 255 bytes.
  const text = `\nAutomatically generated file; DO NOT EDIT.\n${mainTitle(values)}\n`.slice(0, 255);
  return text
    .split('\n')
    .map((line) => (line === '' ? '#\n' : `# ${line}\n`))
    .join('');
}

/** One symbol's line, or an empty text for a symbol without a type. */
export function assignmentLine(values: Evaluation, symbol: KSymbol, prefix: string): string {
  const text = values.text(symbol);
  switch (symbol.type) {
    case 'unknown':
      return '';
    case 'bool':
    case 'tristate':
      return text === 'n' ? `# ${prefix}${symbol.name} is not set\n` : `${prefix}${symbol.name}=${text}\n`;
    case 'string':
      return `${prefix}${symbol.name}="${escapeString(text)}"\n`;
    default:
      return `${prefix}${symbol.name}=${text}\n`;
  }
}

/** The whole .config of a configuration. */
export function writeDotConfig(values: Evaluation, prefix: string): string {
  const out: string[] = [values.dialect.engine === 'c' ? heading(values) : ''];
  const done = new Set<KSymbol>();
  let needsLine = false;
  const visit = (node: MenuNode): void => {
    const { symbol } = node;
    if (!symbol) {
      if (!values.isNodeVisible(node)) return;
      out.push(`\n#\n# ${node.prompt?.text ?? ''}\n#\n`);
      needsLine = false;
      return;
    }
    if (symbol.isChoice || done.has(symbol) || !values.isWritten(symbol)) return;
    done.add(symbol);
    const line = assignmentLine(values, symbol, prefix);
    if (needsLine && line !== '') out.push('\n');
    if (line !== '') needsLine = false;
    out.push(line);
  };
  const leave = (node: MenuNode): void => {
    if (node.symbol || node.kind !== 'menu') return;
    if (node.children.length === 0 && !values.dialect.endOfEmptyMenu) return;
    if (!values.isNodeVisible(node)) return;
    out.push(`# end of ${node.prompt?.text ?? ''}\n`);
    needsLine = true;
  };
  walkMenu(values.model.root, visit, leave);
  return out.join('');
}

/** Visits all entries below `root`, depth first, without recursion. */
export function walkMenu(root: MenuNode, visit: (node: MenuNode) => void, leave: (node: MenuNode) => void = () => undefined): void {
  const stack: { readonly node: MenuNode; at: number }[] = [{ node: root, at: 0 }];
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    const child = top.node.children[top.at++];
    if (child) {
      visit(child);
      stack.push({ node: child, at: 0 });
    } else {
      stack.pop();
      if (top.node !== root) leave(top.node);
    }
  }
}
