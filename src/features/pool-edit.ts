/** Changes that the pool's views make to a project: libraries turned on and off in the configuration, added to and removed from the Kraftfile. */
import * as vscode from 'vscode';
import { type Plan } from '../kconfig/how';
import { addLibrary, removeLibrary } from '../kraftfile/edit';
import { type Library } from '../pool/library';
import { difference } from './config-editor-session';
import { planText, type PoolModel } from './pool-model';

/** Shows the ways to turn a library on or off, takes the chosen one, and writes the .config. Answers whether anything was changed. */
export async function setEnabled(model: PoolModel, library: Library, wanted: 'y' | 'n'): Promise<boolean> {
  const verb = wanted === 'y' ? 'Enable' : 'Disable';
  const answer = model.plans(library, wanted);
  if (!answer) throw new Error(`${library.title} has no option of its own: it is always part of the image.`);
  if (answer.plans.some((plan) => plan.steps.length === 0)) {
    const has = wanted === 'y' ? 'enabled' : 'off';
    void vscode.window.showInformationMessage(`${library.title} is ${has} already.`);
    return false;
  }
  if (answer.plans.length === 0) {
    const reasons = answer.obstacles.map(({ text }) => text).join('; ');
    throw new Error(`${library.title} cannot be ${verb.toLowerCase()}d${reasons === '' ? '' : `: ${reasons}`}.`);
  }
  const items = answer.plans.map((plan) => {
    const { label, detail } = planText(plan);
    return { label: `$(${wanted === 'y' ? 'circle-filled' : 'circle-slash'}) ${label}`, detail, plan };
  });
  const where = vscode.workspace.asRelativePath(model.project.configFile);
  const picked = await vscode.window.showQuickPick(items, {
    title: `${verb} ${library.title}`,
    placeHolder: `Choose what to set in ${where}`,
    matchOnDetail: true,
  });
  if (!picked) return false;
  return applyPlan(model, picked.plan);
}

/** Asks what shall come with a library that lies beside the project's, then has the Kraftfile ask for it. Answers whether anything was changed. */
export async function addBeside(model: PoolModel, library: Library): Promise<boolean> {
  const addition = model.addition(library);
  const where = vscode.workspace.asRelativePath(model.project.configFile);
  const obstacles = addition?.answer.plans.length === 0 ? addition.answer.obstacles.map(({ text }) => text).join('; ') : '';
  const items = [
    ...(addition?.answer.plans ?? []).map((plan) => {
      const { label, detail } = planText(plan);
      const isSet = plan.steps.length === 0;
      return { label: `$(circle-filled) ${isSet ? `${library.symbol ?? ''}=y, as the configuration has it` : label}`, detail, plan };
    }),
    {
      label: '$(add) Nothing but the line in the Kraftfile',
      detail: obstacles === '' ? `${where} stays as it is.` : `It cannot be enabled: ${obstacles}.`,
      plan: undefined,
    },
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title: `Add ${library.title} to the Kraftfile`,
    placeHolder: `Choose what to set in ${where}`,
    matchOnDetail: true,
  });
  if (!picked) return false;
  await editKraftfile(model, library.title, 'add');
  if (!addition || !picked.plan || picked.plan.steps.length === 0) return true;
  if (!addition.configuration.apply(picked.plan.steps)) throw new Error('The configuration has changed meanwhile; try again.');
  if (!(await writeConfiguration(model.project.configFile, addition.configuration.dotConfig())))
    throw new Error(`${model.project.configFile} could not be changed.`);
  return true;
}

/** Takes a plan and writes the configuration; leaves the model as it was where the file cannot be written. */
export async function applyPlan(model: PoolModel, plan: Plan): Promise<boolean> {
  if (!model.apply(plan)) throw new Error('The configuration has changed meanwhile; try again.');
  if (await writeConfiguration(model.project.configFile, model.configText)) return true;
  model.reload();
  throw new Error(`${model.project.configFile} could not be changed.`);
}

/** Writes a configuration by the smallest edit; saves the file unless it had unsaved changes. */
async function writeConfiguration(path: string, wanted: string): Promise<boolean> {
  const uri = vscode.Uri.file(path);
  const edit = new vscode.WorkspaceEdit();
  if (!(await exists(uri))) {
    edit.createFile(uri, { contents: new TextEncoder().encode(wanted), ignoreIfExists: true });
    return vscode.workspace.applyEdit(edit);
  }
  const document = await vscode.workspace.openTextDocument(uri);
  const crlf = document.eol === vscode.EndOfLine.CRLF;
  const before = document.getText();
  const { start, end, text } = difference(before, crlf ? wanted.replace(/\n/g, '\r\n') : wanted);
  const wasDirty = document.isDirty;
  edit.replace(uri, new vscode.Range(document.positionAt(start), document.positionAt(end)), text);
  if (!(await vscode.workspace.applyEdit(edit))) return false;
  return wasDirty || document.save();
}

/** Adds a library to the project's Kraftfile, or takes it out; everything else in the file stays as it is. */
export async function editKraftfile(model: PoolModel, name: string, action: 'add' | 'remove'): Promise<void> {
  const { kraftfile } = model.project;
  if (kraftfile === undefined) throw new Error(`${model.project.name} has no Kraftfile.`);
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(kraftfile));
  const before = document.getText();
  const result = action === 'add' ? addLibrary(before, { name }) : removeLibrary(before, name);
  if ('refused' in result) throw new Error(result.refused);
  const where = vscode.workspace.asRelativePath(kraftfile);
  if (result.edits.length === 0) {
    const text = action === 'add' ? `${where} asks for ${name} already.` : `${where} does not ask for ${name}.`;
    void vscode.window.showInformationMessage(text);
    return;
  }
  const edit = new vscode.WorkspaceEdit();
  for (const { start, end, text } of result.edits)
    edit.replace(document.uri, new vscode.Range(document.positionAt(start), document.positionAt(end)), text);
  const wasDirty = document.isDirty;
  if (!(await vscode.workspace.applyEdit(edit))) throw new Error(`${where} could not be changed.`);
  if (!wasDirty) await document.save();
  await vscode.window.showTextDocument(document, { preview: true });
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}
