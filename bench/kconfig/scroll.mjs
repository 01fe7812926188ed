// Scrolls the configuration editor's page through 16,000 rows in headless Chromium, and gives what a frame costs: script, style and layout.
//
//   npm run build && node bench/kconfig/scroll.mjs [ROWS]
//
// The extension's side is played in the page: rows that are asked for come 5 ms later. A frame has 16.7 ms on a screen of 60 Hz.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { root, startBrowser } from '../../test/extension/host.mjs';

const count = Number(process.argv[2] ?? 16_000);
const steps = 240;
const built = path.join(root, 'dist/webviews/config-editor');
const [script, style] = await Promise.all([readFile(`${built}.js`, 'utf8'), readFile(`${built}.css`, 'utf8')]);

const browser = await startBrowser();
const page = await browser.newPage({ viewport: { width: 1100, height: 800 } });
await page.setContent('<!doctype html><html><body><div id="page"></div></body></html>');
await page.addStyleTag({ content: style });
await page.evaluate((rows) => {
  const row = (index) => ({
    id: index + 1,
    level: index % 100 === 0 ? 1 : 2 + (index % 3),
    position: (index % 100) + 1,
    siblings: 100,
    kind: index % 100 === 0 ? 'menu' : 'option',
    title: index % 100 === 0 ? `Menu ${index / 100}` : `What option ${index} does to the image`,
    marks: index % 7 === 0 ? ['selected'] : index % 11 === 0 ? ['invisible'] : [],
    ...(index % 100 === 0 ? { open: true } : { name: `OPTION_${index}` }),
    ...(index % 13 === 0 && index % 100 !== 0 ? { type: 'int', value: String(index), editable: true } : {}),
    ...(index % 13 !== 0 && index % 100 !== 0 ? { type: 'bool', value: index % 2 ? 'y' : 'n', accepts: ['n', 'y'] } : {}),
    ...(index % 11 === 0 ? { reason: 'needs SOMETHING_ELSE' } : {}),
  });
  const slice = (start, end) => Array.from({ length: end - start }, (_, at) => row(start + at));
  const state = {
    ...{ title: 'bench', revision: 1, generation: 1, total: rows, selected: 1, selectedIndex: 0, query: '', showAll: false },
    ...{ banners: [], matches: undefined, changed: 0, filters: [] },
  };
  window.acquireVsCodeApi = () => ({
    getState: () => undefined,
    setState: () => undefined,
    postMessage: (message) => {
      if (message.type === 'ready') window.postMessage({ type: 'state', state, start: 0, rows: slice(0, 150), scroll: false });
      if (message.type === 'view')
        setTimeout(
          () => window.postMessage({ type: 'rows', revision: 1, start: message.start, rows: slice(message.start, message.end) }),
          5,
        );
    },
  });
}, count);
await page.addScriptTag({ content: script });
await page.waitForSelector('.row');
const session = await page.context().newCDPSession(page);
// CPU time of the page's thread, so that other work on the machine does not count.
await session.send('Performance.enable', { timeDomain: 'threadTicks' });
const metrics = async () =>
  Object.fromEntries((await session.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]));

/** Scrolls by `pixels` a frame; gives milliseconds a frame. */
async function scroll(pixels) {
  const before = await metrics();
  const frames = await page.evaluate(
    async ({ pixels, steps }) => {
      const tree = document.querySelector('.tree');
      tree.scrollTop = 0;
      const times = [];
      for (let step = 0, last = performance.now(); step < steps; step++) {
        tree.scrollTop += pixels;
        await new Promise((resolve) => requestAnimationFrame(resolve));
        const now = performance.now();
        times.push(now - last);
        last = now;
      }
      return times.sort((a, b) => a - b);
    },
    { pixels, steps },
  );
  const after = await metrics();
  const each = (name) => Number((((after[name] - before[name]) * 1000) / steps).toFixed(2));
  return {
    pixelsPerFrame: pixels,
    scriptMs: each('ScriptDuration'),
    styleMs: each('RecalcStyleDuration'),
    layoutMs: each('LayoutDuration'),
    taskMs: each('TaskDuration'),
    frameMedianMs: Number(frames[steps >> 1].toFixed(1)),
    frameP95Ms: Number(frames[Math.floor(steps * 0.95)].toFixed(1)),
    rowsInPage: await page.locator('.row').count(),
    nodesInPage: after.Nodes,
  };
}

console.log(JSON.stringify([await scroll(60), await scroll(60), await scroll(Math.floor((count * 24) / steps))], undefined, 2));
if (process.env.SHOT) await page.screenshot({ path: process.env.SHOT });
await browser.close();
