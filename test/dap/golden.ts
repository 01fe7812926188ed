/** Golden transcripts: records both directions of a session, writes them in a form that outlives a rebuild of the image, and compares with the file. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type DebugProtocol } from '@vscode/debugprotocol';
import { type Message, TestClient } from './client';

const root = path.resolve(__dirname, '../..');
const folder = path.join(__dirname, 'golden');
const example = path.join(root, 'dist/examples/hello');

/** The image that transcripts are made over, with its symbols and sources. */
export const image = path.join(example, 'hello_qemu-x86_64');
/** A source of the image as the client names it. */
export const sourcePath = (file: string): string => path.join(example, file);
export const mainSource = sourcePath('library-pool/app/hello/main.c');
export const binarySource = sourcePath('library-pool/app/hello/binary.c');

/** The line of a source that holds `text`, from 1: transcripts name places by what stands there. */
export function lineOf(file: string, text: string): number {
  const index = readFileSync(file, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text));
  assert.ok(index >= 0, `${file} has no line with ${text}`);
  return index + 1;
}

/** Changes a response's body before it is written: to leave out what depends on the rest of the image. */
export type View = (body: never) => unknown;

export class Session {
  readonly client = new TestClient();
  readonly #views = new Map<number, View>();
  readonly #replacements = new Map([
    [example, '<example>'],
    [root, '<root>'],
  ]);

  /** Sends a request that breaks the protocol's schema. */
  async wrong(command: string, args?: unknown): Promise<DebugProtocol.Response> {
    return this.client.request(command, args, { wrong: true });
  }

  /** Sends a request; its failure is part of the transcript. */
  async request<T = unknown>(command: string, args?: unknown, view?: View): Promise<T> {
    const response = await this.client.request(command, args);
    if (view !== undefined) this.#views.set(response.request_seq, view);
    return response.body as T;
  }

  /** Launches the example, or what `args` name, and waits until breakpoints may be set. */
  async launch(args: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.request('initialize', { adapterID: 'unikernel', pathFormat: 'path' }, () => '…');
    await this.request('launch', { image, clock: 'skip', trace: [], ...args });
    await this.client.event('initialized', 0);
  }

  /** Sends a request that resumes the guest and waits for the event that ends the run. */
  async until(
    event: 'stopped' | 'terminated',
    command: string,
    args: unknown = command === 'configurationDone' ? undefined : { threadId: 1 },
  ): Promise<void> {
    const from = this.client.messages.length;
    await this.request(command, args);
    await this.client.event(event, from);
  }

  /** Runs to a function of the image and answers the top frame's id. */
  async stopIn(name: string): Promise<number> {
    await this.request('setFunctionBreakpoints', { breakpoints: [{ name }] });
    await this.until('stopped', 'configurationDone');
    return this.frame();
  }

  /** The id of the top frame, after a stack trace of it. */
  async frame(levels = 1): Promise<number> {
    const { stackFrames } = await this.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1, levels });
    return stackFrames[0]!.id;
  }

  /** The references of the scopes of a frame by name. */
  async scopes(frameId: number): Promise<Readonly<Record<string, number>>> {
    const { scopes } = await this.request<DebugProtocol.ScopesResponse['body']>('scopes', { frameId });
    return Object.fromEntries(scopes.map((scope) => [scope.name, scope.variablesReference]));
  }

  /** Names a text that differs from run to run, such as a temporary folder. */
  replace(text: string, name: string): void {
    this.#replacements.set(text, name);
  }

  transcript(): string {
    const stable = new Stabilizer(this.#replacements);
    const lines: string[] = [];
    for (const message of mergeOutput(this.client.messages)) lines.push(stable.line(message, this.#views));
    return `${lines.join('\n')}\n`;
  }
}

/** Declares a test that compares a session with test/dap/golden/NAME.txt; RESET_RESULTS=1 rewrites the file. */
export function golden(name: string, scenario: (session: Session) => Promise<void>): void {
  it(name, async function () {
    if (!existsSync(image) || !existsSync(`${image}.dbg`)) {
      console.log(`      skipped: ${path.relative(root, image)} is not built; run \`npm run build\` with a C compiler installed`);
      this.skip();
    }
    const session = new Session();
    const file = path.join(folder, name.replaceAll(/[^\w]+/g, '-'));
    try {
      await scenario(session);
      await session.client.close();
    } catch (error) {
      writeFileSync(`${file}.actual`, session.transcript());
      await session.client.close();
      throw error;
    }
    compare(file, session.transcript());
  });
}

function compare(file: string, actual: string): void {
  const expectedFile = `${file}.txt`;
  const actualFile = `${file}.actual`;
  if (process.env['RESET_RESULTS'] === '1') {
    mkdirSync(folder, { recursive: true });
    writeFileSync(expectedFile, actual);
    rmSync(actualFile, { force: true });
    return;
  }
  const expected = existsSync(expectedFile) ? readFileSync(expectedFile, 'utf8') : '';
  if (expected === actual) return rmSync(actualFile, { force: true });
  writeFileSync(actualFile, actual);
  assert.fail(`the session differs from ${expectedFile} (see ${actualFile}; RESET_RESULTS=1 accepts it):\n${difference(expected, actual)}`);
}

/** The lines that differ, with - and +, by longest common subsequence. */
function difference(expected: string, actual: string): string {
  const a = expected.split('\n');
  const b = actual.split('\n');
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i]![j] = a[i] === b[j] ? common[i + 1]![j + 1]! + 1 : Math.max(common[i + 1]![j]!, common[i]![j + 1]!);
  const result: string[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) [i, j] = [i + 1, j + 1];
    else if (j < b.length && (i === a.length || common[i]![j + 1]! > common[i + 1]![j]!)) result.push(`+ ${b[j++]!}`);
    else result.push(`- ${a[i++]!}`);
  }
  return result.slice(0, 60).join('\n');
}

