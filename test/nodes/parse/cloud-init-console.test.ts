import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConsoleLog } from '../../../src/nodes/parse/console-log.ts';

const logOf = (name: string) => {
  const parsed = parseConsoleLog(readFileSync(new URL(`../../fixtures/console/${name}.txt`, import.meta.url), 'utf8'));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
};

describe('the console of a guest with real cloud-init', () => {
  it('tells address, metadata and the end of the boot when all is well', () => {
    const log = logOf('cloud-init-ok');
    expect(log).toMatchObject({ noLease: false, metadata: { outcome: 'ok' }, loginPrompt: true });
    expect(log.cloudInit).toMatchObject({ stage: 'finished', datasource: expect.stringContaining('OpenStack') });
    expect(log.addresses).toContainEqual(expect.objectContaining({ dev: 'eth0', up: true, address: '10.0.0.192' }));
    expect(log.kernelPanic).toBeUndefined();
  });

  it('tells that metadata was not to be had, and that the guest has its address all the same', () => {
    const log = logOf('cloud-init-no-metadata');
    expect(log.metadata).toMatchObject({ outcome: 'failed' });
    expect(log.addresses).toContainEqual(expect.objectContaining({ dev: 'eth0', up: true, address: '10.0.0.243' }));
  });
});
