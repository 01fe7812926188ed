/**
 * Requests a second of a web server in the guest, over user-mode networking with a forwarded port: our machine and QEMU's TCG on the same image, in turns.
 * `npx tsx bench/net/main.ts [--image nginx|c-http] [--seconds N] [--rounds N] [--requests N]`. Images in UNIKERNEL_SUITES/images, QEMU from QEMU or the
 * PATH; needs wrk and a built dist/cli.js. First every server answers `requests` requests, one connection each; none may be lost.
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';

const root = path.resolve(__dirname, '../..');
const option = (name: string, usual: string): string => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? usual : (process.argv[at + 1] ?? usual);
};

/** What an image needs to serve. */
const images: Readonly<Record<string, { readonly port: number; readonly initrd?: string; readonly append: string }>> = {
  nginx: {
    port: 80,
    initrd: 'initrd/nginx.cpio',
    append: 'netdev.ip=10.0.2.15/24:10.0.2.2::: vfs.fstab=[ "initrd0:/:extract::ramfs=1:" ] -- -c /nginx/conf/nginx.conf',
  },
  'c-http': { port: 8080, append: 'netdev.ip=10.0.2.15/24:10.0.2.2::: -- ' },
};

interface Server {
  readonly name: string;
  readonly port: number;
  readonly process: ChildProcess;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Whether a request is answered. */
function ask(port: number, agent?: Agent): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/', timeout: 30_000, ...(agent && { agent }) }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200));
      response.on('error', () => resolve(false));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

async function start(name: 'ours' | 'qemu', folder: string, image: string): Promise<Server> {
  const { port: guestPort, initrd, append } = images[image]!;
  const port = await freePort();
  const kernel = path.join(folder, image);
  const archive = initrd === undefined ? [] : [path.join(folder, initrd)];
  const forward = `user,hostfwd=tcp:127.0.0.1:${port}-:${guestPort}`;
  const child =
    name === 'ours'
      ? spawn(
          path.join(root, 'dist/cli.js'),
          [
            ...['run', kernel, '--memory', '256', '--keep', 'off', '--net', forward, '--append', append],
            ...archive.flatMap((file) => ['--initrd', file]),
          ],
          { stdio: 'ignore' },
        )
      : spawn(
          process.env['QEMU'] ?? 'qemu-system-x86_64',
          [
            ...'-accel tcg -M pc -cpu max -m 256 -display none -no-reboot -serial null -monitor none'.split(' '),
            ...['-kernel', kernel, '-append', append, '-netdev', forward.replace('user,', 'user,id=n0,')],
            ...['-device', 'virtio-net-pci,netdev=n0,disable-modern=on', ...archive.flatMap((file) => ['-initrd', file])],
          ],
          { stdio: 'ignore' },
        );
  for (let i = 0; i < 120; i++) {
    if (child.exitCode !== null) throw new Error(`${name} ended with status ${child.exitCode}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open && (await ask(port))) return { name, port, process: child };
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  child.kill();
  throw new Error(`${name} does not answer`);
}

/** CPU time of a process and those below it that it has waited for, in seconds (proc(5): utime and stime in ticks of 10 ms). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident memory in MiB. */
function resident(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) / 1024;
}

/** Requests of a connection each, eight at a time; answers the number without an answer. */
async function count(server: Server, requests: number): Promise<number> {
  const agent = new Agent({ keepAlive: false, maxSockets: 8 });
  let lost = 0;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next++ < requests) if (!(await ask(server.port, agent))) lost++;
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  agent.destroy();
  return lost;
}

interface Load {
  readonly perSecond: number;
  readonly perCpuSecond: number;
  readonly errors: number;
}

async function load(server: Server, seconds: number): Promise<Load> {
  const before = cpuSeconds(server.process.pid!);
  const { stdout } = await promisify(execFile)('wrk', ['-t1', '-c8', `-d${seconds}s`, `http://127.0.0.1:${server.port}/`]);
  const used = cpuSeconds(server.process.pid!) - before;
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? NaN);
  const done = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? NaN);
  const errors = [.../(?:connect|read|write|timeout) (\d+)/g[Symbol.matchAll](stdout)].reduce((sum, match) => sum + Number(match[1]), 0);
  return { perSecond, perCpuSecond: done / used, errors };
}

async function main(): Promise<void> {
  const suites = process.env['UNIKERNEL_SUITES'];
  const image = option('image', 'nginx');
  const folder = path.join(suites ?? '', 'images');
  if (images[image] === undefined) throw new Error(`--image is one of ${Object.keys(images).join(', ')}`);
  if (suites === undefined || !existsSync(path.join(folder, image)) || !existsSync(path.join(root, 'dist/cli.js'))) {
    console.log(`skipped: needs UNIKERNEL_SUITES/images/${image} and dist/cli.js (npm run build)`);
    return;
  }
  const seconds = Number(option('seconds', '10'));
  const servers: Server[] = [];
  try {
    for (const name of ['ours', 'qemu'] as const) {
      if (option('only', name) !== name) continue;
      try {
        servers.push(await start(name, folder, image));
      } catch (error) {
        console.log(`${name} is left out: ${(error as Error).message}`);
      }
    }
    const requests = Number(option('requests', '10000'));
    for (const server of servers) {
      const before = cpuSeconds(server.process.pid!);
      const from = performance.now();
      const lost = await count(server, requests);
      const wall = (performance.now() - from) / 1000;
      const cpu = cpuSeconds(server.process.pid!) - before;
      console.log(
        `${server.name.padEnd(5)} ${requests} requests, a connection each: ${lost} lost, ${(requests / wall).toFixed(0)}/s, ${(requests / cpu).toFixed(0)} per second of CPU`,
      );
    }
    for (let round = 0; round < Number(option('rounds', '3')); round++) {
      for (const server of servers) {
        const { perSecond, perCpuSecond, errors } = await load(server, seconds);
        console.log(
          `${server.name.padEnd(5)} wrk -c8: ${perSecond.toFixed(0)}/s, ${perCpuSecond.toFixed(0)} per second of CPU, ${errors} errors, ${resident(server.process.pid!).toFixed(0)} MiB resident`,
        );
      }
    }
  } finally {
    for (const server of servers) server.process.kill();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
