import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Application, ChatSystem } from '../../client/src/index.ts';
import { counted } from './counted.ts';
import { FormDialog } from './form-dialog.tsx';
import { Problem } from './problem.tsx';

/** The registry: all applications, newest first. */
export function Applications(props: { system: ChatSystem; onOpen: (token: string) => void; onLogout: () => void }) {
  const { system, onOpen, onLogout } = props;
  const [applications, setApplications] = useState<Application[]>();
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState<unknown>();
  const [isCreating, setCreating] = useState(false);
  const read = useCallback(
    async (cursor?: string) => {
      try {
        const page = await system.applications({ order: 'desc' }).page(cursor);
        setApplications((shown = []) => [...(cursor ? shown : []), ...page.data]);
        setNext(page.next);
      } catch (failure) {
        setError(failure);
      }
    },
    [system],
  );
  useEffect(() => void read(), [read]);
  return (
    <main class="registry">
      <header class="bar">
        <h1>Applications</h1>
        <button type="button" class="primary" onClick={() => setCreating(true)}>
          New application
        </button>
        <button type="button" class="quiet" onClick={onLogout}>
          Log out
        </button>
      </header>
      <Problem error={error} onClose={() => setError(undefined)} />
      {applications?.length === 0 && <p class="empty">There is no application yet. Create the first one.</p>}
      <ul class="cards">
        {applications?.map((each) => (
          <li key={each.token}>
            <button type="button" onClick={() => onOpen(each.token)}>
              <strong dir="auto">{each.name}</strong>
              <small>{counted(each.chats_count, 'chat')}</small>
              <small>created {each.created_at.slice(0, 10)}</small>
            </button>
          </li>
        ))}
      </ul>
      {next && (
        <button type="button" onClick={() => read(next)}>
          Show more
        </button>
      )}
      {isCreating && (
        <FormDialog
          title="New application"
          action="Create"
          onClose={() => setCreating(false)}
          onSubmit={async (data) => onOpen((await system.createApplication(String(data.get('name')))).token)}
        >
          <label for="name">Name</label>
          <input id="name" name="name" dir="auto" maxLength={255} required />
        </FormDialog>
      )}
    </main>
  );
}
