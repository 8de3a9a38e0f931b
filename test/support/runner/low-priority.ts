import { constants, setPriority } from 'node:os';

// This process only gets the processor time that other tests leave.
setPriority(constants.priority.PRIORITY_LOW);
