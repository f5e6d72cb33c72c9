import { describe, expect, it } from 'vitest';
import { type StreamFacts, terminalOf } from '../../src/ui/terminal.ts';

const at = (facts: Partial<StreamFacts>) =>
  terminalOf({ isTTY: true, env: { TERM: 'xterm', LANG: 'C.UTF-8' }, ...facts });

describe('colour', () => {
  it('is on for a terminal and off for a pipe', () => {
    expect(at({}).colorLevel).toBe(1);
    expect(at({ isTTY: false }).colorLevel).toBe(0);
  });

  it('is off on a dumb terminal', () => expect(at({ env: { TERM: 'dumb' } }).colorLevel).toBe(0));

  it('obeys NO_COLOR when it is not empty', () => {
    expect(at({ env: { TERM: 'xterm', NO_COLOR: '1' } }).colorLevel).toBe(0);
    expect(at({ env: { TERM: 'xterm', NO_COLOR: '' } }).colorLevel).toBe(1);
  });

  it('lets NO_COLOR win over FORCE_COLOR, and the flag over both', () => {
    const env = { TERM: 'xterm', NO_COLOR: '1', FORCE_COLOR: '1' };
    expect(at({ env }).colorLevel).toBe(0);
    expect(at({ env, flags: { color: 'always' } }).colorLevel).toBe(1);
    expect(at({ env: { TERM: 'xterm', FORCE_COLOR: '3' }, flags: { color: 'never' } }).colorLevel).toBe(0);
  });

  it('is forced by FORCE_COLOR into a pipe, and denied by FORCE_COLOR=0', () => {
    expect(at({ isTTY: false, env: { FORCE_COLOR: '' } }).colorLevel).toBe(1);
    expect(at({ isTTY: false, env: { FORCE_COLOR: '2' } }).colorLevel).toBe(2);
    expect(at({ env: { TERM: 'xterm', FORCE_COLOR: '0' } }).colorLevel).toBe(0);
  });

  it('is as deep as the terminal says', () => {
    expect(at({ env: { TERM: 'xterm-256color' } }).colorLevel).toBe(2);
    expect(at({ env: { TERM: 'xterm', COLORTERM: 'truecolor' } }).colorLevel).toBe(3);
  });
});

describe('Unicode', () => {
  it('follows the locale in the order of POSIX', () => {
    expect(at({ env: { LANG: 'de_DE.UTF-8' } }).unicode).toBe(true);
    expect(at({ env: { LANG: 'de_DE.utf8' } }).unicode).toBe(true);
    expect(at({ env: { LANG: 'de_DE.UTF-8', LC_ALL: 'C' } }).unicode).toBe(false);
    expect(at({ env: { LANG: 'C', LC_CTYPE: 'C.UTF-8', LC_ALL: '' } }).unicode).toBe(true);
    expect(at({ env: {} }).unicode).toBe(false);
  });

  it('is not for the console of Linux, nor when ASCII is asked for', () => {
    expect(at({ env: { LANG: 'C.UTF-8', TERM: 'linux' } }).unicode).toBe(false);
    expect(at({ flags: { ascii: true } }).unicode).toBe(false);
  });
});

describe('width', () => {
  it('is what the stream says, else COLUMNS, else 80', () => {
    expect(at({ columns: 132 }).width).toBe(132);
    expect(at({ env: { COLUMNS: '100' } }).width).toBe(100);
    expect(at({ columns: 0, env: { COLUMNS: 'wide' } }).width).toBe(80);
  });

  it('is never less than 60', () => expect(at({ columns: 20 }).width).toBe(60));
});

describe('interaction', () => {
  it('needs a terminal that is neither dumb nor a CI job, and no --no-input', () => {
    expect(at({}).interactive).toBe(true);
    expect(at({ env: { TERM: 'xterm', CI: 'false' } }).interactive).toBe(true);
    expect(at({ isTTY: false }).interactive).toBe(false);
    expect(at({ env: { TERM: 'dumb' } }).interactive).toBe(false);
    expect(at({ env: { TERM: 'xterm', CI: 'true' } }).interactive).toBe(false);
    expect(at({ flags: { input: false } }).interactive).toBe(false);
  });
});
