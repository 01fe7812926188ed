/** Entry of the language server as a Node process; the client chooses the transport: --stdio, --node-ipc or --socket=N. */
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { compileLate } from '../shared/short-run.node';
import { platformFiles } from './platform-files.node';
import { startServer } from './server';
import { runShell } from './shell.node';

compileLate();
startServer(createConnection(ProposedFeatures.all), { files: platformFiles(), shell: runShell });
