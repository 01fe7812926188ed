/**
 * `unikernel config` in place of conf in real runs of a Unikraft tree's make: every file of the build folder must be the same.
 *
 * UK_ROOT names the Unikraft tree, UK_CONF its `conf`, UK_APP an application, UK_LIBS (colon list) its libraries.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildSync } from 'esbuild';

const { UK_ROOT: root, UK_CONF: conf, UK_APP, UK_LIBS } = process.env;
const source = path.resolve(__dirname, '../../../src');

/** What a person or a build runs, one after the other, in the same folder. */
const runs: readonly (readonly string[])[] = [
  ['olddefconfig'],
  ['allnoconfig'],
  ['allyesconfig'],
  ['defconfig', 'UK_DEFCONFIG=SCRATCH/chosen'],
  ['savedefconfig', 'UK_DEFCONFIG=SCRATCH/saved'],
  ['syncconfig'],
  // A second one after a change touches only what is another.
  ['defconfig', 'UK_DEFCONFIG=SCRATCH/other'],
  ['syncconfig'],
];

describe("a Unikraft tree's make, with unikernel config in place of conf", function () {
  this.timeout(600_000);
  if (!root || !conf || !UK_APP) {
    console.warn('    skipped: UK_ROOT (a Unikraft tree), UK_CONF (its conf program) and UK_APP (an application) are not all set');
    return;
  }
  const scratch = mkdtempSync(path.join(tmpdir(), 'kconfig-make-'));
  after(() => rmSync(scratch, { recursive: true }));

  it('writes the same files', () => {
    const ours = path.join(scratch, 'config.cjs');
    buildSync({
      stdin: {
        contents: `import { configCommand } from ${JSON.stringify(`${source}/cli/config`)};
          const io = { stdout: (text: string) => process.stdout.write(text), stderr: (text: string) => process.stderr.write(text) };
          void configCommand(process.argv.slice(2), { ...io, cwd: process.cwd(), env: process.env }).then((code) => (process.exitCode = code));`,
        loader: 'ts',
        resolveDir: source,
      },
      bundle: true,
      platform: 'node',
      outfile: ours,
      logLevel: 'error',
    });
    const chosen = ['CONFIG_PLAT_KVM=y', 'CONFIG_KVM_VMM_QEMU=y', 'CONFIG_LIBUKDEBUG_PRINTD=y', 'CONFIG_UK_NAME="chosen"', ''].join('\n');
    writeFileSync(`${scratch}/chosen`, chosen);
    writeFileSync(`${scratch}/other`, `${chosen}CONFIG_LIBVFSCORE=y\n`.replace('PRINTD=y', 'PRINTD=n'));
    const mine = makeAll((program) => writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${ours} "$@"\n`, { mode: 0o755 }));
    const theirs = makeAll((program) => copyFileSync(conf, program));
    assert.deepEqual([...mine.keys()], [...theirs.keys()]);
    for (const [step, files] of theirs) {
      assert.deepEqual([...mine.get(step)!.keys()], [...files.keys()], step);
      for (const [name, text] of files) assert.equal(mine.get(step)!.get(name), text, `${name} after ${step}`);
    }
    const last = theirs.get(`8 syncconfig`)!;
    console.log(`    ${theirs.size} runs of make, ${last.size} files in the end`);
    assert.ok(last.has('build/kconfig/auto.conf') && last.has('build/include/uk/bits/config.h'));
  });

  /** The files after each run, by name, with their text. */
  function makeAll(install: (program: string) => void): Map<string, ReadonlyMap<string, string>> {
    // The same paths for both, as these get into the files.
    const work = path.join(scratch, 'work');
    for (const each of [work, path.join(scratch, 'saved')]) rmSync(each, { recursive: true, force: true });
    cpSync(UK_APP!, `${work}/app`, { recursive: true, filter: (name) => !/\/(\.git|\.config.*|build)$/.test(name) });
    mkdirSync(`${work}/build/kconfig`, { recursive: true });
    install(`${work}/build/kconfig/conf`);
    const after = new Map<string, ReadonlyMap<string, string>>();
    for (const [index, [goal, ...variables]] of runs.entries()) {
      const own = [`A=${work}/app`, `O=${work}/build`, `L=${UK_LIBS ?? ''}`, ...variables.map((each) => each.replace('SCRATCH', scratch))];
      // Touched files are told by being there at all.
      rmSync(`${work}/build/include/config`, { recursive: true, force: true });
      execFileSync('make', ['-C', root!, ...own, goal!], { stdio: 'ignore', env: { ...process.env, LC_ALL: 'C' } });
      after.set(`${index + 1} ${goal!}`, new Map([...filesBelow(work), ...filesBelow(scratch, 'saved')]));
    }
    return after;
  }
});

function filesBelow(folder: string, only?: string): [string, string][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'conf' && (only === undefined || entry.name === only))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
    .map((file) => [path.relative(folder, file), readFileSync(file, 'utf8')]);
}
