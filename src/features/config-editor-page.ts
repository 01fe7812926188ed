/** A webview's page: a frame with a strict content security policy around a bundled front end. */
import * as vscode from 'vscode';
import { type Context } from '../context';

/** The icon of a page's tab, for backgrounds of either kind. */
export function tabIcon(context: Context): { readonly light: vscode.Uri; readonly dark: vscode.Uri } {
  return { light: context.resource('media', 'unikernel-light.svg'), dark: context.resource('media', 'unikernel-dark.svg') };
}

/** Gives a webview its page. @param worker a bundle beside it that the page runs as a worker; its address is the page's `data-worker`. */
export function fillPage(context: Context, webview: vscode.Webview, name: string, title: string, worker?: string): void {
  const folder = context.resource('dist', 'webviews');
  webview.options = { enableScripts: true, localResourceRoots: [folder] };
  const nonce = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  const file = (ending: string): string => webview.asWebviewUri(vscode.Uri.joinPath(folder, `${name}.${ending}`)).toString();
  const policy = [
    "default-src 'none'",
    `style-src ${webview.cspSource} 'nonce-${nonce}'`,
    `font-src ${webview.cspSource} data:`,
    `script-src 'nonce-${nonce}'`,
    // Workers may only come from the page's own origin: the script is read, and started from a blob.
    ...(worker === undefined ? [] : [`connect-src ${webview.cspSource}`, 'worker-src blob:']),
  ].join('; ');
  const source =
    worker === undefined ? '' : ` data-worker="${webview.asWebviewUri(vscode.Uri.joinPath(folder, `${worker}.js`)).toString()}"`;
  webview.html = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1.0">
<link rel="stylesheet" nonce="${nonce}" href="${file('css')}">
<title>${title}</title>
</head>
<body>
<div id="page"${source}></div>
<script nonce="${nonce}" src="${file('js')}"></script>
</body>
</html>`;
}
