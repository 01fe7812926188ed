import assert from 'node:assert/strict';
import { KernelLog } from '../../../debug-adapter/dap/kernel-log';

const line = (level: string, text: string): string => `[    0.100126] ${level}: [libkvmplat] <tscclock.c @  276> ${text}\r\n`;

describe('kernel log', () => {
  it('links lines to their sources and colours them by level', () => {
    const [piece] = new KernelLog(true).feed(line('Info', 'Clock source: TSC'));
    assert.deepEqual(piece?.source, { file: 'tscclock.c', library: 'libkvmplat', line: 276 });
    assert.match(piece?.text ?? '', /^\x1b\[36m\[ {4}0\.100126\] Info: .*276> \x1b\[0mClock source: TSC\r\n$/);
    assert.equal(piece?.category, 'stdout');
    assert.equal(new KernelLog(false).feed(line('ERR', 'no'))[0]?.text, line('ERR', 'no'));
    assert.equal(new KernelLog(false).feed(line('CRIT', 'no'))[0]?.category, 'important');
  });

  it('takes lines without a library or a place', () => {
    const [piece] = new KernelLog(false).feed('[    1.000000] WARN: low memory\n');
    assert.equal(piece?.source, undefined);
    assert.equal(piece?.text, '[    1.000000] WARN: low memory\n');
  });

  it('folds debug messages in a row, and ends the group before what follows', () => {
    const log = new KernelLog(false);
    const pieces = [...log.feed(line('dbg', 'one')), ...log.feed(line('dbg', 'two')), ...log.feed('Hello\n')];
    assert.deepEqual(
      pieces.map(({ group, text }) => [group, text.trim().slice(-5)]),
      [
        ['startCollapsed', '> one'],
        [undefined, '> two'],
        ['end', ''],
        [undefined, 'Hello'],
      ],
    );
  });

  it('passes a prompt on at once, and holds back only what may become a log line', () => {
    const log = new KernelLog(false);
    assert.deepEqual(log.feed('login: '), [{ text: 'login: ', category: 'stdout' }]);
    assert.deepEqual(log.feed('root\n[   0.5'), [{ text: 'root\n', category: 'stdout' }]);
    assert.deepEqual(log.flush(), [{ text: '[   0.5', category: 'stdout' }]);
    assert.equal(log.feed('[user@host] # ').length, 1);
  });

  it('keeps every character, however the text is cut', () => {
    const text = `boot\n${line('Info', 'a')}${line('dbg', 'b')}[x] y\n${line('ERR', 'c')}tail`;
    for (let step = 1; step < 40; step++) {
      const log = new KernelLog(false);
      let out = '';
      for (let at = 0; at < text.length; at += step) for (const piece of log.feed(text.slice(at, at + step))) out += piece.text;
      for (const piece of log.flush()) out += piece.text;
      assert.equal(out, text, `in steps of ${step}`);
    }
  });
});
