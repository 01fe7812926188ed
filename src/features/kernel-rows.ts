/** What the threads view shows below the threads: the scheduler's queues, the allocators, and the tests that are built into the image. */
import * as vscode from 'vscode';
import {
  type AllocatorDetails,
  type AllocatorsAnswer,
  type TestsAnswer,
  type TestState,
  type ThreadsAnswer,
} from '../../debug-adapter/dap/custom';
import { fileAt } from './places';
import { sizeText } from '../shared/size-text';

/** A row with rows below it that are known already. */
export interface KernelRow {
  readonly kind: 'kernel';
  readonly id: string;
  readonly label: string;
  readonly text: string;
  readonly icon: string;
  readonly color?: string;
  readonly tooltip?: string;
  readonly place?: { readonly path: string; readonly line: number; readonly column: number };
  readonly below: readonly KernelRow[];
}

const row = (id: string, label: string, text: string, icon: string, rest: Partial<KernelRow> = {}): KernelRow => ({
  kind: 'kernel',
  id,
  label,
  text,
  icon,
  below: [],
  ...rest,
});

/** One row for each scheduler with its queues. */
export function queueRows({ queues, threads }: ThreadsAnswer): KernelRow[] {
  const names = new Map(threads.map(({ id, name }) => [id, name]));
  const list = (ids: readonly number[]): string => (ids.length === 0 ? 'empty' : ids.map((id) => names.get(id) ?? `#${id}`).join(', '));
  return queues.map(({ kind, run, sleep, exited }, index) =>
    row(`queues ${index}`, 'Scheduler', `${kind} · ${run.length} ready, ${sleep.length} asleep`, 'list-ordered', {
      below: [
        row(`queues ${index} run`, 'Run queue', list(run), 'debug-start'),
        row(`queues ${index} sleep`, 'Sleep queue', list(sleep), 'watch'),
        ...(exited.length === 0 ? [] : [row(`queues ${index} exited`, 'Exited', list(exited), 'circle-slash')]),
      ],
    }),
  );
}

export function allocatorRows({ allocators, counted }: AllocatorsAnswer): KernelRow[] {
  const rows = allocators.map((each) => allocatorRow(each));
  if (rows.length === 0 || counted) return rows;
  const hint = 'Build with CONFIG_LIBUKALLOC_IFSTATS to have the allocations counted.';
  return rows.map((each) => ({ ...each, tooltip: hint }));
}

function allocatorRow({ address, kind, isDefault, total, free, statistics }: AllocatorDetails): KernelRow {
  const left = total === undefined || free === undefined ? [] : [`${sizeText(free)} free of ${sizeText(total)}`];
  const used = statistics === undefined ? [] : [`${sizeText(statistics.used)} in ${statistics.live} blocks`];
  const fact = (label: string, text: string, icon: string): KernelRow => row(`alloc ${address} ${label}`, label, text, icon);
  return row(`alloc ${address}`, isDefault ? 'Memory' : 'Allocator', [kind, ...left, ...used].join(' · '), 'database', {
    below: [
      ...(total === undefined || free === undefined
        ? []
        : [fact('Used', `${sizeText(total - free)} (${(((total - free) / Math.max(total, 1)) * 100).toFixed(1)} %)`, 'pie-chart')]),
      ...(statistics === undefined
        ? []
        : [
            fact(
              'Allocations',
              `${statistics.allocations.toLocaleString('en-US')}, ${statistics.frees.toLocaleString('en-US')} freed`,
              'add',
            ),
            fact('Most in use', sizeText(statistics.mostUsed), 'arrow-up'),
            fact('Not met', statistics.failures.toLocaleString('en-US'), statistics.failures === 0 ? 'pass' : 'warning'),
          ]),
      fact('Structure', address, 'symbol-structure'),
    ],
  });
}

const testIcons: Readonly<Record<TestState, readonly [icon: string, color: string | undefined]>> = {
  passed: ['pass', 'testing.iconPassed'],
  failed: ['error', 'testing.iconFailed'],
  'not run': ['circle-outline', undefined],
};

export function testRows({ suites }: TestsAnswer): KernelRow[] {
  if (suites.length === 0) return [];
  const cases = suites.flatMap((suite) => suite.cases);
  const count = (state: TestState): number => cases.filter((each) => each.state === state).length;
  const state: TestState = count('failed') > 0 ? 'failed' : count('passed') > 0 ? 'passed' : 'not run';
  const parts = [`${count('passed')} of ${cases.length} passed`, ...(count('failed') === 0 ? [] : [`${count('failed')} failed`])];
  return [
    row('tests', 'Tests', parts.join(', '), testIcons[state][0], {
      ...colored(state),
      below: suites.map((suite) =>
        row(`suite ${suite.name}`, suite.name, suite.state, testIcons[suite.state][0], {
          ...colored(suite.state),
          below: suite.cases.map((test) =>
            row(`test ${suite.name} ${test.name}`, test.name, verdict(test), testIcons[test.state][0], {
              ...colored(test.state),
              ...(test.place === undefined ? {} : { place: test.place }),
              ...(test.description === undefined ? {} : { tooltip: test.description }),
            }),
          ),
        }),
      ),
    }),
  ];
}

function colored(state: TestState): { readonly color?: string } {
  const [, color] = testIcons[state];
  return color === undefined ? {} : { color };
}

function verdict({ state, passed, assertions, failedLines }: TestsAnswer['suites'][number]['cases'][number]): string {
  if (state === 'failed') return `failed in line ${failedLines.join(', ')}`;
  return state === 'passed' ? `${passed} of ${assertions} expectations` : 'not run yet';
}

export function kernelItem({ id, label, text, icon, color, tooltip, place, below }: KernelRow): vscode.TreeItem {
  const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState[below.length > 0 ? 'Collapsed' : 'None']);
  item.id = id;
  item.description = text;
  item.tooltip = tooltip ?? `${label}: ${text}`;
  item.iconPath = new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
  if (place !== undefined) {
    const at = new vscode.Position(place.line - 1, Math.max(place.column - 1, 0));
    item.command = {
      command: 'vscode.open',
      title: 'Open',
      arguments: [fileAt(place.path), { selection: new vscode.Range(at, at), preserveFocus: true }],
    };
  }
  return item;
}
