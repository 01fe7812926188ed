import assert from 'node:assert/strict';
import { KeyTable } from '../../../debug-adapter/x86/key-table';

describe('key table', () => {
  it('keeps what was put in, through growth and through saving', () => {
    const table = new KeyTable();
    const keys = Array.from({ length: 3000 }, (_, i) => i * 0x1_0000_0001 + (i % 7));
    keys.forEach((key, i) => table.set(key, i));
    const saved = table.save();
    const bytes = new Uint8Array(saved.length + 8);
    bytes.set(saved, 8);
    const loaded = KeyTable.at(bytes.buffer, 8, table.capacity, table.size);
    for (const t of [table, loaded]) keys.forEach((key, i) => assert.equal(t.get(key), i));
    assert.equal(loaded.get(12345), -1);
    loaded.set(12345, 7);
    assert.equal(loaded.get(12345), 7);
  });
});
