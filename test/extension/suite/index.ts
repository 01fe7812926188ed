/** Entry that the extension host calls: runs the suite with mocha and rejects where a test failed. */
import Mocha from 'mocha';
import path from 'node:path';

export function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'bdd', timeout: 60_000, color: false });
  mocha.addFile(path.join(__dirname, 'debug.test.js'));
  mocha.addFile(path.join(__dirname, 'config-editor.test.js'));
  // Last: it builds, which puts another image into the folder.
  mocha.addFile(path.join(__dirname, 'pool.test.js'));
  return new Promise((resolve, reject) => {
    mocha.run((failures) => (failures === 0 ? resolve() : reject(new Error(`${failures} tests failed`))));
  });
}
