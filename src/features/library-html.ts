/** The details page of a library as HTML: its state and options with live values, system calls, dependencies both ways, sources, README. */
import { type Library, type ProvidedSyscall } from '../pool/library';
import { statusTitles } from '../shared/library-status';
import { type PoolModel } from './pool-model';

/** Where links lead. */
export interface PageLinks {
  show(library: string): string;
  open(path: string, line: number): string;
  enable(library: string): string;
  disable(library: string): string;
  addToKraftfile(library: string): string;
  removeFromKraftfile(library: string): string;
  fetch(library: string): string;
  graph(library: string): string;
  sizes(): string;
}

/** Text as HTML shows it. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

const link = (href: string, text: string, kind = ''): string =>
  `<a${kind === '' ? '' : ` class="${kind}"`} href="${escapeHtml(href)}">${escapeHtml(text)}</a>`;
const code = (text: string): string => `<code>${escapeHtml(text)}</code>`;

/** The page's body. `readme` is HTML that was rendered already; `bytes` is the library's part of the image, where one was built. */
export function libraryHtml(model: PoolModel, library: Library, links: PageLinks, readme: string | undefined, bytes?: number): string {
  return [
    header(model, library, links),
    `<div class="columns"><div class="main">`,
    options(model, library, links),
    syscalls(model, library, links),
    sources(library, links),
    readme === undefined ? '' : section('README', `<div class="readme">${readme}</div>`),
    `</div><div class="side">`,
    facts(model, library, links, bytes),
    // Of what is not here nobody knows what it needs.
    ...(library.state === 'available'
      ? []
      : [dependencies(model, library, links, 'needs'), dependencies(model, library, links, 'neededBy')]),
    `</div></div>`,
  ].join('\n');
}

function section(title: string, body: string, count?: number): string {
  return `<section><h2>${escapeHtml(title)}${count === undefined ? '' : ` <span class="count">${count}</span>`}</h2>${body}</section>`;
}

function header(model: PoolModel, library: Library, links: PageLinks): string {
  const status = model.statusOf(library);
  const on = status === 'image' || status === 'enabled';
  const actions = [
    ...(library.symbol === undefined || library.state !== 'local'
      ? []
      : [on ? link(links.disable(library.name), 'Disable…', 'button secondary') : link(links.enable(library.name), 'Enable…', 'button')]),
    ...kraftfileAction(model, library, links),
    ...(library.state === 'available' ? [link(links.fetch(library.title), 'Fetch…', 'button')] : []),
    ...(library.state === 'local' ? [link(links.graph(library.name), 'Graph', 'button secondary')] : []),
  ];
  return `<header><div><h1>${escapeHtml(library.title)}</h1><span class="state ${status}">${escapeHtml(statusTitles[status])}</span></div>
<p class="lead">${escapeHtml(library.description || 'No description.')}</p>
${actions.length === 0 ? '' : `<p class="actions">${actions.join(' ')}</p>`}</header>`;
}

/** Out of the Kraftfile, or into it. */
function kraftfileAction(model: PoolModel, library: Library, links: PageLinks): string[] {
  const use = model.kraftfileUse(library);
  if (use === undefined) return [];
  const isAsked = use === 'asked';
  const target = isAsked ? links.removeFromKraftfile(library.name) : links.addToKraftfile(library.name);
  if (library.state === 'beside') return [link(target, 'Add to Kraftfile…', 'button')];
  return [link(target, isAsked ? 'Remove from Kraftfile' : 'Add to Kraftfile', 'button secondary')];
}

