import { docsPage } from '../../lib/api/docs-page.ts';
import { operation } from '../runtime/http/operation.ts';

export const getDocs = operation('getDocs', async () => ({ document: await docsPage() }));
