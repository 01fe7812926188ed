/** Time, sockets and captures under Node, for run control. */
import { writeFileSync } from 'node:fs';
import { type Host } from './control/runner';
import { nodeNetwork } from './net/host.node';
import { touchedPagesOf } from './touched-pages.node';

/** Lets messages in between slices: setImmediate runs after the event loop polled them. */
export const runnerHost: Host = {
  now: () => performance.now(),
  later: (milliseconds, callback) => {
    if (milliseconds <= 0) {
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
  network: { sockets: nodeNetwork(), writeFile: (path, bytes) => writeFileSync(path, bytes) },
  touchedPages: touchedPagesOf,
};
