/** Holds package.json's contributions against what the code uses. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { memoryLimits, parseLaunchArguments } from '../../debug-adapter/dap/launch-arguments';
import { commands, debugType, settings } from '../../src/manifest';

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly title: string; readonly category?: string }[];
    readonly configuration: {
      readonly properties: Readonly<
        Record<
          string,
          { readonly default?: unknown; readonly markdownDescription?: string; readonly minimum?: number; readonly maximum?: number }
        >
      >;
    };
    readonly debuggers: readonly {
      readonly type: string;
      readonly configurationAttributes: {
        readonly launch: { readonly properties: Readonly<Record<string, { readonly minimum?: number; readonly maximum?: number }>> };
      };
    }[];
  };
}

const manifest = JSON.parse(readFileSync(path.resolve(__dirname, '../../package.json'), 'utf8')) as Manifest;

describe('package.json', () => {
  it('contributes exactly the commands that are registered', () => {
    assert.deepEqual(manifest.contributes.commands.map((each) => each.command).sort(), Object.values(commands).slice().sort());
  });

  it('gives every command a category', () => {
    for (const { command, category } of manifest.contributes.commands) assert.equal(category, 'Unikernel', command);
  });

  it('contributes exactly the settings that are read, with the same defaults', () => {
    const { properties } = manifest.contributes.configuration;
    const contributed = Object.fromEntries(
      Object.entries(properties).map(([name, { default: value }]) => [name.replace('unikernel.', ''), value]),
    );
    assert.deepEqual(contributed, settings);
    for (const [name, { markdownDescription }] of Object.entries(properties)) assert.ok((markdownDescription ?? '').length > 10, name);
  });

  it('describes the launch arguments that the adapter takes', () => {
    const [debug] = manifest.contributes.debuggers;
    assert.equal(debug?.type, debugType);
    const { properties } = debug.configurationAttributes.launch;
    const accepted = Object.keys(
      parseLaunchArguments({ image: 'x', session: 's', symbols: 'x', debugFileDirectories: ['x'], initrd: 'x', net: 'user' } as never),
    ).filter((name) => name !== 'noDebug');
    assert.deepEqual(Object.keys(properties).sort(), accepted.sort());
    assert.equal(properties['memory']?.minimum, memoryLimits.least);
    assert.equal(properties['memory']?.maximum, memoryLimits.most);
  });
});
