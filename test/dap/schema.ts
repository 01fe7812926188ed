/** Checks protocol messages against the Debug Adapter Protocol's JSON schema, where UNIKERNEL_SUITES has it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv, { type ValidateFunction } from 'ajv-draft-04';

const file = path.join(process.env['UNIKERNEL_SUITES'] ?? '', 'debug-adapter-protocol', 'debugAdapterProtocol.json');
const available = process.env['UNIKERNEL_SUITES'] !== undefined && existsSync(file);
if (!available)
  console.log(
    '    messages are not checked against the protocol schema: UNIKERNEL_SUITES names no folder with debug-adapter-protocol/debugAdapterProtocol.json',
  );

/** Requests of our own, which the schema cannot know. */
const custom = /^unikernel\//;

interface Schema {
  readonly definitions: Readonly<Record<string, unknown>>;
}

const schema = available ? (JSON.parse(readFileSync(file, 'utf8')) as Schema) : undefined;
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
if (schema !== undefined) ajv.addSchema(schema, 'dap');
const validators = new Map<string, ValidateFunction>();

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The schema's definition for a message: `StackTraceResponse`, `StoppedEvent`. */
function definitionOf(message: Readonly<Record<string, unknown>>): string {
  if (message['type'] === 'event') return `${capital(String(message['event']))}Event`;
  if (message['type'] === 'response' && message['success'] === false) return 'ErrorResponse';
  return `${capital(String(message['command']))}${message['type'] === 'request' ? 'Request' : 'Response'}`;
}

/** Throws where a message breaks the schema. */
export function validateMessage(message: object): void {
  if (schema === undefined) return;
  const record = message as Readonly<Record<string, unknown>>;
  if (custom.test(String(record['command'] ?? record['event']))) return;
  const name = definitionOf(record);
  if (schema.definitions[name] === undefined) {
    // A request that no client sends; its refusal is an ErrorResponse.
    assert.equal(record['type'], 'request', `the protocol has no ${name}`);
    return;
  }
  let validate = validators.get(name);
  if (validate === undefined) validators.set(name, (validate = ajv.compile({ $ref: `dap#/definitions/${name}` })));
  assert.ok(validate(message), `${name}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(message).slice(0, 2000)}`);
}
