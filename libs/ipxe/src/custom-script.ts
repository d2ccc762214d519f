import { defaultRetry, failureLines, retried, type RetryPolicy } from './retry';
import { template } from './script-value';

/** The hardware record names a script of its own (`netboot.ipxe.url`). Throws UnsafeScriptValueError. */
export function chainScript(url: string, retry: RetryPolicy = defaultRetry): string {
  return [
    '#!ipxe',
    '',
    ...retried('chain', `chain --autofree ${template('url', url)}`, 'the custom script', retry),
    'exit',
    ...failureLines(),
    '',
  ].join('\n');
}

/** The hardware record holds the script itself (`netboot.ipxe.contents`); iPXE knows a script by its first line. */
export function contentsScript(contents: string): string {
  const script = contents.startsWith('#!ipxe') ? contents : `#!ipxe\n\n${contents}`;
  return script.endsWith('\n') ? script : `${script}\n`;
}
