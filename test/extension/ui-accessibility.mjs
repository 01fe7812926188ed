// The configuration editor without eyes and without a mouse: what Chromium's accessibility tree says of it, where the focus is after each key, and whether it shows.
import assert from 'node:assert/strict';
import { configPage, configure, search, setChecked, themes } from './ui-config.mjs';

const patience = 60_000;

/** Reads the accessibility tree of the editor's page, as a screen reader is given it. */
async function accessibility(page) {
  await page.waitForSelector('iframe.webview', { timeout: patience });
  const session = await page.context().newCDPSession(page);
  await session.send('Accessibility.enable');
  // The frame within the frame, which the host in these tests serves from one origin and so in one process.
  const expression = "document.querySelector('iframe.webview').contentDocument.querySelector('#active-frame')";
  const { result } = await session.send('Runtime.evaluate', { expression });
  const { node } = await session.send('DOM.describeNode', { objectId: result.objectId });
  return async () => {
    const { nodes } = await session.send('Accessibility.getFullAXTree', { frameId: node.frameId });
    return nodes
      .filter((node) => !node.ignored)
      .map((node) => ({
        id: node.backendDOMNodeId,
        role: node.role?.value,
        name: node.name?.value ?? '',
        description: node.description?.value ?? '',
        ...Object.fromEntries(
          (node.properties ?? []).map(({ name, value }) => [
            name,
            value.relatedNodes ? value.relatedNodes.map((each) => each.backendDOMNodeId) : value.value,
          ]),
        ),
      }));
  };
}

/** What has the focus: the tree, the search, the details, a dialog, or nothing. */
const focusIn = (frame) =>
  frame.locator('body').evaluate(() => {
    const active = document.activeElement;
    if (!active || active === document.body) return 'nothing';
    for (const [selector, name] of Object.entries({
      dialog: 'dialog',
      '.field': 'field',
      '.tree': 'tree',
      '.bar': 'search',
      '.details': 'details',
    }))
      if (active.closest(selector)) return name;
    return active.className;
  });

