/** A Linux tree as its make shows it to kconfig, for tests and the benchmark: the environment, and a shell whose answers are kept. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The environment that Linux's make gives to `conf` for ARCH=x86 with this machine's compiler. */
export function linuxEnvironment(root: string, scratch: string): Record<string, string> {
  const makefile = readFileSync(path.join(root, 'Makefile'), 'utf8');
  const part = (name: string): string => new RegExp(`^${name} = *(\\S*)$`, 'm').exec(makefile)?.[1] ?? '';
  const compiler = execFileSync('gcc', ['--version'], { encoding: 'utf8' }).split('\n')[0]!;
  return {
    srctree: root,
    ARCH: 'x86',
    SRCARCH: 'x86',
    KERNELVERSION: `${part('VERSION')}.${part('PATCHLEVEL')}.${part('SUBLEVEL')}${part('EXTRAVERSION')}`,
    CC: 'gcc',
    LD: 'ld',
    AR: 'ar',
    NM: 'nm',
    HOSTCC: 'gcc',
    HOSTCXX: 'g++',
    RUSTC: 'rustc',
    BINDGEN: 'bindgen',
    PAHOLE: 'pahole',
    CLANG_FLAGS: '',
    CC_VERSION_TEXT: compiler.replace(/"/g, ''),
    CONFIG_: 'CONFIG_',
    KCONFIG_CONFIG: path.join(scratch, '.config'),
    KCONFIG_AUTOCONFIG: path.join(scratch, 'auto.conf'),
    KCONFIG_AUTOHEADER: path.join(scratch, 'autoconf.h'),
    KCONFIG_TRISTATE: path.join(scratch, 'tristate.conf'),
    KCONFIG_RUSTCCFG: path.join(scratch, 'rustc_cfg'),
  };
}

/** Runs commands as `conf` does, each once; later runs are answered from what the first one said. */
export function replayingShell(cwd: string, environment: Readonly<Record<string, string>>): (command: string) => string {
  const answers = new Map<string, string>();
  return (command) => {
    let answer = answers.get(command);
    if (answer === undefined) {
      answer = spawnSync('/bin/sh', ['-c', command], { cwd, env: { ...process.env, ...environment }, encoding: 'utf8' }).stdout;
      answers.set(command, answer);
    }
    return answer;
  };
}
