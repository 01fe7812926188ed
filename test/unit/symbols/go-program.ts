/** The Go program of the fixtures, built with the host's Go as a static PIE, as Unikraft's ELF loader runs them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

export const goSource = join(import.meta.dirname, '../../fixtures/values/values.go');

/** True when there is Go; else says so. */
export function haveGo(purpose: string): boolean {
  const isThere = spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0;
  if (!isThere) console.log(`SKIPPED: ${purpose}: not found on this host: go`);
  return isThere;
}

/** Builds the program to a path. Go's own cache makes the second time quick. */
export function buildGo(output: string, ...options: string[]): void {
  const link = '-linkmode=external -extldflags=-static-pie';
  execFileSync('go', ['build', ...options, '-buildmode=pie', `-ldflags=${link}`, '-o', output, goSource], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, GO111MODULE: 'off', GOFLAGS: '', CGO_ENABLED: '1' },
  });
}
