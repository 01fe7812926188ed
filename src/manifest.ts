/** Ids and defaults of everything that package.json contributes: the code uses these, and a test holds the two together. */

/** The debug type of launch.json. */
export const debugType = 'unikernel';

export const commands = {
  runImage: 'unikernel.runImage',
  debugImage: 'unikernel.debugImage',
  openExample: 'unikernel.openExample',
  buildProject: 'unikernel.build',
  showLog: 'unikernel.showLog',
  configure: 'unikernel.configure',
  configOpenText: 'unikernel.config.openText',
  configCompare: 'unikernel.config.compare',
  configSaveDefconfig: 'unikernel.config.saveDefconfig',
  configFind: 'unikernel.config.find',
  refreshThreads: 'unikernel.threads.refresh',
  filterSyscalls: 'unikernel.syscalls.filter',
  clearSyscallFilter: 'unikernel.syscalls.clearFilter',
  syscallSummary: 'unikernel.syscalls.summary',
  exportTrace: 'unikernel.syscalls.export',
  goToCaller: 'unikernel.syscalls.goToCaller',
  editRegister: 'unikernel.registers.edit',
} as const;

/** Views of a debug session. */
export const views = { threads: 'unikernel.threads', syscalls: 'unikernel.syscalls', registers: 'unikernel.registers' } as const;

/** The custom editor of .config files. */
export const configEditorType = 'unikernel.configEditor';

/** Settings with their defaults, under `unikernel.`. */
export const settings = {
  'debug.memory': 128,
  'debug.trace': ['syscalls', 'tls'],
  'debug.console': 'terminal',
  'config.confirmSideEffects': false,
} as const satisfies Readonly<Record<string, unknown>>;

export type SettingName = keyof typeof settings;

/** What a setting can hold, widened from its default. */
export interface SettingTypes {
  'debug.memory': number;
  'debug.trace': readonly string[];
  'debug.console': 'terminal' | 'debugConsole';
  'config.confirmSideEffects': boolean;
}
