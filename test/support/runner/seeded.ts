import fc from 'fast-check';

// Property tests make the same choices in every run; another seed is for whoever searches by hand.
fc.configureGlobal({ seed: Number(process.env.SEED ?? 20_261_121) });
