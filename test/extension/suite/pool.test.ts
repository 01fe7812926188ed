/** The library pool in a real VS Code: commands, a library enabled in the configuration, and a build as a task with its problems. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';

const patience = 45_000;

function folder(): vscode.Uri {
  const [first] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(first, 'a folder is open');
  return first.uri;
}

const app = (...path: string[]): vscode.Uri => vscode.Uri.joinPath(folder(), 'library-pool', 'app', 'hello', ...path);

async function text(uri: vscode.Uri): Promise<string> {
  try {
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
  } catch {
    return '';
  }
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + patience;
  while (!(await holds())) {
    assert.ok(Date.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Runs a task to its end. Answers the exit status. */
async function runTask(task: vscode.Task): Promise<number | undefined> {
  const ended = new Promise<number | undefined>((resolve) => {
    const listener = vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => {
      if (execution.task.name !== task.name) return;
      listener.dispose();
      resolve(exitCode);
    });
  });
  await vscode.tasks.executeTask(task);
  return ended;
}

describe('the library pool', () => {
  it('enables a library by the plan that is picked, and writes the .config', async () => {
    const done = vscode.commands.executeCommand('unikernel.pool.enable', 'uksched');
    // The first plan is the shortest; the pick needs a moment to be shown.
    const timer = setInterval(() => void vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem'), 500);
    try {
      await until('CONFIG_LIBUKSCHED=y is written', async () => (await text(app('.config'))).includes('CONFIG_LIBUKSCHED=y\n'));
      await done;
    } finally {
      clearInterval(timer);
    }
    assert.match(await text(app('.config')), /^CONFIG_LIBUKSCHED_STACK_SIZE=65536$/m);
  });

  it('adds a library to a Kraftfile and takes it out again, byte for byte', async () => {
    const before = 'spec: v0.6\n# what we need\nlibraries:\n  musl: stable # the C library\n';
    await vscode.workspace.fs.writeFile(app('Kraftfile'), new TextEncoder().encode(before));
    try {
      await vscode.commands.executeCommand('unikernel.pool.refresh');
      await vscode.commands.executeCommand('unikernel.pool.addToKraftfile', 'ukalloc');
      const added = await text(app('Kraftfile'));
      assert.match(added, /# what we need/);
      assert.match(added, /musl: stable # the C library/);
      assert.match(added, /^ {2}ukalloc: /m);
      await vscode.commands.executeCommand('unikernel.pool.removeFromKraftfile', 'ukalloc');
      assert.equal(await text(app('Kraftfile')), before);
    } finally {
      await vscode.commands.executeCommand('workbench.action.closeAllEditors');
      await vscode.workspace.fs.delete(app('Kraftfile'));
      await vscode.commands.executeCommand('unikernel.pool.refresh');
    }
  });

  it('opens the details page of the library that provides a system call', async () => {
    await vscode.commands.executeCommand('unikernel.whichLibrary', 'sched_yield');
    await until('the page is open', () => vscode.window.tabGroups.all.some(({ tabs }) => tabs.some(({ label }) => label === 'uksched')));
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('builds as a task, and puts an error into the Problems view at its line', async () => {
    const task = (await vscode.tasks.fetchTasks({ type: 'unikernel' })).find(({ name }) => name === 'build hello');
    assert.ok(task);
    assert.equal(await runTask(task), 0);
    assert.ok((await vscode.workspace.fs.stat(app('build', 'hello_qemu-x86_64'))).size > 10_000);
    assert.match(await text(app('build', 'compile_commands.json')), /main\.c/);

    const good = await text(app('main.c'));
    const lines = good.split('\n').length;
    await vscode.workspace.fs.writeFile(
      app('main.c'),
      new TextEncoder().encode(`${good}int broken(void) { return nothing_of_this_name; }\n`),
    );
    try {
      assert.equal(await runTask(task), 1);
      await until('a problem is shown', () =>
        vscode.languages
          .getDiagnostics(app('main.c'))
          .some(({ message, range }) => message.includes('nothing_of_this_name') && range.start.line === lines - 1),
      );
    } finally {
      await vscode.workspace.fs.writeFile(app('main.c'), new TextEncoder().encode(good));
    }
  });

  it('shows the dependency graph, and the sizes of the image', async () => {
    const isOpen = (label: string): boolean => vscode.window.tabGroups.all.some(({ tabs }) => tabs.some((tab) => tab.label === label));
    await vscode.commands.executeCommand('unikernel.showGraph', 'uksched');
    await until('the graph is open', () => isOpen('Graph of hello'));
    await vscode.commands.executeCommand('unikernel.showSizes');
    await until('the sizes are open', () => isOpen('Sizes of hello_qemu-x86_64'));
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('makes a project from a template, which is built at once', async () => {
    const wishes = { template: 'app', name: 'fresh', parent: folder().fsPath, base: 'pool' };
    const path = await vscode.commands.executeCommand<string>('unikernel.newProject', wishes);
    assert.equal(path, vscode.Uri.joinPath(folder(), 'fresh').fsPath);
    await vscode.commands.executeCommand('unikernel.pool.refresh');
    await vscode.commands.executeCommand('unikernel.build', vscode.Uri.file(path));
    await until('the image is there', async () => {
      const entries = await vscode.workspace.fs.readDirectory(vscode.Uri.joinPath(folder(), 'fresh', 'build')).then(
        (found) => found,
        () => [],
      );
      return entries.some(([name]) => name === 'fresh_qemu-x86_64');
    });
    await vscode.workspace.fs.delete(vscode.Uri.file(path), { recursive: true });
  });
});
