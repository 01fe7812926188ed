/** Makes the programs of a root file system by the Makefile in its folder, as catalog-core's run scripts do before they pack it. */
import { existsSync } from 'node:fs';
import { type BuildProblem } from '../problems';
import { runProgram, type RunProgram } from '../process.node';
import { parseMakeOutput } from './problems';

/** How the making of a root file system ended. */
export interface RootfsResult {
  readonly ok: boolean;
  readonly cancelled: boolean;
  readonly problems: readonly BuildProblem[];
}

/** Runs make in the folder where it has a Makefile. Never rejects: faults are problems, at the files that they are in. */
export async function makeRootfs(folder: string, options: Omit<RunProgram, 'directory'>): Promise<RootfsResult> {
  if (!existsSync(`${folder}/Makefile`)) return { ok: true, cancelled: false, problems: [] };
  let text = '';
  const end = await runProgram(['make'], {
    ...options,
    directory: folder,
    output: (part) => {
      text += part;
      options.output(part);
    },
  });
  if (end.cancelled) return { ok: false, cancelled: true, problems: [] };
  const ok = end.code === 0;
  // Where make is content, nothing that was said is an error.
  const said = parseMakeOutput(text).filter(({ severity }) => !ok || severity !== 'error');
  const problems = said.map((each) => (each.path === '' || each.path.startsWith('/') ? each : { ...each, path: `${folder}/${each.path}` }));
  if (!ok && !problems.some(({ severity }) => severity === 'error')) {
    const message = end.fault ?? `The programs of the root file system could not be made: make ended with status ${end.code}.`;
    problems.push({ path: `${folder}/Makefile`, line: 1, column: 1, severity: 'error', message, source: 'make' });
  }
  return { ok, cancelled: false, problems };
}
