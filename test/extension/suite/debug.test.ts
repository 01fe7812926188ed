/** The extension in a real VS Code: activation, and a session on the example image from F5 to its end. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';

const extensionId = 'unikernel-workbench.unikernel-workbench';
const patience = 30_000;

interface DapEvent {
  readonly type: string;
  readonly event?: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** Everything that adapters of our type send. */
class Wiretap implements vscode.Disposable {
  readonly events: DapEvent[] = [];
  #listeners: (() => void)[] = [];
  readonly #registration = vscode.debug.registerDebugAdapterTrackerFactory('unikernel', {
    createDebugAdapterTracker: () => ({
      onDidSendMessage: (message: DapEvent) => {
        if (message.type !== 'event') return;
        this.events.push(message);
        for (const listener of this.#listeners) listener();
      },
    }),
  });

  /** The next event of this name after the `seen` first ones. */
  async next(name: string, seen = this.events.length): Promise<DapEvent> {
    const find = (): DapEvent | undefined => this.events.slice(seen).find(({ event }) => event === name);
    const found = find();
    if (found !== undefined) return found;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no event ${name}; had ${this.events.map(({ event }) => event).join(' ')}`)),
        patience,
      );
      const look = (): void => {
        const event = find();
        if (event === undefined) return;
        clearTimeout(timer);
        this.#listeners = this.#listeners.filter((listener) => listener !== look);
        resolve(event);
      };
      this.#listeners.push(look);
    });
  }

  output(category: string): string {
    return this.events
      .filter(({ event, body }) => event === 'output' && body?.['category'] === category)
      .map(({ body }) => String(body?.['output']))
      .join('');
  }

  dispose(): void {
    this.#registration.dispose();
  }
}

function folder(): vscode.WorkspaceFolder {
  const [first] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(first, 'a folder is open');
  return first;
}

/** The session that the debugger shows once it is there. */
async function activeSession(): Promise<vscode.DebugSession> {
  const end = Date.now() + patience;
  while (vscode.debug.activeDebugSession === undefined) {
    assert.ok(Date.now() < end, 'a session is active');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return vscode.debug.activeDebugSession;
}

describe('the extension', () => {
  it('activates, and says how long that took', async () => {
    const extension = vscode.extensions.getExtension(extensionId);
    assert.ok(extension);
    const { activationMilliseconds } = (await extension.activate()) as { activationMilliseconds: number };
    assert.ok(extension.isActive);
    // The aim is 100; it is measured by bench/extension, not judged here: a loaded machine is no fault of the extension.
    console.log(`activation took ${activationMilliseconds.toFixed(1)} ms`);
    assert.ok(activationMilliseconds > 0);
  });

  it('registers its commands', async () => {
    const known = await vscode.commands.getCommands(true);
    for (const command of ['unikernel.runImage', 'unikernel.debugImage', 'unikernel.openExample', 'unikernel.build'])
      assert.ok(known.includes(command), command);
  });

  it('offers the images of a folder without a launch.json', async () => {
    const found = await vscode.workspace.findFiles('**/*_qemu-x86_64');
    assert.equal(found.length, 1);
  });
});

describe('a session', () => {
  const tap = new Wiretap();
  after(() => tap.dispose());

  it('stops at a breakpoint in C, shows registers, steps, and runs to the end', async () => {
    const source = vscode.Uri.joinPath(folder().uri, 'library-pool', 'app', 'hello', 'main.c');
    const text = (await vscode.workspace.openTextDocument(source)).getText();
    const line = text.split('\n').findIndex((each) => each.includes('greet("Hello from a direct call!'));
    assert.ok(line > 0, 'main.c greets');
    const breakpoint = new vscode.SourceBreakpoint(new vscode.Location(source, new vscode.Position(line, 0)));
    vscode.debug.addBreakpoints([breakpoint]);
    const seen = tap.events.length;
    // As F5 does without a launch.json: the provider finds the image.
    const configuration = {
      type: 'unikernel',
      request: 'launch',
      name: 'hello',
      image: vscode.Uri.joinPath(folder().uri, 'hello_qemu-x86_64').fsPath,
    };
    assert.ok(await vscode.debug.startDebugging(folder(), configuration));
    const stopped = await tap.next('stopped', seen);
    assert.equal(stopped.body?.['reason'], 'breakpoint');
    const session = await activeSession();

    const { stackFrames } = (await session.customRequest('stackTrace', { threadId: 1 })) as {
      stackFrames: { id: number; name: string; line: number; source?: { path: string } }[];
    };
    // A remote workbench turns paths into addresses of its own.
    assert.ok(stackFrames[0]?.source?.path.endsWith(source.fsPath), stackFrames[0]?.source?.path);
    assert.equal(stackFrames[0]?.line, line + 1);

    const { scopes } = (await session.customRequest('scopes', { frameId: stackFrames[0].id })) as {
      scopes: { name: string; variablesReference: number }[];
    };
    const general = scopes.find(({ name }) => name === 'Registers: General');
    assert.ok(general);
    const { variables } = (await session.customRequest('variables', { variablesReference: general.variablesReference })) as {
      variables: { name: string; value: string }[];
    };
    const rip = variables.find(({ name }) => name === 'rip');
    assert.match(rip?.value ?? '', /^0x[0-9a-f]{16}$/);

    const beforeStep = tap.events.length;
    await session.customRequest('next', { threadId: 1 });
    assert.equal((await tap.next('stopped', beforeStep)).body?.['reason'], 'step');

    vscode.debug.removeBreakpoints([breakpoint]);
    const beforeEnd = tap.events.length;
    await session.customRequest('continue', { threadId: 1 });
    await tap.next('terminated', beforeEnd);
    assert.match(tap.output('stdout'), /Hello from a direct call!/);
    assert.match(tap.output('stdout'), /Hello from a SYSCALL instruction!/);
    assert.match(tap.output('console'), /write\(1, "Hello from a SYSCALL/);
    assert.match(tap.output('console'), /TLS: FS base/);
  });

  it('says what is wrong with an image that is not there, and ends cleanly', async () => {
    const started = await vscode.debug
      .startDebugging(folder(), { type: 'unikernel', request: 'launch', name: 'none', image: '/nowhere/at/all' })
      .then(
        (value) => value,
        () => false,
      );
    assert.equal(started, false);
    assert.equal(vscode.debug.activeDebugSession, undefined);
  });
});
