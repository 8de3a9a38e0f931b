/**
 * The result of a check. A problem would make the deployment fail. A warning names an unexpected effect of the
 * deployment.
 */
export interface Finding {
  kind: 'ok' | 'warning' | 'problem';
  /** What was found and, for a warning or problem, what to do. */
  text: string;
}

export const ok = (text: string): Finding => ({ kind: 'ok', text });
export const warning = (text: string): Finding => ({ kind: 'warning', text });
export const problem = (text: string): Finding => ({ kind: 'problem', text });
