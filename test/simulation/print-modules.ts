import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';

// Prints the URL of each module that the process and its threads load. (`process.stdout` of a thread that is terminated
// may lose what it was given.)

registerHooks({
  load(url, context, nextLoad) {
    writeSync(1, `${url}\n`);
    return nextLoad(url, context);
  },
});
