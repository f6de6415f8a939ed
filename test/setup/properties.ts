import fc from 'fast-check';

// A landing must not hang on luck: CI tries the same cases each time, everybody else's runs roam and find new ones.
if (process.env['CI']) fc.configureGlobal({ seed: 20_261_122 });
