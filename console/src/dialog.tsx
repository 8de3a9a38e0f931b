import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/** A modal dialog. The browser keeps the focus inside, and Escape closes it. Then the focus is where it was. */
export function Dialog(props: { title: string; onClose: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  // An effect after the next frame would let keys go to what is behind the dialog.
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    ref.current?.showModal();
    // Restore the focus after the dialog is removed, because before that nothing else can have the focus.
    return () => queueMicrotask(() => before?.focus());
  }, []);
  // If the browser closed the dialog, the focus would be outside before the "close" event arrives, and that event would
  // also close a dialog that was opened meanwhile.
  const cancel = (event: Event) => {
    event.preventDefault();
    props.onClose();
  };
  return (
    <dialog ref={ref} aria-labelledby="dialog-title" onCancel={cancel}>
      <h2 id="dialog-title">{props.title}</h2>
      {props.children}
    </dialog>
  );
}
