/** What the engine and the checks of our own say about one Kconfig file, with places in its text. */
import { type Diagnostic } from '../diagnostics';
import { filesAt, lineSpan, pathOf, type Finding, type KconfigView } from './view';

/** Checks that say nothing where only a part of the tree is known. */
const needsWholeTree = new Set(['undefined-symbol', 'source-without-file', 'select-of-dependent', 'relative-source']);
/** Checks about text that has no effect. */
const withoutEffect = new Set(['unreachable-default', 'select-of-choice-member', 'duplicate-source']);

/** The findings of one file, in its order. */
export function checkKconfig(view: KconfigView, path: string, diagnostics: readonly Diagnostic[]): Finding[] {
  const names = new Map(filesAt(view, path).map((file) => [file.name, file]));
  const found: Finding[] = [];
  const seen = new Set<string>();
  for (const diagnostic of diagnostics) {
    const file = diagnostic.file === undefined ? undefined : names.get(diagnostic.file);
    if (!file || (view.partial && needsWholeTree.has(diagnostic.code))) continue;
    const { text } = file.syntax.source;
    const { start, end } = spanOf(diagnostic, text);
    const key = `${start} ${diagnostic.code} ${diagnostic.message}`;
    if (seen.has(key)) continue;
    seen.add(key);
    found.push({
      code: diagnostic.code,
      severity: diagnostic.severity,
      message: diagnostic.message,
      start,
      end,
      ...(withoutEffect.has(diagnostic.code) && { unnecessary: true }),
      ...(diagnostic.suggestion !== undefined && { suggestion: diagnostic.suggestion }),
    });
  }
  return withoutEchoes(found.sort((a, b) => a.start - b.start));
}

/** The C engine says “syntax error” besides what it says of the line or the block; one of them is enough, at the closer place. */
function withoutEchoes(found: readonly Finding[]): Finding[] {
  const syntax = found.filter((one) => one.code === 'syntax');
  const others = found.filter((one) => one.code !== 'syntax');
  const used = new Set<Finding>();
  const merged = others.map((one) => {
    if (one.code !== 'invalid-statement' && one.code !== 'missing-end') return one;
    const inside = syntax.find(
      (echo) => !used.has(echo) && (one.code === 'missing-end' || (echo.start >= one.start && echo.end <= one.end)),
    );
    if (!inside) return one;
    used.add(inside);
    return one.code === 'missing-end' ? one : { ...one, start: inside.start, end: inside.end };
  });
  return [...merged, ...syntax.filter((one) => !used.has(one))].sort((a, b) => a.start - b.start);
}

function spanOf(diagnostic: Diagnostic, text: string): { start: number; end: number } {
  const { start, end, line } = diagnostic;
  if (start === undefined || end === undefined) return lineSpan(text, line ?? 1);
  const from = Math.min(start, text.length);
  const to = Math.min(Math.max(end, from), text.length);
  // A mark of no width cannot be seen.
  return from === to && from > 0 ? { start: from - 1, end: to } : { start: from, end: to };
}

/** The paths of all files on disk that diagnostics speak of. */
export function filesWithDiagnostics(view: KconfigView, diagnostics: readonly Diagnostic[]): Set<string> {
  const paths = new Set<string>();
  for (const { file } of diagnostics) {
    if (file === undefined || view.service.tree.model.files.get(file)?.generated) continue;
    paths.add(pathOf(view, file));
  }
  return paths;
}