function facts(model: PoolModel, library: Library, links: PageLinks, bytes: number | undefined): string {
  const rows: (readonly [string, string])[] = [];
  const add = (title: string, html: string | undefined): void => void (html !== undefined && html !== '' && rows.push([title, html]));
  add('Kind', library.kind);
  add('In the image', bytes === undefined ? undefined : link(links.sizes(), `${bytes.toLocaleString('en')} bytes`));
  add('Make name', code(library.name));
  const unswitched = library.state === 'available' ? undefined : 'none: always built';
  add('Option', library.symbol === undefined ? unswitched : code(`CONFIG_${library.symbol}`));
  add('Depends on', library.dependsOn === '' ? undefined : code(library.dependsOn));
  add('Version', library.versions.map(({ version }) => escapeHtml(version)).join(', '));
  add('License', library.license && escapeHtml(library.license));
  add(
    'Home page',
    library.homepage && /^https?:/.test(library.homepage)
      ? link(library.homepage, library.homepage.replace(/^https?:\/\//, ''))
      : undefined,
  );
  add(
    'Origin',
    library.origin === 'core'
      ? `core ${escapeHtml(`${model.catalogue.core.full} ${model.catalogue.core.codename}`.trim())}`
      : escapeHtml(ownPath(model, library.origin)),
  );
  add('Registered', library.place && link(links.open(library.place.path, library.place.line), shortPath(model, library.place.path)));
  return section('About', `<dl>${rows.map(([title, html]) => `<dt>${title}</dt><dd>${html}</dd>`).join('')}</dl>`);
}

function options(model: PoolModel, library: Library, links: PageLinks): string {
  // What the project does not take has options, and no values yet.
  const known = library.state === 'local' ? model.service.tree.model : model.catalogue.model;
  const rows = library.options.map((name) => {
    const symbol = known?.byName.get(name);
    const node = symbol?.nodes[0];
    const place = node && known?.files.get(node.file)?.path;
    const value = model.value(name) ?? '';
    const label = node && place !== undefined ? link(links.open(place, node.line), name) : escapeHtml(name);
    const kind = value === 'y' || value === 'm' ? 'yes' : value === 'n' ? 'no' : 'other';
    const shown = symbol?.type === 'string' ? `"${value}"` : value;
    return `<tr><td class="name">${label}</td><td class="value ${kind}">${escapeHtml(shown)}</td><td>${escapeHtml(symbol?.prompts[0]?.text ?? '')}</td></tr>`;
  });
  return rows.length === 0 ? '' : section('Options', `<table>${rows.join('')}</table>`, rows.length);
}

function syscalls(model: PoolModel, library: Library, links: PageLinks): string {
  const { configured } = model;
  const enabled = configured?.enabled.includes(library.name) === true;
  const row = (call: ProvidedSyscall): string => {
    const inside = enabled && configured.syscalls.has(call.name);
    const context = call.context === 'e' ? 'execution environment' : call.context === 'u' ? 'user context' : '';
    return `<tr><td class="name">${link(links.open(call.path, call.line), call.name)}</td><td>${call.arity} ${call.arity === 1 ? 'argument' : 'arguments'}</td>
<td>${inside ? '<span class="yes">in the configuration</span>' : '<span class="no">off</span>'}</td>
<td>${[context, call.condition === '' || call.condition === library.symbol ? '' : `if ${call.condition}`]
      .filter((part) => part !== '')
      .map(escapeHtml)
      .join(', ')}</td></tr>`;
  };
  const { length } = library.syscalls;
  return length === 0 ? '' : section('System calls', `<table>${library.syscalls.map(row).join('')}</table>`, length);
}

const reasons = { selects: 'selects', implies: 'implies', depends: 'depends on', uses: 'uses' } as const;
const reasonsBack = { selects: 'selects it', implies: 'implies it', depends: 'depends on it', uses: 'uses it' } as const;

function dependencies(model: PoolModel, library: Library, links: PageLinks, direction: 'needs' | 'neededBy'): string {
  const others = new Map<string, Set<string>>();
  for (const edge of library[direction]) {
    const name = direction === 'needs' ? edge.to : edge.from;
    if (name === library.name) continue;
    const words = others.get(name) ?? new Set();
    words.add((direction === 'needs' ? reasons : reasonsBack)[edge.reason]);
    others.set(name, words);
  }
  const rows = [...others].map(([name, words]) => {
    const other = model.catalogue.find(name);
    const status = other && model.statusOf(other);
    return `<li><span class="dot ${status ?? 'missing'}" title="${status ? statusTitles[status] : 'missing'}"></span>${link(links.show(name), other?.title ?? name)} <span class="why">${[...words].join(', ')}</span></li>`;
  });
  const title = direction === 'needs' ? 'Needs' : 'Needed by';
  return section(
    title,
    rows.length === 0 ? '<p class="none">Nothing</p>' : `<ul class="plain">${rows.join('')}</ul>`,
    rows.length || undefined,
  );
}

function sources(library: Library, links: PageLinks): string {
  const short = (path: string): string => (path.startsWith(`${library.folder}/`) ? path.slice(library.folder.length + 1) : path);
  const made = (path: string): boolean => path.startsWith('/build/');
  const rows = library.sources.map((source) => {
    const name = made(source.file) ? source.file.slice('/build/'.length) : short(source.file);
    const label = made(source.file)
      ? `${link(links.open(source.path, source.line), name)} <span class="why">made by the build</span>`
      : link(links.open(source.file, 1), name);
    return `<tr><td class="name">${label}</td><td>${source.condition === '' ? '' : `if ${code(source.condition)}`}</td></tr>`;
  });
  const headers = library.headerFolders.flatMap(({ folder, headers: names }) =>
    names.map((name) => link(links.open(`${folder}/${name}`, 1), name)),
  );
  return [
    rows.length === 0 ? '' : section('Sources', `<table class="paths">${rows.join('')}</table>`, rows.length),
    headers.length === 0 ? '' : section('Headers', `<p class="list">${headers.join(' ')}</p>`, headers.length),
  ].join('\n');
}

function shortPath(model: PoolModel, path: string): string {
  const { base } = model.project.tree;
  return path.startsWith(`${base}/`) ? path.slice(base.length + 1) : path.split('/').slice(-3).join('/');
}

/** A folder of the project by its path there; other places as they are. */
function ownPath({ project }: PoolModel, place: string): string {
  return place.startsWith(`${project.folder}/`) ? place.slice(project.folder.length + 1) : place;
}

/** The page's style; colours are the editor's. */
export const libraryStyle = `
body { padding: 0 24px 32px; max-width: 1100px; line-height: 1.45; }
h1 { font-size: 1.7em; font-weight: 600; margin: 0; display: inline; }
h2 { font-size: 1.05em; font-weight: 600; margin: 0 0 8px; padding-bottom: 4px; border-bottom: 1px solid var(--vscode-panel-border, var(--vscode-widget-border)); }
header { padding: 20px 0 4px; }
header .state { margin-left: 12px; vertical-align: 4px; }
.lead { margin: 6px 0 12px; color: var(--vscode-descriptionForeground); font-size: 1.05em; }
.actions { margin: 0 0 8px; }
.button { display: inline-block; padding: 4px 12px; border-radius: 3px; color: var(--vscode-button-foreground); background: var(--vscode-button-background); border: 1px solid var(--vscode-button-border, transparent); }
.button:hover { color: var(--vscode-button-foreground); background: var(--vscode-button-hoverBackground); text-decoration: none; }
.button.secondary { color: var(--vscode-button-secondaryForeground); background: var(--vscode-button-secondaryBackground); }
.button.secondary:hover { background: var(--vscode-button-secondaryHoverBackground); }
.state { padding: 1px 8px; border-radius: 9px; font-size: 0.9em; border: 1px solid currentColor; color: var(--vscode-descriptionForeground); white-space: nowrap; }
.state.image { color: var(--vscode-charts-green); }
.state.enabled { color: var(--vscode-charts-blue); }
.state.missing { color: var(--vscode-errorForeground); }
.state.leaving { color: var(--vscode-list-warningForeground); }
.columns { display: grid; grid-template-columns: minmax(0, 1fr) 280px; gap: 0 40px; }
@media (max-width: 720px) { .columns { grid-template-columns: minmax(0, 1fr); } .side { grid-row: 1; } }
section { margin: 16px 0 24px; }
.count { font-weight: 400; color: var(--vscode-descriptionForeground); margin-left: 4px; }
table { border-collapse: collapse; width: 100%; }
td { padding: 3px 16px 3px 0; vertical-align: top; text-align: left; border: 0; }
td:last-child { width: 100%; color: var(--vscode-descriptionForeground); padding-right: 0; }
td.name, td.value, code { font-family: var(--vscode-editor-font-family); font-size: 0.95em; }
td:not(:last-child) { white-space: nowrap; }
.paths td:first-child { white-space: normal; overflow-wrap: anywhere; }
.paths td:last-child { width: 35%; min-width: 10em; }
code { background: none; color: inherit; overflow-wrap: anywhere; padding: 0; }
.yes { color: var(--vscode-charts-green); }
.no { color: var(--vscode-disabledForeground, var(--vscode-descriptionForeground)); }
dl { margin: 0; display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 4px 12px; }
dt { color: var(--vscode-descriptionForeground); white-space: nowrap; }
dd { margin: 0; overflow-wrap: anywhere; }
ul.plain { list-style: none; margin: 0; padding: 0; }
ul.plain li { padding: 2px 0; }
.why { color: var(--vscode-descriptionForeground); font-size: 0.92em; margin-left: 4px; }
.none { margin: 0; color: var(--vscode-descriptionForeground); }
.list a { display: inline-block; margin-right: 14px; font-family: var(--vscode-editor-font-family); font-size: 0.95em; }
.dot { display: inline-block; box-sizing: border-box; width: 9px; height: 9px; border-radius: 50%; margin-right: 8px; border: 1.5px solid var(--vscode-descriptionForeground); }
.dot.image { background: var(--vscode-charts-green); border-color: var(--vscode-charts-green); }
.dot.enabled { background: var(--vscode-charts-blue); border-color: var(--vscode-charts-blue); }
.dot.missing { background: var(--vscode-errorForeground); border-color: var(--vscode-errorForeground); }
a { color: var(--vscode-textLink-foreground); text-decoration: none; }
a:hover { color: var(--vscode-textLink-activeForeground); text-decoration: underline; }
a:focus-visible { outline: 1px solid var(--vscode-focusBorder); outline-offset: 2px; }
`;
