/** The features on every Kconfig file of a real Unikraft tree, named by UK_ROOT: nothing throws, formatting changes nothing that counts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { applyEdits } from '../../../src/kconfig/features/format';
import { formatKconfig } from '../../../src/kconfig/features/format';
import { KconfigService } from '../../../src/kconfig/service';
import { Checker } from '../../../src/language-server/checker';
import { Editing } from '../../../src/language-server/editing';
import { Navigation } from '../../../src/language-server/navigation';
import { platformFiles } from '../../../src/language-server/platform-files.node';
import { Presentation } from '../../../src/language-server/presentation';
import { uriOfPath } from '../../../src/language-server/uri';
import { Workspace } from '../../../src/language-server/workspace';

const root = process.env['UK_ROOT'];

describe('the language features on a real tree', function () {
  this.timeout(120_000);
  let workspace: Workspace;
  let files: string[];

  before(function () {
    if (root === undefined) {
      console.log('      skipped: UK_ROOT names no Unikraft tree');
      this.skip();
    }
    workspace = new Workspace({ files: platformFiles() });
    workspace.folders = [path.resolve(root)];
    const { model } = workspace.projectFor(`${path.resolve(root)}/Config.uk`).service.tree;
    files = [...new Set([...model.files.values()].filter((file) => !file.generated).map((file) => file.path))];
    assert.ok(files.length > 80, `${files.length} files`);
  });

  it('answer for every file', () => {
    const failures: unknown[] = [];
    const checker = new Checker(
      workspace,
      () => undefined,
      (error) => failures.push(error),
    );
    const [navigation, editing, presentation] = [new Navigation(workspace), new Editing(workspace, checker), new Presentation(workspace)];
    const found = new Map<string, number>();
    for (const file of files) {
      const document = workspace.setDocument(uriOfPath(file), 'kconfig', readFileSync(file, 'utf8'), 1);
      for (const { code } of checker.findings(document)) found.set(code, (found.get(code) ?? 0) + 1);
      const end = document.source.positionAt(document.text.length);
      const range = { start: { line: 0, character: 0 }, end };
      assert.ok(presentation.tokens(document).data.length % 5 === 0);
      presentation.folding(document);
      presentation.hints(document, range);
      presentation.lenses(document);
      navigation.documentSymbols(document);
      navigation.links(document);
      editing.actions(document, range, { diagnostics: [] });
      for (let offset = 0; offset < document.text.length; offset += 97) {
        const position = document.source.positionAt(offset);
        navigation.hover(document, position);
        navigation.definition(document, position);
        editing.completion(document, position);
        editing.signature(document, position);
      }
      workspace.closeDocument(document.uri);
    }
    assert.deepEqual(failures, []);
    // Defects that are in the tree as it was released.
    for (const code of ['default-yes-no', 'undefined-symbol', 'select-of-choice-member']) assert.ok((found.get(code) ?? 0) > 0, code);
    // These would be there if a file were read with more than its own tree.
    for (const code of ['syntax', 'duplicate-source', 'choice-value-outside', 'unreachable-default'])
      assert.equal(found.get(code), undefined, code);
  });

  it('format without changing what the tree says', () => {
    const project = workspace.projectFor(`${path.resolve(root!)}/Config.uk`);
    const { plan } = project;
    const { dialect } = project.service.tree;
    const service = new KconfigService({ files: platformFiles(), cwd: plan.cwd, root: plan.root, environment: plan.environment });
    const before = service.openConfiguration().dotConfig();
    let changed = 0;
    for (const file of files) {
      const syntax = [...service.tree.model.files.values()].find((one) => one.path === file)!.syntax;
      const edits = formatKconfig(syntax, dialect);
      if (edits.length === 0) continue;
      changed++;
      service.tree.setDocument(file, applyEdits(syntax.source.text, edits));
      const again = [...service.tree.model.files.values()].find((one) => one.path === file)!.syntax;
      assert.deepEqual(formatKconfig(again, dialect), [], file);
    }
    assert.ok(changed > 0);
    assert.equal(service.openConfiguration().dotConfig(), before);
  });
});
