import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Dialog } from './dialog.tsx';
import { Problem } from './problem.tsx';

/** A dialog that does one thing, and shows why it failed. It closes when it has succeeded. */
export function FormDialog(props: {
  title: string;
  action: string;
  isDangerous?: boolean;
  onClose: () => void;
  /** Called instead of `onClose` when it has succeeded, unless the user has left the dialog meanwhile. */
  onDone?: () => void;
  onSubmit: (data: FormData) => Promise<unknown>;
  children: ComponentChildren;
}) {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const isOpen = useRef(true);
  useLayoutEffect(
    () => () => {
      isOpen.current = false;
    },
    [],
  );
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await props.onSubmit(new FormData(event.currentTarget as HTMLFormElement));
      // Otherwise it would close the dialog that the user has opened after this one.
      if (isOpen.current) (props.onDone ?? props.onClose)();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form onSubmit={submit}>
        {props.children}
        <Problem error={error} />
        <footer>
          <button type="button" class="quiet" onClick={props.onClose}>
            Cancel
          </button>
          <button type="submit" class={props.isDangerous ? 'danger' : 'primary'} disabled={isBusy}>
            {props.action}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
