import { useMemo, useState } from 'preact/hooks';
import { Applications } from './applications.tsx';
import { Login } from './login.tsx';
import { goTo } from './place.ts';
import { keepSession, readSession, type Session, systemOf } from './session.ts';
import { Workspace } from './workspace.tsx';

/** The page. What it shows depends on the credential with which the user has logged in. */
export function App() {
  const [session, setSession] = useState(readSession);
  const system = useMemo(() => systemOf(session), [session]);
  const enter = (next: Session) => {
    keepSession(next);
    setSession(next);
  };
  const { token, ...withoutToken } = session;
  if (token)
    return (
      <Workspace
        system={system}
        onLeave={() => {
          goTo({});
          enter(withoutToken);
        }}
      />
    );
  if (session.adminKey !== undefined)
    return (
      <Applications
        system={system}
        onOpen={(opened) => enter({ ...session, token: opened })}
        onLogout={() => enter({})}
      />
    );
  return <Login onLogin={enter} />;
}
