import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Application, ApplicationPage, ChatSystem } from '../../client/src/index.ts';
import { counted } from './counted.ts';
import { FormDialog } from './form-dialog.tsx';
import { Problem } from './problem.tsx';
import { systemOf } from './session.ts';

type Asked = { to: 'create' } | { to: 'rename' | 'delete'; application: Application };

/** The registry: all applications, newest first. */
export function Applications(props: { system: ChatSystem; onOpen: (token: string) => void; onLogout: () => void }) {
  const { system, onOpen, onLogout } = props;
  const [page, setPage] = useState<ApplicationPage>();
  const [error, setError] = useState<unknown>();
  const [asked, setAsked] = useState<Asked>();
  const onClose = () => setAsked(undefined);
  const read = useCallback(
    async (cursor?: string) => {
      try {
        const next = await system.applications({ order: 'desc' }).page(cursor);
        setPage((shown) => {
          if (!cursor) return next;
          // If the button was pressed twice, the page is added only once.
          return shown?.next === cursor ? { ...next, data: [...shown.data, ...next.data] } : shown;
        });
      } catch (failure) {
        setError(failure);
      }
    },
    [system],
  );
  useEffect(() => void read(), [read]);
  /** Changes what is shown, because the list has the change only when it is stored. */
  const change = (changed: (application: Application) => Application[]) =>
    setPage((shown) => shown && { ...shown, data: shown.data.flatMap(changed) });
  const rename = async ({ token }: Application, name: string) => {
    await systemOf({ token }).editApplication({ name });
    change((each) => [each.token === token ? { ...each, name } : each]);
  };
  const remove = async ({ token }: Application) => {
    await systemOf({ token }).deleteApplication();
    change((each) => (each.token === token ? [] : [each]));
  };
  return (
    <main class="registry">
      <header class="bar">
        <h1>Applications</h1>
        <button type="button" class="primary" onClick={() => setAsked({ to: 'create' })}>
          New application
        </button>
        <button type="button" class="quiet" onClick={onLogout}>
          Log out
        </button>
      </header>
      <Problem error={error} onClose={() => setError(undefined)} />
      {page?.data.length === 0 && <p class="empty">There is no application yet. Create the first one.</p>}
      <ul class="cards">
        {page?.data.map((application) => (
          <li key={application.token}>
            <button type="button" class="open" onClick={() => onOpen(application.token)}>
              <strong dir="auto">{application.name}</strong>
              <small>{counted(application.chats_count, 'chat')}</small>
              <small>created {application.created_at.slice(0, 10)}</small>
            </button>
            <span>
              {(['rename', 'delete'] as const).map((to) => (
                <button
                  key={to}
                  type="button"
                  class="quiet"
                  aria-label={`${to === 'rename' ? 'Rename' : 'Delete'} ${application.name}`}
                  onClick={() => setAsked({ to, application })}
                >
                  {to === 'rename' ? 'Rename' : 'Delete'}
                </button>
              ))}
            </span>
          </li>
        ))}
      </ul>
      {page?.next && (
        <button type="button" onClick={() => read(page.next ?? undefined)}>
          Show more
        </button>
      )}
      {asked?.to === 'create' && (
        <FormDialog
          title="New application"
          action="Create"
          onClose={onClose}
          onSubmit={async (data) => onOpen((await system.createApplication(String(data.get('name')))).token)}
        >
          <label for="name">Name</label>
          <input id="name" name="name" dir="auto" required />
        </FormDialog>
      )}
      {asked?.to === 'rename' && (
        <FormDialog
          title="Rename the application"
          action="Save"
          onClose={onClose}
          onSubmit={(data) => rename(asked.application, String(data.get('name')))}
        >
          <label for="name">Name</label>
          <input id="name" name="name" dir="auto" defaultValue={asked.application.name} required />
        </FormDialog>
      )}
      {asked?.to === 'delete' && (
        <FormDialog
          title="Delete the application?"
          action="Delete"
          isDangerous
          onClose={onClose}
          onSubmit={() => remove(asked.application)}
        >
          <p>
            The application, its chats{countOf(asked.application)} and all their messages are lost. They cannot be
            restored. Its token and its access tokens stop working.
          </p>
          <blockquote dir="auto">{asked.application.name}</blockquote>
        </FormDialog>
      )}
    </main>
  );
}

const countOf = ({ chats_count }: Application): string =>
  chats_count > 0 ? ` (${chats_count.toLocaleString('en')} at the last count)` : '';
