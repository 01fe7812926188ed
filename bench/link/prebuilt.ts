/** Builds an application from prebuilt objects in this process, first and again: `node prebuilt.js APP OBJECTS FOLDER`; the times in milliseconds as JSON. */
import { rmSync } from 'node:fs';
import { buildPool } from '../../src/build/pool-build.node';
import { formatProblem } from '../../src/build/problems';

const [app, prebuiltFolder, build] = process.argv.slice(2) as [string, string, string];

async function once(): Promise<number> {
  const start = performance.now();
  const result = await buildPool({ app, build, prebuiltFolder, env: process.env, prebuilt: 'always' });
  const time = performance.now() - start;
  if (!result.ok || !result.linked) throw new Error(result.problems.map(formatProblem).join('\n'));
  rmSync(build, { recursive: true });
  return time;
}

async function main(): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < 30; i++) times.push(await once());
  console.log(JSON.stringify({ first: times[0], warm: times.slice(20).sort((a, b) => a - b)[5] }));
}

void main();