async function focused(frame, wanted) {
  const end = Date.now() + 15_000;
  for (;;) {
    const now = await focusIn(frame);
    if (now === wanted) return;
    assert.ok(Date.now() < end, `the focus is in ${now} and not in the ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Waits until the accessibility tree is as wanted, and gives what `pick` picks of it. */
async function eventually(read, what, pick) {
  const end = Date.now() + 15_000;
  for (;;) {
    const found = pick(await read());
    if (found) return found;
    assert.ok(Date.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const widgets = [
  'button',
  'radio',
  'checkbox',
  'textbox',
  'searchbox',
  'link',
  'treeitem',
  'tree',
  'dialog',
  'radiogroup',
  'toolbar',
  'group',
  'navigation',
];

/** Everything that can be used or gone to has a name. */
function allNamed(nodes) {
  for (const node of nodes) {
    // The box that `details` makes is known by its summary.
    if (!widgets.includes(node.role) || (node.role === 'group' && node.name === '' && !node.focusable)) continue;
    assert.notEqual(node.name.trim(), '', `a ${node.role} has a name: ${JSON.stringify(node)}`);
  }
}

async function roles(page, frame, read) {
  const nodes = await read();
  allNamed(nodes);
  const trees = nodes.filter(({ role }) => role === 'tree');
  assert.equal(trees.length, 1);
  assert.equal(trees[0].focused, true, 'the tree has the focus once the page is open');
  const items = nodes.filter(({ role }) => role === 'treeitem');
  assert.ok(items.length > 3);
  for (const item of items) assert.ok(item.level >= 1, `${item.name} has a level`);
  assert.equal(items.filter(({ selected }) => selected === true).length, 1, 'one option is selected');
  const [active] = trees[0].activedescendant ?? [];
  assert.ok(
    items.some(({ id, selected }) => id === active && selected === true),
    'the active option is the selected one',
  );
  for (const item of await frame.locator('[role="treeitem"]').all()) {
    for (const name of ['aria-posinset', 'aria-setsize']) assert.ok(Number(await item.getAttribute(name)) >= 1, name);
  }
  assert.ok(
    nodes.some(({ role }) => role === 'status'),
    'there is a live region',
  );
}

/** menuconfig's keys, one after the other, and that the focus is never lost. */
async function keys(page, frame, read) {
  await page.keyboard.press('Home');
  const top = await eventually(read, 'the first entry is selected', (nodes) =>
    nodes.find(({ role, selected }) => role === 'treeitem' && selected),
  );
  assert.equal(top.level, 1);
  await page.keyboard.press('ArrowRight');
  await eventually(read, 'the menu is unfolded', (nodes) =>
    nodes.find(({ role, selected, expanded }) => role === 'treeitem' && selected && expanded === true),
  );
  await page.keyboard.press('ArrowDown');
  await eventually(read, 'the entry below is selected', (nodes) =>
    nodes.find(({ role, selected, level }) => role === 'treeitem' && selected && level === 2),
  );
  await page.keyboard.press('Escape');
  await eventually(read, 'Esc goes to the menu above', (nodes) =>
    nodes.find(({ role, selected, level }) => role === 'treeitem' && selected && level === 1),
  );
  await focused(frame, 'tree');

  await page.keyboard.press('/');
  await focused(frame, 'search');
  await page.keyboard.type('PC_BOOT_LXBOOT');
  await eventually(read, 'the number of results is said', (nodes) =>
    nodes.find(({ role, name }) => role === 'StaticText' && /^\d+ found$/.test(name)),
  );
  await page.keyboard.press('Enter');
  await focused(frame, 'tree');
  const item = (nodes) => nodes.find(({ role, name, selected }) => role === 'treeitem' && selected && name.includes('PC_BOOT_LXBOOT'));
  await eventually(read, 'the result is selected, and on', (nodes) => item(nodes)?.checked === 'true');
  const changes = [
    ['n', 'false', ': off'],
    ['y', 'true', ': on'],
    [' ', 'false', ': off'],
    ['Control+z', 'true', ': on'],
    ['Control+Shift+z', 'false', ': off'],
  ];
  for (const [key, checked, said] of changes) {
    await page.keyboard.press(key);
    await eventually(read, `${key} makes it ${checked}`, (nodes) => item(nodes)?.checked === checked);
    await eventually(read, `${key} is said`, (nodes) => nodes.find(({ role, name }) => role === 'StaticText' && name.endsWith(said)));
    await focused(frame, 'tree');
  }
  await page.keyboard.press('?');
  await focused(frame, 'dialog');
  allNamed(await read());
  await page.keyboard.press('Escape');
  await focused(frame, 'tree');

  await search(page, frame, 'PC_STACK_SIZE');
  await page.keyboard.press('Enter');
  await focused(frame, 'field');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('12');
  await eventually(read, 'the refused value is said', (nodes) =>
    nodes.find(({ role, focused: has, invalid }) => role === 'textbox' && has && invalid === 'true'),
  );
  await page.keyboard.press('Escape');
  await focused(frame, 'tree');
  await page.keyboard.press('Enter');
  await focused(frame, 'field');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('131072');
  await page.keyboard.press('Enter');
  await eventually(read, 'the value is taken', (nodes) =>
    nodes.find(({ role, name, selected }) => role === 'treeitem' && selected && name.includes('131072')),
  );
  await focused(frame, 'tree');
}

/** The details: radio buttons by arrows, links and plans by Enter; what is redrawn keeps the focus. */
async function details(page, frame, read) {
  await search(page, frame, 'PC_BOOT_LXBOOT');
  await frame.locator('.details .segment.now').focus();
  for (const [key, value, checked] of [
    ['ArrowRight', 'y', 'true'],
    ['ArrowLeft', 'n', 'false'],
    ['ArrowRight', 'y', 'true'],
  ]) {
    await page.keyboard.press(key);
    await setChecked(frame, 'PC_BOOT_LXBOOT', checked);
    await eventually(read, `the button of ${value} is chosen and has the focus`, (nodes) =>
      nodes.find(({ role, checked: chosen, focused: has }) => role === 'radio' && has && chosen === 'true'),
    );
    assert.equal(await frame.locator(':focus').getAttribute('data-focus'), `value-${value}`);
  }
  await search(page, frame, 'LIBSYSCALL_SHIM_HANDLER');
  await frame.locator('.plan .button').first().waitFor({ timeout: patience });
  allNamed(await read());
  await frame.locator('.plan .button').first().focus();
  await page.keyboard.press('Enter');
  await setChecked(frame, 'LIBSYSCALL_SHIM_HANDLER', 'false');
  await focused(frame, 'details');
  const link = frame.locator('.details .link:not(.place)').first();
  await link.focus();
  await page.keyboard.press('Enter');
  await page.waitForTimeout(800);
  await focused(frame, 'details');
}

/** Whatever has the focus shows it: an outline, or a border of another colour. */
async function visible(page, frame) {
  await frame.locator('.search').focus();
  const seen = new Set();
  for (let step = 0; step < 40; step++) {
    const shows = await frame.locator('body').evaluate(() => {
      const active = document.activeElement;
      if (!active || active === document.body) return undefined;
      const marked = active.closest('.search-box') ?? (active.id === 'tree' ? active.querySelector('.row.selected') : active) ?? active;
      const style = getComputedStyle(marked);
      const transparent = (color) => color === 'transparent' || /, 0\)$/.test(color);
      return {
        what: `${active.tagName} ${active.className} ${active.getAttribute('aria-label') ?? active.textContent}`.slice(0, 80),
        shown: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 && !transparent(style.outlineColor),
        field: active.matches('.text-input, .field'),
      };
    });
    if (!shows || seen.has(shows.what)) break;
    seen.add(shows.what);
    assert.ok(shows.shown || shows.field, `the focus shows on ${shows.what}`);
    await page.keyboard.press('Tab');
  }
  assert.ok(seen.size > 10, `${seen.size} places can be reached with Tab`);
}

async function withoutEyes(page, shot, folder, theme) {
  const frame = await configure(page, folder);
  const read = await accessibility(page);
  await focused(frame, 'tree');
  await roles(page, frame, read);
  await keys(page, frame, read);
  await details(page, frame, read);
  await visible(page, frame);
  await configPage(page).locator('.tree').focus();
  await page.waitForTimeout(400);
  await shot(`config-keys-${theme}`);
}

export const accessibilityScenarios = ['dark', 'contrast', 'contrast-light'].map((name) => ({
  name: `the configuration editor without eyes and mouse, ${name}`,
  settings: {
    'workbench.colorTheme': themes[name],
    'window.autoDetectColorScheme': false,
    'window.autoDetectHighContrast': false,
    'files.autoSave': 'off',
  },
  steps: (page, shot, folder) => withoutEyes(page, shot, folder, name),
}));
