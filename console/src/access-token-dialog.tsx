import { useState } from 'preact/hooks';
import type { AccessToken, AccessTokenInput, ChatSystem } from '../../client/src/index.ts';
import { Dialog } from './dialog.tsx';
import { FormDialog } from './form-dialog.tsx';
import { apiUrl } from './session.ts';

const permissions = ['read', 'create', 'edit'] as const;

/** Returns the three lines of a program that uses the access token. */
function programOf({ access_token, chats, can }: AccessToken): string {
  const use = can.includes('read')
    ? 'for await (const { data } of chat.follow({ after: 0 })) console.log(data);'
    : "await chat.send('Hello');";
  return [
    "import { ChatSystem } from 'chat-system-client';",
    `const chat = new ChatSystem({ url: '${apiUrl()}', token: '${access_token}' }).chat(${chats?.[0] ?? 1});`,
    use,
  ].join('\n');
}

/** Makes an access token, and shows the three lines that use it. */
export function AccessTokenDialog(props: { system: ChatSystem; chat: number | undefined; onClose: () => void }) {
  const { system, chat, onClose } = props;
  const [made, setMade] = useState<AccessToken>();
  const [isCopied, setCopied] = useState(false);
  const create = async (data: FormData) => {
    const sender = String(data.get('sender')).trim();
    const chats = String(data.get('chats')).match(/\d+/g)?.map(Number);
    const can = permissions.filter((each) => data.has(each));
    const input: AccessTokenInput = {
      can,
      expires_in: Number(data.get('expires')),
      ...(sender && { sender }),
      ...(chats && { chats }),
    };
    setMade(await system.createAccessToken(input));
  };
  if (!made)
    return (
      <FormDialog title="New access token" action="Create" onClose={onClose} onDone={() => undefined} onSubmit={create}>
        <p>For a browser, an app or a script, which should not have the token of the application.</p>
        <label for="sender">Sender of its messages</label>
        <input id="sender" name="sender" dir="auto" maxLength={255} placeholder="none" />
        <label for="chats">Numbers of its chats</label>
        <input id="chats" name="chats" defaultValue={chat ?? ''} placeholder="all chats" pattern="[0-9 ,]*" />
        <fieldset>
          <legend>What it may do</legend>
          {permissions.map((each) => (
            <label key={each}>
              <input type="checkbox" name={each} defaultChecked={each !== 'edit'} /> {each}
            </label>
          ))}
        </fieldset>
        <label for="expires">Valid for</label>
        <select id="expires" name="expires">
          <option value="3600">1 hour</option>
          <option value="300">5 minutes</option>
          <option value="86400">1 day</option>
        </select>
      </FormDialog>
    );
  const program = programOf(made);
  return (
    <Dialog title="Access token" onClose={onClose}>
      <p>It expires at {new Date(made.expires_at).toLocaleString()}. It is not shown again.</p>
      <pre class="token">{made.access_token}</pre>
      <p>These three lines use it:</p>
      <pre class="program">{program}</pre>
      <footer>
        <button type="button" onClick={() => navigator.clipboard?.writeText(program).then(() => setCopied(true))}>
          {isCopied ? 'Copied' : 'Copy the program'}
        </button>
        <button type="button" class="primary" onClick={onClose}>
          Close
        </button>
      </footer>
    </Dialog>
  );
}
