/** The linker as a program of its own, for the bench: `node process.js STEP.json OUTPUT`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { linkStep } from '../../src/build/link-step';
import { type LinkStep } from '../../src/build/plan';

const [step, output] = process.argv.slice(2) as [string, string];
writeFileSync(output, linkStep(JSON.parse(readFileSync(step, 'utf8')) as LinkStep, { read: (path) => readFileSync(path) }).bytes!);
