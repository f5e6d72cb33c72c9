import { ok, type Result } from '../../engine/result.ts';
import { linesOf, type ParseFailure, parseFailure, present } from './parsing.ts';

export interface CurlAnswer {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly seconds: number;
  /** curl's own message when it failed. */
  readonly error?: string;
}

/** Output of `curl -s -S -o /dev/null -w '%{http_code} %{time_total} %{errormsg}'`; errormsg is of curl 7.75. */
export function parseCurl(stdout: string): Result<CurlAnswer, ParseFailure> {
  const line = linesOf(stdout).findLast((text) => text.trim() !== '') ?? '';
  const matched = /^(\d{3}) (\d+(?:[.,]\d+)?)(?: (.*))?$/.exec(line);
  if (matched === null) return parseFailure('curl -w', line);
  const [, status, seconds = '', error = ''] = matched;
  const said = error.trim() === '' || error.trim() === '%{errormsg}' ? undefined : error.trim();
  return ok(present({ status: Number(status), seconds: Number(seconds.replace(',', '.')), error: said }));
}
