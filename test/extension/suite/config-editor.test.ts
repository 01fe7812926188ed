/** The configuration editor in a real VS Code: it opens on a project's .config, made with the tree's defaults, and leaves the text to the text editor. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';

const patience = 20_000;

function application(): vscode.Uri {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(folder, 'a folder is open');
  return vscode.Uri.joinPath(folder.uri, 'library-pool', 'app', 'hello');
}

async function until<T>(what: string, find: () => T | undefined): Promise<T> {
  const end = Date.now() + patience;
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    assert.ok(Date.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function customTab(): vscode.TabInputCustom | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputCustom ? input : undefined;
}

describe('the configuration editor', () => {
  before(async () => {
    // The example carries only what it is built of; its options need the whole pool.
    const extension = vscode.extensions.getExtension('unikernel-workbench.unikernel-workbench');
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    assert.ok(extension && folder);
    const pool = vscode.Uri.joinPath(folder.uri, 'library-pool');
    const source = vscode.Uri.file(vscode.Uri.joinPath(extension.extensionUri, 'library-pool').path);
    await vscode.workspace.fs.copy(source, vscode.Uri.file(pool.path), { overwrite: true });
  });

  after(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

  it('opens on a new .config with the defaults of the tree', async () => {
    await vscode.commands.executeCommand('unikernel.configure', application());
    const input = await until('the editor is open', customTab);
    assert.equal(input.viewType, 'unikernel.configEditor');
    assert.equal(input.uri.path, vscode.Uri.joinPath(application(), '.config').path);
    const text = (await vscode.workspace.openTextDocument(input.uri)).getText();
    assert.match(text, /^#\n# Automatically generated file; DO NOT EDIT\.\n# Unikernel Workbench pool/);
    assert.match(text, /^CONFIG_LIBSYSCALL_SHIM=y$/m);
    assert.match(text, /^# CONFIG_LIBUKSCHED is not set$/m);
  });

  it('takes changes of the text, which are then undone as any are', async () => {
    const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(application(), '.config'));
    const before = document.getText();
    const edit = new vscode.WorkspaceEdit();
    const at = before.indexOf('# CONFIG_LIBUKSCHED is not set');
    edit.replace(document.uri, new vscode.Range(document.positionAt(at), document.positionAt(at + 30)), 'CONFIG_LIBUKSCHED=y');
    assert.ok(await vscode.workspace.applyEdit(edit));
    assert.ok(document.isDirty);
    await vscode.commands.executeCommand('undo');
    await until('the text is what it was', () => (document.getText() === before ? true : undefined));
  });

  it('gives way to the text editor', async () => {
    await vscode.commands.executeCommand('unikernel.config.openText');
    const editor = await until('the text is open', () => vscode.window.activeTextEditor);
    assert.equal(editor.document.uri.path, vscode.Uri.joinPath(application(), '.config').path);
  });
});
