import fc from 'fast-check';

// Property tests make the same choices in every run. Use another seed to search for faults by hand.
fc.configureGlobal({ seed: Number(process.env.SEED ?? 20_261_121) });
