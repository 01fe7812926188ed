/** A machine whose instructions suddenly take a thousand times as long comes back all the same when its turn is over. */
import assert from 'node:assert/strict';
import { type DebuggerEvent } from '../../../debug-adapter/control/api';
import { Debugger } from '../../../debug-adapter/control/debugger';
import { type Host } from '../../../debug-adapter/control/runner';
import { turnMilliseconds } from '../../../debug-adapter/control/turn';
import { createMachine } from '../../../debug-adapter/machine/pc';
import { kludgeImage } from '../machine/images';

/** `jmp $` */
const loop = 0x10_0020n;
const image = kludgeImage(Uint8Array.of(0xeb, 0xfe));

/** A host on which looking at the time is what takes time, so that a turn is as many looks. */
class SlowHost implements Host {
  time = 0;
  #due: (() => void) | undefined;
  now(): number {
    return (this.time += 1);
  }
  later(_milliseconds: number, callback: () => void): () => void {
    this.#due = callback;
    return () => (this.#due = undefined);
  }
  /** Runs the turn that waits; answers how long it took. */
  turn(): number {
    const due = this.#due;
    assert.ok(due, 'nothing waits');
    this.#due = undefined;
    const before = this.time;
    due();
    return this.time - before;
  }
}

async function running(): Promise<{ session: Debugger; host: SlowHost; events: DebuggerEvent[] }> {
  const host = new SlowHost();
  const events: DebuggerEvent[] = [];
  const session = new Debugger(
    ({ commandLine, imageName, memory, cpuModel }) => createMachine({ image, imageName, commandLine, memory, cpuModel }).machine,
    host,
    (event) => events.push(event),
  );
  await session.launch({
    image,
    imageName: 'loop',
    commandLine: '',
    memory: 16 << 20,
    cpuModel: 'default',
    clock: 'skip',
    stopOnEntry: false,
    stopAtEnd: 'never',
    trace: [],
    sourceMap: [],
  });
  session.start();
  return { session, host, events };
}

describe('control: turns between which messages are read', () => {
  for (const options of [{ condition: '0' }, { hitCondition: '= 99999999' }, { logMessage: '{$rip}' }])
    it(`end in time where a breakpoint is met at every instruction, with ${JSON.stringify(options)}`, async () => {
      const { session, host } = await running();
      host.turn();
      session.setInstructionBreakpoints([{ address: loop, ...options }]);
      const before = session.statistics().instructions;
      for (let n = 0; n < 5; n++) assert.ok(host.turn() <= 4 * turnMilliseconds, 'the turn does not end');
      assert.ok(session.statistics().instructions > before, 'the guest does not get on');
      await session.terminate();
    });

  it('end in time on the way back through a condition that never holds', async () => {
    const { session, host, events } = await running();
    host.turn();
    session.pause();
    host.turn();
    assert.equal(events.at(-1)?.kind, 'stopped');
    session.setInstructionBreakpoints([{ address: loop, condition: '0' }]);
    session.reverseContinue();
    for (let n = 0; n < 5; n++) assert.ok(host.turn() <= 4 * turnMilliseconds, 'the turn does not end');
    assert.ok(session.history().position > 0);
    session.pause();
    host.turn();
    const last = events.findLast(({ kind }) => kind === 'stopped');
    assert.ok(last?.kind === 'stopped' && last.text?.includes('broken off'), JSON.stringify(last));
    await session.terminate();
  });
});
