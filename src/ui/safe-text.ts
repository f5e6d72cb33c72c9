/**
 * Text that was written by somebody else (nodes, guests, APIs) may try to move the cursor, recolour or retitle the
 * terminal, reverse the direction of reading, or hide characters. What leaves here can only be read.
 */

// ECMA-48: CSI (ESC [ or 0x9b), then the strings OSC, DCS, SOS, PM, APC up to BEL or ST, then two-character escapes.
// A string without its end is left to the second pattern, so that nothing after it gets hidden.
const sequences =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c\n]*(?:\u0007|\u001b\\|\u009c)|\u001b[ -/]*[0-~]/g;

// Control characters but newline; what Unicode calls default ignorable (soft hyphen, zero-width and directional marks,
// embeddings, overrides, isolates, fillers, BOM, variation selectors, tags); interlinear annotations.
const invisible = /[^\P{Cc}\n]|[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

// Piled-up marks paint over the lines above and below.
const piledMarks = /(\p{M}{4})\p{M}+/gu;

/** Several lines: keeps `\n`, turns tabs into two spaces and carriage returns into line ends. */
export function safeText(text: string): string {
  return text
    .replace(sequences, '')
    .replace(/\r\n?|[\u000b\u000c\u0085\u2028\u2029]/g, '\n')
    .replaceAll('\t', '  ')
    .replace(invisible, '')
    .replace(piledMarks, '$1')
    .replace(/\p{Surrogate}/gu, '\ufffd');
}

/** One line: every run of white space becomes one space. */
export const safeLine = (text: string): string => safeText(text).replace(/\s+/g, ' ').trim();
