/** Looks at the stopped guest for the protocol: frames by id, scopes, rows of variables, expressions. What it hands out is valid until the guest runs. */
import { type DataPlace, type DebuggerApi, type FrameFormat, type FrameInfo, type ScopeInfo, type VariableInfo } from './api';
import { registerValue } from './breakpoints/register-watch';
import { commandsLike } from './commands';
import { type Evaluator } from './expr/evaluator';
import { localVariables, variableValue } from './expr/names';
import { rowOf, textOf } from './expr/rows';
import { scopeNodes } from './expr/scopes';
import { typeName } from '../symbols/api';
import { errors } from './errors';
import { type GuestModel, savedRegisterNodes } from './guest';
import { registerNodes } from './register-nodes';
import { registerGroups } from './registers';
import { type Returned } from './return-value';
import { type Target } from './target';
import { type StackFrame } from './unwind';
import { type ValueNode } from './value-node';
import { ValueStore } from './value-store';

/** Frame ids of one thread; the running thread's begin at 1. */
export const framesPerThread = 1000;

export class Inspector {
  readonly #values = new ValueStore();
  /** Frames by the first id of their thread's range, less 1; 0 is the running thread. */
  readonly #stacks = new Map<number, readonly StackFrame[]>();
  #hex = false;
  /** What the function that was just stepped out of gave back. */
  #returned: Returned | undefined;

  constructor(
    private readonly target: Target,
    private readonly guest: GuestModel,
    private readonly evaluator: Evaluator,
  ) {}

  /** The guest runs on: all that was shown of its state is old. */
  forget(): void {
    this.#returned = undefined;
    this.#values.invalidate();
    this.#stacks.clear();
  }

  /** The guest stands right behind a call: what it gave back is shown until the guest runs. */
  showReturned(returned: Returned | undefined): void {
    this.#returned = returned;
  }

  /** The guest's state was changed, or its symbols: frames must be found anew. */
  forgetFrames(): void {
    this.#stacks.clear();
  }

  stack(
    threadId: number,
    start: number,
    levels: number,
    format: FrameFormat = {},
  ): { readonly frames: readonly FrameInfo[]; readonly total: number } {
    const base = threadId === this.guest.currentId() ? 0 : threadId * framesPerThread;
    const frames = this.#frames(base);
    const wanted = levels > 0 ? frames.slice(start, start + levels) : frames.slice(start);
    const infos = wanted.map((frame, index) => {
      const info = frameInfo(this.target, frame, base + start + index + 1);
      return { ...info, name: this.#frameName(frame, info, format) };
    });
    return { frames: infos, total: frames.length };
  }

  #frameName(frame: StackFrame, info: FrameInfo, format: FrameFormat): string {
    let { name } = info;
    const called = frame.symbolic?.function;
    if (called !== undefined && format.parameters === true) {
      const scope = { target: this.target, frame };
      const shown = called.parameters.map((each) => {
        const parts = [
          ...(format.parameterTypes === true ? [typeName(each.type)] : []),
          ...(format.parameterNames === true ? [each.name] : []),
        ];
        if (format.parameterValues !== true || frame.symbols === undefined) return parts.join(' ');
        // The parameter of this instance, which knows where it is; the function's own may not.
        const own = localVariables(frame).find(({ kind, name: same }) => kind === 'parameter' && same === each.name) ?? each;
        const value = textOf(this.target, variableValue(scope, own, frame.symbols), { hex: format.hex === true }, 1);
        return parts.length === 0 ? value : `${parts.join(' ')}=${value}`;
      });
      name += `(${shown.join(', ')})`;
    }
    if (format.module === true && info.library !== undefined) name = `${info.library}!${name}`;
    if (format.line === true && info.location !== undefined) name += ` Line ${info.location.line}`;
    return name;
  }

