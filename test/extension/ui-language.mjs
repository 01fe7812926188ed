// What an author of Config.uk files sees in the text: values, findings, quick fixes, hovers, completion, signatures, renaming, formatting; and the configuration
// editor enlarged.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import assert from 'node:assert/strict';
import { configPage, configure, fileHas, poolIn, runCommand, search, themes } from './ui-config.mjs';
import { hoverSays, openAt, placeOf } from './ui-workspaces.mjs';

const patience = 60_000;

/** A library whose Config.uk has something of everything, and is not formatted. */
const text = `menuconfig LIBSAMPLE
\tbool "sample: A library for looking at, whose title is long enough to meet the edge of any narrow view"
\tdefault n
\tselect LIBNOLIBCC
\thelp
\t  What this text says is of no matter.

if LIBSAMPLE
config LIBSAMPLE_SIZE
    int "Size of the buffer"
    range 1 4096
    default 8192
    depends on   LIBSAMPLE&&PC_BOOT_LXBOOT

config LIBSAMPLE_CHECKS
\tbool "Checks"
\tdefault yes
\tdepends on LIBSAMPLE_SIZE > 16
endif
`;

async function settled(page, shot, name) {
  await page.waitForTimeout(900);
  await shot(name);
}

/** Presses a key until what it opens is there: on a busy machine the editor may not know yet what to offer. */
async function pressUntil(page, key, opened) {
  const widget = page.locator(opened).first();
  for (let attempt = 0; attempt < 10; attempt++) {
    await page.keyboard.press(key);
    const shown = await widget
      .waitFor({ timeout: 6000 })
      .then(() => true)
      .catch(() => false);
    if (shown) return;
  }
  throw new Error(`${key} opens no ${opened}`);
}

async function language(page, shot, folder, theme) {
  await poolIn(folder);
  const library = `${folder}/library-pool/lib/sample`;
  await mkdir(library, { recursive: true });
  const file = `${library}/Config.uk`;
  await writeFile(file, text);
  await openAt(page, 'lib/sample/Config.uk', await placeOf(file, 'depends on   LIBSAMPLE'));
  await page.locator('.squiggly-warning').first().waitFor({ timeout: patience });
  await page.locator('.codelens-decoration').first().waitFor({ timeout: patience });
  await settled(page, shot, `language-text-${theme}`);

  await openAt(page, 'lib/sample/Config.uk', await placeOf(file, 'depends on LIBSAMPLE_SIZ'));
  await hoverSays(page, 'Size of the buffer');
  await settled(page, shot, `language-hover-${theme}`);
  await page.keyboard.press('Escape');

  await openAt(page, 'lib/sample/Config.uk', await placeOf(file, 'LIBNOLIBCC'));
  await pressUntil(page, 'Control+.', '.action-widget');
  await settled(page, shot, `language-fixes-${theme}`);
  await page.keyboard.press('Escape');

  await page.keyboard.press('Control+End');
  await page.keyboard.type('config LIBSAMPLE_MORE\nbool "More"\ndepends on LIBSA');
  await pressUntil(page, 'Control+Space', '.suggest-widget.visible');
  await settled(page, shot, `language-completion-${theme}`);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+End');
  await page.keyboard.type('MPLE');
  await page.keyboard.press('Escape');
  // Enter would take a proposal that comes late.
  await page.keyboard.press('Control+Enter');
  await page.keyboard.type('NOTE := $(warning-if,');
  await pressUntil(page, 'Control+Shift+Space', '.parameter-hints-widget.visible');
  await settled(page, shot, `language-signature-${theme}`);
  await page.keyboard.press('Escape');
  await page.keyboard.type('n,none)\n');

  await runCommand(page, 'Format Document');
  await page.waitForTimeout(1500);
  await page.keyboard.press('Control+s');
  await fileHas(file, 'depends on LIBSAMPLE && PC_BOOT_LXBOOT');
  await fileHas(file, '\trange 1 4096\n');
  await openAt(page, 'lib/sample/Config.uk', await placeOf(file, 'depends on LIBSAMPLE_SIZ'));
  await pressUntil(page, 'F2', '.rename-box');
  await settled(page, shot, `language-rename-${theme}`);
  await page.keyboard.press('Control+a');
  await page.keyboard.type('LIBSAMPLE_BUFFER');
  await page.keyboard.press('Enter');
  await page.waitForTimeout(2000);
  await page.keyboard.press('Control+s');
  await fileHas(file, 'config LIBSAMPLE_BUFFER');
  assert.ok(!(await readFile(file, 'utf8')).includes('LIBSAMPLE_SIZE'), 'every use is renamed');
}

/** As a zoom shows it: the page has fewer pixels of its own to lay itself out in. */
async function enlarged(page, shot, folder) {
  const frame = await configure(page, folder);
  await search(page, frame, 'LIBSYSCALL_SHIM_HANDLER');
  await frame.locator('.plan .button').first().waitFor({ timeout: patience });
  for (const zoom of [1.5, 2]) {
    await page.setViewportSize({ width: Math.round(1440 / zoom), height: Math.round(900 / zoom) });
    await settled(page, shot, `config-zoom-${zoom * 100}`);
    const narrow = await configPage(page)
      .locator('body')
      .evaluate((body) => body.scrollWidth <= body.clientWidth);
    assert.ok(narrow, `nothing is cut at ${zoom * 100} %`);
    const cut = await configPage(page)
      .locator('.row .badge')
      .evaluateAll(
        (badges) =>
          badges.filter((badge) => badge.getBoundingClientRect().right > badge.parentElement.getBoundingClientRect().right + 0.5).length,
      );
    assert.equal(cut, 0, `no badge is cut at ${zoom * 100} %`);
  }
}

export const languageScenarios = [
  ...Object.entries(themes).map(([name, theme]) => ({
    name: `the language of Config.uk, ${name}`,
    settings: { 'workbench.colorTheme': theme, 'files.autoSave': 'off', 'editor.inlayHints.enabled': 'on' },
    steps: (page, shot, folder) => language(page, shot, folder, name),
  })),
  { name: 'the configuration editor, enlarged', settings: { 'files.autoSave': 'off' }, steps: enlarged },
];
