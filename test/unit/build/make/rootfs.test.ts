/** Programs of a root file system made by its own Makefile: made, faults at their lines, nothing done without a Makefile. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeRootfs, type RootfsResult } from '../../../../src/build/make/rootfs.node';
import { findProgram } from '../../../../src/build/toolchain.node';

describe('the programs of a root file system', () => {
  let folder: string;
  beforeEach(function () {
    if (!findProgram('make', process.env) || !findProgram('gcc', process.env)) this.skip();
    folder = mkdtempSync(path.join(tmpdir(), 'rootfs-'));
  });
  afterEach(() => {
    if (folder) rmSync(folder, { recursive: true });
  });
  const make = (signal?: AbortSignal): Promise<RootfsResult> =>
    makeRootfs(folder, { env: process.env, output: () => undefined, ...(signal && { signal }) });

  it('are made by the Makefile there', async () => {
    writeFileSync(`${folder}/Makefile`, 'hello: hello.c\n\tgcc -o $@ $^\n');
    writeFileSync(`${folder}/hello.c`, 'int main(void) { return 0; }\n');
    assert.deepEqual(await make(), { ok: true, cancelled: false, problems: [] });
    assert.ok(existsSync(`${folder}/hello`));
  });

  it('have their faults at their lines', async () => {
    writeFileSync(`${folder}/Makefile`, 'hello: hello.c\n\tgcc -o $@ $^\n');
    writeFileSync(`${folder}/hello.c`, 'int main(void)\n{\n\treturn nothing;\n}\n');
    const { ok, problems } = await make();
    assert.equal(ok, false);
    const [first] = problems.filter(({ severity }) => severity === 'error');
    assert.deepEqual([first?.path, first?.line], [`${folder}/hello.c`, 3]);
  });

  it('are as they are without a Makefile', async () => assert.deepEqual(await make(), { ok: true, cancelled: false, problems: [] }));

  it('can be given up', async () => {
    writeFileSync(`${folder}/Makefile`, 'all:\n\tsleep 60\n');
    const cancel = new AbortController();
    const running = make(cancel.signal);
    setTimeout(() => cancel.abort(), 300);
    assert.deepEqual(await running, { ok: false, cancelled: true, problems: [] });
  });
});