/** How console bytes are cut into events depends on the host's speed: neighbours of one category become one. */
function mergeOutput(messages: readonly Message[]): Message[] {
  const result: Message[] = [];
  const plain = (message: Message | undefined): { category?: string; output: string } | undefined => {
    const body = message?.['event'] === 'output' ? (message['body'] as { category?: string; output: string; source?: unknown }) : undefined;
    return body?.source === undefined ? body : undefined;
  };
  for (const message of messages) {
    const before = plain(result[result.length - 1]);
    const now = plain(message);
    if (before !== undefined && now !== undefined && before.category === now.category)
      result[result.length - 1] = { ...message, body: { ...now, output: before.output + now.output } };
    else result.push(message);
  }
  return result;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Replaces what a rebuild changes: equal addresses get equal names, in the order of their appearance. */
class Stabilizer {
  readonly #addresses = new Map<bigint, string>();
  readonly #references = new Map<number, string>();

  constructor(private readonly replacements: ReadonlyMap<string, string>) {}

  line(message: Message, views: ReadonlyMap<number, View>): string {
    const command = String(message['command']);
    switch (message.type) {
      case 'request':
        return `> ${command}${message['arguments'] === undefined ? '' : ` ${this.#print(message['arguments'], command)}`}`;
      case 'event':
        return `* ${String(message['event'])} ${this.#print(message['body'], String(message['event']))}`;
      default: {
        if (message['success'] !== true) {
          const { error } = message['body'] as { readonly error: { readonly id: number; readonly showUser?: boolean } };
          return `< ${command} failed (${error.id}${error.showUser === true ? ', shown to the user' : ''}): ${this.#text(String(message['message']))}`;
        }
        const view = views.get(Number(message['request_seq']));
        const body = view === undefined ? message['body'] : view(message['body'] as never);
        return `< ${command}${body === undefined ? '' : ` ${this.#print(body, command)}`}`;
      }
    }
  }

  #print(value: unknown, command: string): string {
    return print(this.#stable(value as Json, '', command), '');
  }

  #stable(value: Json, key: string, command: string): Json {
    if (typeof value === 'string') return this.#string(value, key, command);
    if (typeof value === 'number' && key === 'variablesReference') return value <= 0 ? value : this.#reference(value);
    if (typeof value === 'number' && key === 'size') return '<size>';
    // How many functions boot the image is the libraries' affair.
    if (typeof value === 'number' && key === 'totalFrames') return '<n>';
    if (Array.isArray(value)) return value.map((each: Json) => this.#stable(each, key, command));
    if (typeof value !== 'object' || value === null) return value;
    const record = value as Readonly<Record<string, Json>>;
    // Of other sources than the application's only the name is certain to stay.
    const place = (record['source'] ?? record['location']) as { readonly path?: string } | undefined;
    const foreign = place?.path !== undefined && !place.path.includes('/app/hello/') && command !== 'setBreakpoints';
    return Object.fromEntries(
      Object.entries(record).map(([name, each]) => [
        name,
        foreign && /^(line|column)$/.test(name) ? '<n>' : this.#stable(each, name, command),
      ]),
    );
  }

  #string(value: string, key: string, command: string): string {
    if (key === 'instruction') return /^(\(bad\)|\?\?)/.test(value) ? value.replace(/0x.*/, '') : '<instruction>';
    if (key === 'instructionBytes') return value === '' ? '' : '<bytes>';
    if (key === 'addressRange') return '<range>';
    // Registers hold what the compiler happened to put there.
    if (key === 'value' && command === 'variables' && /^0x(?:[0-9a-f]{4}|[0-9a-f]{8}|[0-9a-f]{16}|[0-9a-f]{32})( \[.*\])?$/.test(value))
      return `<${(value.split(' ')[0]!.length - 2) * 4} bits>`;
    return this.#text(value);
  }

  #text(value: string): string {
    return (
      [...this.replacements]
        .reduce((text, [from, to]) => text.replaceAll(from, to), value)
        // The guest's own report is full of registers.
        .replace(/(Unhandled trap: .*\r\n)[^]*/, '$1…')
        // Its length and where it is cut depend on the checkout's place.
        .replace(/^write\(1, "argv\[0\] = .*$/gm, '<the call that writes argv[0]>')
        .replace(/instruction [\d,]+( of [\d,]+)?/gi, 'instruction <n>')
        .replace(/(\w)\+0x[0-9a-f]+/g, '$1+<n>')
        .replace(/0x[0-9a-f]+/gi, (address) => this.#address(address))
    );
  }

  #address(text: string): string {
    const value = BigInt(text);
    // The image lies above 1 MiB; smaller numbers are written by people.
    if (value < 0x10_0000n || value >= 0xffff_0000_0000_0000n || value > 0x1000_0000n) return text;
    const known = this.#addresses.get(value) ?? `@${this.#addresses.size + 1}`;
    this.#addresses.set(value, known);
    return known;
  }

  #reference(value: number): string {
    const known = this.#references.get(value) ?? `#${this.#references.size + 1}`;
    this.#references.set(value, known);
    return known;
  }
}

/** JSON on one line where it fits, else one entry a line. */
function print(value: Json, indent: string): string {
  const flat = JSON.stringify(value);
  if (flat.length + indent.length <= 130 || typeof value !== 'object' || value === null) return flat;
  const deeper = `${indent}  `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const entries = Array.isArray(value)
    ? value.map((each: Json) => print(each, deeper))
    : Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${print(each, deeper)}`);
  return `${open}\n${entries.map((each) => `${deeper}${each},`).join('\n')}\n${indent}${close}`;
}
