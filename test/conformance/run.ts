/** Runs suites that others wrote on the product's processor and machine, and prints what passed: `tsx test/conformance/run.ts [fex|iced|images|programs] [pattern]`. */

import { runFex } from './fex-run';
import { runInstructionInfo } from './instruction-info';
import { type ConformanceResult, printTable } from './result';
import { runImages } from './images';
import { runPrograms } from './programs';

type Suite = (pattern?: RegExp) => ConformanceResult | Promise<ConformanceResult>;

const suites: Readonly<Record<string, readonly [string, Suite]>> = {
  fex: ['FEX unittests/ASM', runFex],
  iced: ['iced instruction information', runInstructionInfo],
  images: ["images, against QEMU's console", runImages],
  programs: ['programs, against this system', runPrograms],
};

async function main(args: readonly string[]): Promise<void> {
  const [first, second] = args;
  const named = first !== undefined && first in suites;
  const pattern = new RegExp((named ? second : first) ?? '.');
  for (const [key, [title, run]] of Object.entries(suites)) {
    if (named && key !== first) continue;
    const result = await run(pattern);
    console.log(printTable(title, result));
    if (result.failures.length > 0) process.exitCode = 1;
  }
}

void main(process.argv.slice(2));
