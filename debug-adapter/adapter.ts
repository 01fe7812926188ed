/** Entry of the debug adapter as a process of its own. */
import { runDapServer } from './main';

runDapServer(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
