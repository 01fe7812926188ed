/** Ids and defaults of everything that package.json contributes: the code uses these, and a test holds the two together. */

/** The debug type of launch.json. */
export const debugType = 'unikernel';

export const commands = {
  runImage: 'unikernel.runImage',
  debugImage: 'unikernel.debugImage',
  openExample: 'unikernel.openExample',
  buildProject: 'unikernel.build',
  buildConfigure: 'unikernel.build.configure',
  buildFetch: 'unikernel.build.fetch',
  buildPrepare: 'unikernel.build.prepare',
  buildClean: 'unikernel.build.clean',
  buildProperclean: 'unikernel.build.properclean',
  selectTarget: 'unikernel.selectTarget',
  showSizes: 'unikernel.showSizes',
  showGraph: 'unikernel.showGraph',
  newProject: 'unikernel.newProject',
  whichLibrary: 'unikernel.whichLibrary',
  poolRefresh: 'unikernel.pool.refresh',
  poolFilter: 'unikernel.pool.filter',
  poolClearFilter: 'unikernel.pool.clearFilter',
  poolSelectProject: 'unikernel.pool.selectProject',
  poolShowLibrary: 'unikernel.pool.showLibrary',
  poolEnable: 'unikernel.pool.enable',
  poolDisable: 'unikernel.pool.disable',
  poolAddToKraftfile: 'unikernel.pool.addToKraftfile',
  poolRemoveFromKraftfile: 'unikernel.pool.removeFromKraftfile',
  poolBuildLibrary: 'unikernel.pool.build',
  poolFetch: 'unikernel.pool.fetch',
  poolUpdateIndex: 'unikernel.pool.updateIndex',
  poolOpenConfig: 'unikernel.pool.openConfig',
  poolOpenMakefile: 'unikernel.pool.openMakefile',
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
  editRegister: 'unikernel.registers.edit',
  reverseNext: 'unikernel.travel.reverseNext',
  reverseIn: 'unikernel.travel.reverseIn',
  reverseOut: 'unikernel.travel.reverseOut',
  travel: 'unikernel.travel',
  travelToInstruction: 'unikernel.travel.instruction',
  travelToConsoleLine: 'unikernel.travel.consoleLine',
  travelToSyscall: 'unikernel.travel.syscall',
  whoWrote: 'unikernel.travel.whoWrote',
  saveSession: 'unikernel.travel.saveSession',
  openSession: 'unikernel.travel.openSession',
} as const;

/** Views of a debug session. */
export const views = { threads: 'unikernel.threads', syscalls: 'unikernel.syscalls', registers: 'unikernel.registers' } as const;

/** The view of the library pool. */
export const poolViewId = 'unikernel.pool';

/** Context key of an editor without a machine behind it. */
export const inBrowser = 'unikernel.inBrowser';

/** The type of tasks in tasks.json. */
export const taskType = 'unikernel';

/** The custom editor of .config files. */
export const configEditorType = 'unikernel.configEditor';

/** Settings with their defaults, under `unikernel.`. */
export const settings = {
  'debug.memory': 128,
  'debug.trace': ['syscalls', 'tls'],
  'debug.console': 'terminal',
  'config.confirmSideEffects': false,
  'pool.index': '',
  'kconfig.root': '',
  'kconfig.libraries': [],
  'kconfig.config': '',
  'kconfig.dialect': 'auto',
  'kconfig.diagnostics': 'openFiles',
  'kconfig.shell': false,
  'kconfig.codeLens': true,
  'kconfig.inlayHints': true,
} as const satisfies Readonly<Record<string, unknown>>;

export type SettingName = keyof typeof settings;

/** What a setting can hold, widened from its default. */
export interface SettingTypes {
  'debug.memory': number;
  'debug.trace': readonly string[];
  'debug.console': 'terminal' | 'debugConsole';
  'config.confirmSideEffects': boolean;
  'pool.index': string;
  'kconfig.root': string;
  'kconfig.libraries': readonly string[];
  'kconfig.config': string;
  'kconfig.dialect': 'auto' | 'uk-5.2' | 'linux-6.1' | 'linux-6.12' | 'kconfiglib';
  'kconfig.diagnostics': 'openFiles' | 'workspace';
  'kconfig.shell': boolean;
  'kconfig.codeLens': boolean;
  'kconfig.inlayHints': boolean;
}
