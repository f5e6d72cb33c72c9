import type { RunReport } from '../engine/report.ts';
import { canonicalJson } from './canonical.ts';

/** The whole report as one document; its form is docs/report.schema.json. */
export const renderJson = (report: RunReport): string => `${canonicalJson(report, 2)}\n`;
