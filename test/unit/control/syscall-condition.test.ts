import assert from 'node:assert/strict';
import { parseSyscallCondition, parseVectors } from '../../../debug-adapter/control/catch/syscall-condition';

const openat = 257;
const write = 1;
const socket = 41;

describe('conditions of the system call filters', () => {
  it('join calls by or, and calls with errors by and', () => {
    const condition = parseSyscallCondition('openat,write,-ENOENT');
    assert.ok(condition.needsResult);
    assert.ok(condition.accepts('binary', openat, -2n));
    assert.ok(condition.accepts('compiled-in', write, -2n));
    assert.ok(!condition.accepts('binary', openat, -13n));
    assert.ok(!condition.accepts('binary', openat, 3n));
    assert.ok(!condition.accepts('binary', socket, -2n));
  });

  it('know classes, patterns, exceptions, paths and failures', () => {
    assert.ok(parseSyscallCondition('%network').accepts('binary', socket, undefined));
    assert.ok(!parseSyscallCondition('%network').accepts('binary', write, undefined));
    assert.ok(parseSyscallCondition('open*').accepts('binary', openat, undefined));
    assert.ok(!parseSyscallCondition('!write').accepts('binary', write, undefined));
    assert.ok(parseSyscallCondition('!write').accepts('binary', openat, undefined));
    assert.ok(!parseSyscallCondition('native').accepts('binary', write, undefined));
    assert.ok(parseSyscallCondition('failed').accepts('binary', write, -9n));
    assert.ok(!parseSyscallCondition('failed').accepts('binary', write, 9n));
    assert.ok(parseSyscallCondition('1').accepts('binary', write, undefined));
    assert.ok(parseSyscallCondition('').accepts('binary', write, undefined));
  });

  it('take a C expression after "if"', () => {
    assert.equal(parseSyscallCondition('write if $rdi == 1').expression, '$rdi == 1');
    assert.equal(parseSyscallCondition('if argc > 2').expression, 'argc > 2');
    assert.equal(parseSyscallCondition('write').expression, undefined);
  });

  it('say which word is wrong', () => {
    assert.throws(() => parseSyscallCondition('opneat'), /"opneat" is no system call.*did you mean openat/);
    assert.throws(() => parseSyscallCondition('-ENOPE'), /"-ENOPE" is no error/);
  });

  it('of interrupts are vectors and ranges', () => {
    const accepts = parseVectors('32, 0x28-0x2f');
    assert.deepEqual([31, 32, 33, 39, 40, 47, 48].filter(accepts), [32, 40, 47]);
    assert.ok(parseVectors('')(200));
    assert.throws(() => parseVectors('256'), /no interrupt vector/);
    assert.throws(() => parseVectors('9-3'), /no interrupt vector/);
  });
});