  scopes(frameId: number): readonly ScopeInfo[] {
    const { target } = this;
    const frame = this.frame(frameId);
    const value = frameId === 1 ? this.#returnScope(frame) : [];
    const own = scopeNodes(target, frame, { hex: false }).map(({ name, kind, count, expensive }): ScopeInfo => ({
      name,
      kind,
      expensive,
      handle: this.#values.add(
        name,
        (from, size) =>
          scopeNodes(target, frame, { hex: this.#hex })
            .find((scope) => scope.name === name)
            ?.children(from, size) ?? [],
      ),
      ...(count === undefined ? {} : { count }),
    }));
    // What another thread will go on with is what its frames hold; the processor's registers are not its.
    if (frameId > framesPerThread) {
      const threadId = Math.floor((frameId - 1) / framesPerThread);
      const saved = (): readonly ValueNode[] => savedRegisterNodes(target, frame, this.guest.extendedRegistersOf(threadId));
      return [...own, { name: 'Registers: Saved', kind: 'registers', expensive: false, handle: this.#values.add('Saved', saved) }];
    }
    const registers = registerGroups.map((group): ScopeInfo => {
      const children = (): ReturnType<typeof registerNodes> => registerNodes(target.machine, group, { hex: this.#hex });
      return {
        name: `Registers: ${group.name}`,
        kind: 'registers',
        expensive: group.name !== 'General',
        handle: this.#values.add(group.name, children),
      };
    });
    return [...value, ...own, ...registers];
  }

  #returnScope(frame: StackFrame): ScopeInfo[] {
    const returned = this.#returned;
    if (returned === undefined) return [];
    const row = (): ValueNode => rowOf({ target: this.target, frame }, returned.name, returned.value, undefined, { hex: this.#hex });
    return [
      { name: 'Return value', kind: 'returnValue', expensive: false, handle: this.#values.add('Return value', () => [row()]), count: 1 },
    ];
  }

  variables(handle: number, start?: number, count?: number, hex = false): readonly VariableInfo[] {
    return this.#withHex(hex, () => this.#values.children(handle, start, count));
  }

  setVariable(handle: number, name: string, value: string): VariableInfo {
    return this.#values.assign(handle, name, value);
  }

  evaluate(expression: string, frameId: number | undefined, hex: boolean): VariableInfo {
    return this.#withHex(hex, () => this.#values.present(this.evaluator.evaluate(expression, this.frame(frameId), { hex }), 'evaluate'));
  }

  setExpression(expression: string, value: string, frameId: number | undefined): VariableInfo {
    const node = this.evaluator.evaluate(expression, this.frame(frameId), { hex: false });
    if (node.assign === undefined) throw errors.readOnly(expression);
    return this.#values.present(node.assign(value), 'evaluate');
  }

  completions(text: string, column: number, frameId: number | undefined): ReturnType<DebuggerApi['completions']> {
    const commands = commandsLike(text.slice(0, column - 1)).map((label) => ({ label, kind: 'function' as const }));
    return [...commands, ...this.evaluator.completions(text, column, this.frame(frameId))];
  }

  dataPlace(name: string, handle: number | undefined, frameId: number | undefined): DataPlace | undefined {
    const expression = handle === undefined || handle === 0 ? name : this.#values.expressionOf(handle, name);
    if (expression === undefined) return undefined;
    const register = /^\s*\$(\w+)\s*$/.exec(expression)?.[1]?.toLowerCase();
    if (register !== undefined && registerValue(this.target.machine, register) !== undefined) return { register };
    return this.evaluator.place(expression, this.frame(frameId));
  }

  /** A frame by its id; the innermost of the running thread without one. Throws a CodedError where it is gone. */
  frame(id = 1): StackFrame {
    const index = (id - 1) % framesPerThread;
    const frame = this.#frames(id - 1 - index)[index];
    if (frame === undefined) throw errors.unknownFrame(id);
    return frame;
  }

  /** Frames of the thread whose ids begin after `base`. */
  #frames(base: number): readonly StackFrame[] {
    let frames = this.#stacks.get(base);
    if (frames === undefined) {
      frames = this.guest.frames(base === 0 ? this.guest.currentId() : base / framesPerThread, framesPerThread);
      this.#stacks.set(base, frames);
    }
    return frames;
  }

  #withHex<T>(hex: boolean, work: () => T): T {
    this.#hex = hex;
    return work();
  }
}

function frameInfo(target: Target, frame: StackFrame, id: number): FrameInfo {
  const position = frame.symbolic?.position;
  const location = position === undefined ? target.location(frame.lookup) : target.present(position);
  const library = frame.symbols?.unitAt(frame.lookup)?.library;
  return {
    id,
    name: frame.name,
    address: frame.pc,
    origin: frame.origin,
    ...(location === undefined ? {} : { location }),
    ...(library === undefined ? {} : { library }),
  };
}
