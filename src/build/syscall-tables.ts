/** The files that the system call shim needs and that follow from the configuration: numbers, names, and the switches over them. */

/** A system call that a library of the image provides. */
export interface ProvidedSyscall {
  readonly name: string;
  /** Number of parameters, 0 to 6. */
  readonly arity: number;
  /** Whether it works on the caller's execution environment. */
  readonly execenv: boolean;
}

/** Reads entries like `write-3` and `arch_prctl-2e` of UK_PROVIDED_SYSCALLS; what has another form is returned in `bad`. */
export function readProvidedSyscalls(words: readonly string[]): { provided: ProvidedSyscall[]; bad: string[] } {
  const provided = new Map<string, ProvidedSyscall>();
  const bad: string[] = [];
  for (const word of words) {
    const match = /^([a-z0-9_]+)-([0-6])([eu]?)$/.exec(word);
    if (match) provided.set(match[1]!, { name: match[1]!, arity: Number(match[2]), execenv: match[3] !== '' });
    else bad.push(word);
  }
  return { provided: [...provided.values()], bad };
}

/** Reads `#define __NR_write 1` lines: number by name, in the file's order. */
export function readSyscallNumbers(text: string): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const match of text.matchAll(/^#define\s+__NR_([a-z0-9_]+)\s+(\d+)\s*$/gm)) numbers.set(match[1]!, Number(match[2]));
  return numbers;
}

const HEAD = '/* Written by the build from the table of system calls. */\n';
const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f'];
const REGISTERS = ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'];

function longs(arity: number): string {
  return arity === 0 ? 'void' : Array.from({ length: arity }, () => 'long').join(', ');
}

/** Paths relative to the shim's build folder, with their texts. */
export function syscallFiles(numbers: ReadonlyMap<string, number>, provided: readonly ProvidedSyscall[]): Map<string, string> {
  const known = provided.filter((p) => numbers.has(p.name));
  const byName = new Map(known.map((p) => [p.name, p]));
  const all = [...numbers];
  return new Map([
    ['include/uk/bits/syscall_nrs.h', HEAD + all.map(([n, nr]) => `#define __NR_${n} ${nr}\n#define SYS_${n} ${nr}\n`).join('')],
    ['include/uk/bits/syscall_provided.h', HEAD + provided.map((p) => `#define HAVE_uk_syscall_${p.name} 1\n`).join('')],
    [
      'include/uk/bits/syscall_r_static.h',
      HEAD +
        known.map((p) => `long uk_syscall_r_${p.name}(${longs(p.arity)});\n`).join('') +
        all.map(([n, nr]) => `#define uk_syscall_r_fn_${nr}${byName.has(n) ? ` uk_syscall_r_${n}` : '(...) (-ENOSYS)'}\n`).join(''),
    ],
    ['uk_syscall6_r.c', dispatcher(numbers, known)],
    ['uk_syscall_name.c', names(all)],
  ]);
}

function dispatcher(numbers: ReadonlyMap<string, number>, known: readonly ProvidedSyscall[]): string {
  const direct = known.map(
    (p) => `\tcase ${numbers.get(p.name)!}:\n\t\treturn uk_syscall_r_${p.name}(${LETTERS.slice(0, p.arity).join(', ')});\n`,
  );
  const saved = known.map((p) => {
    const args = REGISTERS.slice(0, p.arity).map((r) => `(long)r->${r}`);
    const call = p.execenv ? `uk_syscall_r_e_${p.name}(execenv)` : `uk_syscall_r_${p.name}(${args.join(', ')})`;
    return `\tcase ${numbers.get(p.name)!}:\n\t\treturn ${call};\n`;
  });
  const bodies = known.filter((p) => p.execenv).map((p) => `long uk_syscall_r_e_${p.name}(struct ukarch_execenv *execenv);\n`);
  return `${HEAD}#include <uk/syscall.h>

${bodies.join('')}
long uk_syscall6_r(long nr, ${LETTERS.map((l) => `long ${l}`).join(', ')})
{
${LETTERS.map((l) => `\t(void)${l};\n`).join('')}	switch (nr) {
${direct.join('')}	default:
		return -ENOSYS;
	}
}

long uk_syscall6_r_e(struct ukarch_execenv *execenv)
{
	struct __regs *r = &execenv->regs;

	switch (r->orig_rax) {
${saved.join('')}	default:
		return -ENOSYS;
	}
}
`;
}

function names(all: readonly (readonly [string, number])[]): string {
  return `${HEAD}#include <uk/syscall.h>

static const char *const names[] = {
${all.map(([name, nr]) => `\t[${nr}] = "${name}",\n`).join('')}};

const char *uk_syscall_name(long nr)
{
	return nr >= 0 && nr < (long)ARRAY_SIZE(names) ? names[nr] : NULL;
}
`;
}
