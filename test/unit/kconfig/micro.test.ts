/** Small inputs with the answers of four engines: every file they write and every line they print must be ours too. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { buildModel } from '../../../src/kconfig/build';
import { runConf } from '../../../src/kconfig/conf';
import { dialectOf, type DialectName } from '../../../src/kconfig/dialect';
import { writeAutoConf } from '../../../src/kconfig/dotconfig/auto-conf';
import { writeConfigHeader } from '../../../src/kconfig/dotconfig/config-header';
import { writeDefconfig } from '../../../src/kconfig/dotconfig/defconfig';
import { MemoryFiles } from './memory-files';

interface Answer {
  readonly rc: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly config?: string;
  readonly min?: string;
  readonly 'auto.conf'?: string;
  readonly 'config.h'?: string;
}

interface Vector {
  readonly kconfig: string;
  readonly dotconfig: string;
  readonly files: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly out: Readonly<Record<'uk52' | 'l61' | 'l612' | 'kclib', Answer>>;
}

const vectorFile = process.env['KCONFIG_VECTORS'] ?? path.resolve(import.meta.dirname, '../../../../shared/vectors/kconfig/micro.json');
const engines = { uk52: 'uk-5.2', l61: 'linux-6.1', l612: 'linux-6.12', kclib: 'kconfiglib' } as const satisfies Record<
  string,
  DialectName
>;

/** Vectors whose answer is not ours, and why. */
const leftOut: Readonly<Record<string, string>> = {};

function run(vector: Vector, dialect: DialectName): Answer {
  const files: Record<string, string> = { '/w/Kconfig': vector.kconfig };
  for (const [name, text] of Object.entries(vector.files)) files[`/w/${name}`] = text;
  const environment: Record<string, string> = { CONFIG_: 'CONFIG_', ...vector.env };
  const model = buildModel({
    files: new MemoryFiles(files),
    cwd: '/w',
    root: vector.env['KC'] ?? 'Kconfig',
    dialect: dialectOf(dialect),
    environment,
    shell: (command) => execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' }),
  });
  const outcome = runConf(model, {
    mode: 'olddefconfig',
    environment,
    read: (name) => (name === '.config' && vector.dotconfig !== '' ? vector.dotconfig : undefined),
  });
  const { exit: rc, stdout, stderr, config } = outcome;
  if (config === undefined) return { rc, stdout, stderr };
  const again = runConf(model, { mode: 'savedefconfig', environment, read: () => config });
  const min = again.defconfig!;
  again.values.invalidateAll();
  const header = writeConfigHeader(again.values, 'CONFIG_');
  if (dialect === 'kconfiglib') return { rc, stdout, stderr, config, min: writeDefconfig(outcome.values, 'CONFIG_'), 'config.h': header };
  return { rc, stdout, stderr, config, min, 'auto.conf': writeAutoConf(again.values, 'CONFIG_'), 'config.h': header };
}

/** A Python error's message, without the trace of the interpreter's own source lines. */
function withoutTrace(stderr: string): string {
  const at = stderr.indexOf('Traceback (most recent call last):');
  if (at < 0) return stderr;
  return stderr.slice(0, at) + stderr.slice(at).replace(/^[^]*?\nkconfiglib\.KconfigError: /, '');
}

describe('answers of four Kconfig engines', function () {
  if (!existsSync(vectorFile)) {
    console.warn(`    skipped: there is no ${vectorFile}`);
    return;
  }
  const vectors = JSON.parse(readFileSync(vectorFile, 'utf8')) as Record<string, Vector>;
  const passed: Record<string, number> = {};
  for (const [name, vector] of Object.entries(vectors)) {
    for (const [engine, dialect] of Object.entries(engines) as [keyof typeof engines, DialectName][]) {
      const reason = leftOut[`${name} ${dialect}`];
      it(`${name} ${dialect}${reason ? ` (differs: ${reason})` : ''}`, function () {
        const wanted = vector.out[engine];
        const given = run(vector, dialect);
        const compared = Object.keys(given).filter(
          (key) => key === 'rc' || key === 'stderr' || key === 'stdout' || key in wanted,
        ) as (keyof Answer)[];
        const pick = (answer: Answer): unknown => Object.fromEntries(compared.map((key) => [key, answer[key]]));
        const expected = { ...wanted, stderr: withoutTrace(wanted.stderr) };
        if (reason) assert.notDeepEqual(pick(given), pick(expected), 'it no longer differs: take it off the list');
        else assert.deepEqual(pick(given), pick(expected));
        passed[dialect] = (passed[dialect] ?? 0) + (reason ? 0 : 1);
      });
    }
  }
  after(() => {
    for (const [dialect, count] of Object.entries(passed))
      console.log(`    ${dialect.padEnd(12)} ${count} of ${Object.keys(vectors).length} equal`);
  });
});
